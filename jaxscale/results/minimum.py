"""What is known of a minimum: its certificate, other minima, joint constants, and the size of the residuals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxscale.results.fit import Fit


@dataclass(frozen=True)
class Minimum:
    """A minimum that some starts reached instead.

    Attributes
    ----------
    value
        Its objective.
    coefs
        Name → value.
    starts
        How many starts ended there.
    """

    value: float
    coefs: Mapping[str, float]
    starts: int


@dataclass(frozen=True)
class Joint:
    """One constant that several coefs are together at a bound, where none of them has a value of its own.

    names: those coefs.   is_sum: whether it is their sum, or else their product.   value, std: of that, std None
    where there is none.
    """

    names: tuple[str, ...]
    is_sum: bool
    value: float
    std: float | None

    @property
    def formula(self) -> str:
        """The constant in words, as `E + A`."""
        return (" + " if self.is_sum else " · ").join(self.names)


@dataclass(frozen=True)
class Certificate:
    """What was checked after the fact.

    Attributes
    ----------
    scaled_gradient
        The largest component of the gradient relative to the sum of its absolute terms, 0 at a minimum.
    condition
        Condition number of the Hessian scaled to a unit diagonal; None where it is not positive definite.
    starts
        Start points tried.
    agreeing_starts
        Those that reached this minimum to 1e-8; where rho has its threshold, from a wide scale or from its own.
    other_minima
        The other minima that starts reached, lowest first, five at most.
    """

    scaled_gradient: float
    condition: float | None
    starts: int
    agreeing_starts: int
    other_minima: tuple[Minimum, ...] = ()

    def __repr__(self) -> str:
        condition = "none" if self.condition is None else f"{self.condition:.3g}"
        starts = f"{self.agreeing_starts} of {self.starts} starts agree, {len(self.other_minima)} other minima"
        return f"<Certificate: scaled gradient {self.scaled_gradient:.1e}, condition {condition}, {starts}>"


@dataclass(frozen=True)
class ResidualSummary:
    """What the law predicts beside what was measured, over the runs of positive weight.

    In log space a residual is relative, predicted / measured - 1; in linear space predicted - measured.
    median, p90: quantiles of their sizes.   largest: the largest one, with its sign.   row: its row in the table.
    """

    median: float
    p90: float
    largest: float
    row: int


def residual_summary(fit: Fit) -> ResidualSummary | None:
    """Return the summary of the residuals of a fit; None where no residual is finite."""
    is_used = np.isfinite(fit.residuals) & (fit.runs.weight > 0)
    if not is_used.any():
        return None
    residuals = fit.residuals[is_used]
    with np.errstate(over="ignore"):
        relative = np.expm1(residuals) if fit.objective.space == "log" else residuals
    median, p90 = np.quantile(np.abs(relative), [0.5, 0.9])
    at = int(np.argmax(np.abs(relative)))
    return ResidualSummary(float(median), float(p90), float(relative[at]), int(fit.runs.row[is_used][at]))

"""The efficient frontier: where each budget is best spent, for one fit or for an ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.finding import Finding
from jaxscale.intervals import INTERVALS, Band, Interval, Sample, band
from jaxscale.intervals.blocks import Blocks
from jaxscale.intervals.lines import line_through
from jaxscale.intervals.spec import LikelihoodProfile, Line
from jaxscale.registry import check_known
from jaxscale.results.result import Sampled

if TYPE_CHECKING:
    import pandas as pd

    from jaxscale.laws import Law

QUANTITIES = ("params", "tokens", "loss", "tokens_per_param")
"""What a frontier says of each budget."""
EXPONENTS = ("params", "tokens", "tokens_per_param")
"""Quantities whose exponents have profiles."""


@dataclass(frozen=True)
class Frontier(Sampled):
    """The optimum of a law on C = 6 N D, or on the law's own price, per budget.

    Attributes
    ----------
    law, coefs
        The law, and the coefs of the point fit, name → value.
    flops
        The budgets (b,), in FLOP.
    params, tokens, loss
        (b,) for one set of coefs, (R, b) for an ensemble; NaN for a replicate that is not usable, where the law has no
        trade-off (params and tokens), or where no optimum lies inside the range.
    at_point
        For an ensemble, the frontier of the point fit, (b,); None for one set of coefs, where `point` is the
        frontier itself.
    measured
        Smallest and largest compute in the table, None without one.
    findings
        What is worth knowing about the optima.
    fixed
        The law's inputs that no budget decides, at these values.
    jackknife
        Quantity → (n, b) with each run left out, of an ensemble that has these fits; else empty.
    ranks
        Quantity → (T, b), the share of replicates below the point fit's in each of T simulated tables, of an ensemble
        that has these; else empty.
    std, point_std
        Quantity → (R, b), or (b,), standard errors in the replicates and at the point fit by the delta method, of an
        ensemble that has covariances; else empty.
    dof
        The degrees of freedom behind `point_std`.
    robust_std, robust_dof
        As `point_std` and `dof`, by the sandwich.
    profile
        Quantity → the profiles (b,), of an ensemble that has those of its coefs; else empty.
    exponents
        The profiles (3,) of the exponents of params, tokens and tokens_per_param between the least and the largest
        budget; None where there are none.

    Examples
    --------
    >>> best = js.frontier(law="chinchilla", coefs="besiroglu2024", flops=[1e20, 1e22])
    >>> best.is_ensemble, best.loss.round(3)
    (False, array([2.553, 2.141]))
    """

    law: Law
    coefs: Mapping[str, float]
    flops: np.ndarray
    params: np.ndarray
    tokens: np.ndarray
    loss: np.ndarray
    at_point: Frontier | None = None
    measured: tuple[float, float] | None = None
    findings: tuple[Finding, ...] = ()
    fixed: Mapping[str, float] = field(default_factory=dict)
    jackknife: Mapping[str, np.ndarray] = field(default_factory=dict)
    ranks: Mapping[str, np.ndarray] = field(default_factory=dict)
    std: Mapping[str, np.ndarray] = field(default_factory=dict)
    point_std: Mapping[str, np.ndarray] = field(default_factory=dict)
    dof: float = np.inf
    robust_std: Mapping[str, np.ndarray] = field(default_factory=dict)
    robust_dof: float = np.inf
    profile: Mapping[str, LikelihoodProfile] = field(default_factory=dict)
    exponents: LikelihoodProfile | None = None

    def __repr__(self) -> str:
        ensemble = f", {len(self.params):,} replicates" if self.is_ensemble else ""
        coefs = ", ".join(f"{name}={coef:.4g}" for name, coef in self.coefs.items())
        span = f"{self.flops.min():.4g} to {self.flops.max():.4g} FLOP"
        return f"<Frontier {self.law.name}: {len(self.flops)} budgets, {span}{ensemble}, {coefs}>"

    @property
    def point(self) -> Frontier:
        """The frontier of the point fit."""
        return self if self.at_point is None else self.at_point

    @property
    def tokens_per_param(self) -> np.ndarray:
        """Tokens per parameter at the optimum."""
        return self.tokens / self.params

    @property
    def is_ensemble(self) -> bool:
        """Whether the arrays have a replicate axis."""
        return self.at_point is not None

    def to_frame(self, *, level: float = 0.95, method: Interval | str = "percentile") -> pd.DataFrame:
        """Return one row per budget: flops, and params, tokens, loss and tokens_per_param of the point fit.

        Parameters
        ----------
        level, method
            As in `js.band`.

        Returns
        -------
        DataFrame
            With replicates each of these has its band, as params_low and params_high. NaN where there is no optimum.

        Raises
        ------
        UsageError
            As `js.band`.
        """
        import pandas as pd

        columns: dict[str, np.ndarray] = {"flops": self.flops}
        for name in QUANTITIES:
            columns[name], band = getattr(self.point, name), self.interval(name, level=level, method=method)
            columns |= {} if band is None else {f"{name}_low": band.lower, f"{name}_high": band.upper}
        return pd.DataFrame(columns)

    def exponent(self, quantity: str = "params") -> float | None:
        """Return a of quantity ∝ C^a at the point fit: the mean slope in logs from the least to the largest budget.

        Parameters
        ----------
        quantity
            `params`, `tokens`, `loss` or `tokens_per_param`; of params it is called a, of tokens b.

        Returns
        -------
        float or None
            None for a single budget, and where an end has no optimum.

        Raises
        ------
        UsageError
            For another quantity.

        Examples
        --------
        >>> best = js.frontier(law="chinchilla", coefs="besiroglu2024", flops=[1e20, 1e22])
        >>> round(best.exponent("params"), 3), round(best.exponent("tokens"), 3)
        (0.513, 0.487)
        """
        check_known("quantity", quantity, QUANTITIES)
        found = self._slopes(getattr(self.point, quantity))
        return float(found) if found is not None and np.isfinite(found) else None

    def exponent_interval(
        self, quantity: str = "params", *, level: float = 0.95, method: Interval | str = "percentile"
    ) -> Band | None:
        """Return the band of an exponent over the replicates.

        Parameters
        ----------
        quantity
            As of `exponent`.
        level, method
            As in `js.band`.

        Returns
        -------
        Band or None
            None without an ensemble, and where there is no exponent.

        Raises
        ------
        UsageError
            As `js.band`, and for another quantity; its IntervalError for a method that takes standard errors, which
            an exponent does not have, and for the profile of the loss's.
        """
        point = self.exponent(quantity)
        values = None if self.at_point is None else self._slopes(np.asarray(getattr(self, quantity)))
        if point is None or values is None:
            return None
        left = self.jackknife.get(quantity)
        own = None if left is None else self._slopes(np.asarray(left))
        is_followed = self.exponents is not None and quantity in EXPONENTS
        known = self.exponents.of(EXPONENTS.index(quantity)) if self.exponents is not None and is_followed else None
        sample = Sample(values, np.asarray(point), None, None, own, dof=self.dof, profile=known)
        return band(sample, level=level, method=method)

    def _slopes(self, values: np.ndarray) -> np.ndarray | None:
        """Return the mean slopes of ln values (…, b) against ln C, (…); None for a single budget."""
        first, last = int(np.argmin(self.flops)), int(np.argmax(self.flops))
        if self.flops[first] == self.flops[last]:
            return None
        with np.errstate(all="ignore"):
            rise = np.log(values[..., last]) - np.log(values[..., first])
        return np.asarray(rise / np.log(self.flops[last] / self.flops[first]))

    def interval(self, quantity: str, *, level: float = 0.95, method: Interval | str = "percentile") -> Band | None:
        """Return the band of one quantity over the replicates.

        Parameters
        ----------
        quantity
            `params`, `tokens`, `loss` or `tokens_per_param`.
        level, method
            As in `js.band`.

        Returns
        -------
        Band or None
            Of (b,); None without an ensemble.

        Raises
        ------
        UsageError
            As `js.band`, and for another quantity.
        """
        check_known("quantity", quantity, QUANTITIES)
        if self.at_point is None:
            return None
        values, point = getattr(self, quantity), getattr(self.at_point, quantity)
        is_read = isinstance(values, Blocks)  # of a large study, whose optima are in files
        is_plain = is_read and INTERVALS.resolve(method).name == "percentile"  # which asks for no line
        line: Line = "real" if is_plain else line_through(np.asarray(values), point)
        sample = Sample(
            values,
            point,
            self.std.get(quantity),
            self.point_std.get(quantity),
            self.jackknife.get(quantity),
            self.ranks.get(quantity),
            line=line,
            dof=self.dof,
            robust_std=self.robust_std.get(quantity),
            robust_dof=self.robust_dof,
            profile=self.profile.get(quantity),
        )
        return band(sample, level=level, method=method)

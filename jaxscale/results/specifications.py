"""Specifications of one question: what each says of the best size and its loss, and the parts of their spread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.registry import unknown
from jaxscale.results.fit import Fit

ANSWERS = ("params", "loss")
WORTH: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {"params": np.log, "loss": np.asarray}
"""Result → what its spread is measured in."""
NOISE = "noise"
PARTS = {
    "law": "form", "objective": "objective", "delta": "objective", "space": "objective", "convention": "convention",
    "weights": "selection", "rows": "selection",
}  # fmt: skip
"""Axis → the part of the spread that it belongs to."""


@dataclass(frozen=True)
class Specification:
    """One choice on every axis, in words.

    Attributes
    ----------
    law, objective
        The names of what was chosen.
    delta
        The threshold of the objective, None for one without.
    space, convention, weights, rows
        What was chosen, in the words of `js.specifications`.

    Examples
    --------
    >>> js.results.Specification("chinchilla", "huber", 0.001, "log", "measured", "table", "all").value_of("delta")
    '0.001'
    """

    law: str
    objective: str
    delta: float | None
    space: str
    convention: str
    weights: str
    rows: str

    def value_of(self, axis: str) -> str:
        """Return the choice on one axis as text; a dash for a delta that the objective does not have.

        Parameters
        ----------
        axis
            A name of `jaxscale.results.PARTS`.

        Returns
        -------
        str
            The choice.

        Raises
        ------
        UsageError
            For another name.
        """
        if axis not in PARTS:
            raise UsageError(unknown("axis", axis, tuple(PARTS)))
        value = getattr(self, axis)
        return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)

    def differences(self, base: Specification) -> tuple[str, ...]:
        """Return the axes on which another specification differs; delta does not where one of both has none.

        Parameters
        ----------
        base
            The other one.

        Returns
        -------
        tuple of str
            In the order of the axes.
        """
        differing = (axis for axis in PARTS if getattr(self, axis) != getattr(base, axis))
        return tuple(axis for axis in differing if axis != "delta" or None not in (self.delta, base.delta))


@dataclass(frozen=True)
class SpecificationFit:
    """What one specification says at the target.

    Attributes
    ----------
    specification
        Its choices.
    status
        That of the fit; `refused` where there is none, `no-optimum` for a usable fit without a best size at the target,
        `few-usable` where less than half of the replicates have an answer.
    reason
        Why there is no answer; empty where there is one.
    fit
        The point fit, None where it was refused.
    used
        How many runs counted.
    usable
        How many of the replicates have an answer.
    params, loss
        N_opt and the loss there, NaN for none.
    low, high
        Result → the ends of its interval, `params` and `loss`; NaN without replicates.
    variance
        Result → its variance over the replicates, of ln N_opt and of the loss; NaN without replicates.
    """

    specification: Specification
    status: str
    reason: str
    fit: Fit | None
    used: int
    usable: int
    params: float
    loss: float
    low: Mapping[str, float]
    high: Mapping[str, float]
    variance: Mapping[str, float]

    def value(self, answer: str) -> float:
        """Return ln N_opt, or the loss: what the spread is measured in.

        Parameters
        ----------
        answer
            `params` or `loss`.

        Returns
        -------
        float
            NaN for none.
        """
        with np.errstate(invalid="ignore"):
            return float(WORTH[answer](getattr(self, answer)))

    def is_answered(self, answer: str) -> bool:
        """Return whether there is an answer with replicates, so that it counts in the spread.

        Parameters
        ----------
        answer
            `params` or `loss`.

        Returns
        -------
        bool
            False where the answer, or its variance, does not exist.
        """
        return bool(np.isfinite(self.value(answer)) and np.isfinite(self.variance[answer]))


@dataclass(frozen=True)
class Decomposition:
    """Where the spread of one answer comes from.

    Attributes
    ----------
    answer
        `params`, for which the spread is that of ln N_opt, or `loss`, in nats per token.
    count
        Specifications that have an answer.
    total
        The variance, that of a replicate of a specification, both drawn at random.
    axes
        Axis → the variance that it accounts for.
    noise
        The mean variance within a specification.
    """

    answer: str
    count: int
    total: float
    axes: Mapping[str, float]
    noise: float

    @property
    def parts(self) -> dict[str, float]:
        """Noise, form, objective, convention and selection → variance."""
        found = dict.fromkeys((NOISE, *PARTS.values()), 0.0)
        found[NOISE] = self.noise
        for axis, variance in self.axes.items():
            found[PARTS[axis]] += variance
        return found

    @property
    def shares(self) -> dict[str, float]:
        """Each of `parts` as a share of the total; they add up to 1, and are NaN without any spread."""
        return {name: variance / self.total if self.total > 0 else np.nan for name, variance in self.parts.items()}

    @property
    def std(self) -> float:
        """The standard deviation in all: about the relative spread of N_opt, or nats per token."""
        return float(np.sqrt(self.total))

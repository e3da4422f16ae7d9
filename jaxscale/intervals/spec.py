"""Intervals: a sample of replicates, the rule that puts limits around it, and the band that results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

Need: TypeAlias = Literal["point", "point_std", "std", "robust_std", "jackknife", "ranks", "profile"]
Line: TypeAlias = Literal["real", "positive", "unit"]


@dataclass(frozen=True)
class Band:
    """Limits that a method puts around a quantity, elementwise.

    Attributes
    ----------
    lower, centre, upper
        float64 of the quantity's shape (scalars for one number), in its units; NaN where no usable sample is left.
    level
        Nominal coverage, between 0 and 1.
    method
        The name of the interval.
    n_used
        Samples that entered.
    n_total
        Replicates drawn.
    is_simultaneous
        Whether the level is that of the whole band, of all places at once, and not of each.
    """

    lower: np.ndarray
    centre: np.ndarray
    upper: np.ndarray
    level: float
    method: str
    n_used: int
    n_total: int
    is_simultaneous: bool = False

    def __repr__(self) -> str:
        shape = np.shape(self.centre)
        ends = str(self) if not shape else f"of {' × '.join(map(str, shape))} places {str(self).rpartition('  ')[2]}"
        return f"<Band {ends}>"

    def __str__(self) -> str:
        numbers = "  ".join(
            f"{low:.6g} … {centre:.6g} … {high:.6g}"
            for low, centre, high in zip(np.ravel(self.lower), np.ravel(self.centre), np.ravel(self.upper), strict=True)
        )
        kind = f"simultaneous {self.method}" if self.is_simultaneous else self.method
        return f"{numbers}  ({100 * self.level:g} % {kind}, {self.n_used} of {self.n_total} replicates)"


@dataclass(frozen=True)
class LikelihoodProfile:
    """How far a quantity may move before the best fit with it is too bad, so that limits of any usual level follow.

    Attributes
    ----------
    roots
        (k, …) signed roots of the rise of the objective, in standard errors: they grow along the first axis, negative
        below the estimate, zero at it; NaN behind the last that is known.
    values
        (k, …) of the quantity at these roots.
    below, above
        (…) texts: why the roots go no further on that side of the estimate; empty where the quantity keeps its last
        value from there on, as at the end of its support.

    Examples
    --------
    >>> known = js.refitting.followed(fit, "alpha")
    >>> float(known.values[known.roots == 0.0][0]) == fit.coefs["alpha"]
    True
    """

    roots: np.ndarray
    values: np.ndarray
    below: np.ndarray
    above: np.ndarray

    def of(self, place: int | tuple[int, ...]) -> LikelihoodProfile:
        """Return the profile of one place of several.

        Parameters
        ----------
        place
            Its index in the shape of the quantity.

        Returns
        -------
        LikelihoodProfile
            Of a number, (k,).
        """
        roots, values = np.moveaxis(self.roots, 0, -1)[place], np.moveaxis(self.values, 0, -1)[place]
        below, above = (np.asarray(side[place], dtype=object) for side in (self.below, self.above))
        return LikelihoodProfile(roots, values, below, above)

    @classmethod
    def joined(cls, parts: Sequence[LikelihoodProfile]) -> LikelihoodProfile:
        """Return the profiles of numbers as that of a list of them.

        Parameters
        ----------
        parts
            One for each number.

        Returns
        -------
        LikelihoodProfile
            Of (m,).
        """
        longest = max((len(one.roots) for one in parts), default=0)
        roots, values = np.full((2, longest, len(parts)), np.nan)
        for at, one in enumerate(parts):
            roots[: len(one.roots), at], values[: len(one.roots), at] = one.roots, one.values
        below, above = (np.array([str(getattr(one, end)) for one in parts], dtype=object) for end in ("below", "above"))
        return cls(roots, values, below, above)


@dataclass(frozen=True)
class Sample:
    """Replicates of a quantity, and what is known of it beside them.

    Attributes
    ----------
    values
        (R, …), NaN in replicates that do not count.
    point
        (…) the estimate; None where it is not known, as for all below.
    std
        (R, …) standard error in each replicate.
    point_std
        (…) that of the estimate.
    jackknife
        (n, …) the estimates with each run, or each group of runs, left out; NaN where one has none.
    ranks
        (T, …) the share of the replicates below the truth in each of T tables that were simulated with this estimate as
        the truth, 0 or 1 where all lie on one side; NaN where a table has no replicates.
    bound
        An end that no value passes and at which the estimate lies; None where it lies at none.
    line
        The numbers that the quantity may be, `real`, `positive` or `unit` (between 0 and 1): a rule whose limits lie at
        distances from the estimate measures them on ln of a positive one, and on the logit of one between 0 and 1.
    dof
        Degrees of freedom behind `point_std`; infinite where they are not known.
    robust_std
        (…) standard error of the estimate that holds where errors differ in size, or are alike within groups.
    robust_dof
        Degrees of freedom behind that.
    profile
        The profile of (…) by the objective of the fit, on `dof` degrees of freedom.

    Examples
    --------
    >>> sample = js.intervals.Sample(ensemble.samples("alpha"), fit.coefs["alpha"])
    >>> js.band(sample).n_total
    64
    """

    values: np.ndarray
    point: np.ndarray | None = None
    std: np.ndarray | None = None
    point_std: np.ndarray | None = None
    jackknife: np.ndarray | None = None
    ranks: np.ndarray | None = None
    bound: float | None = None
    line: Line = "real"
    dof: float = np.inf
    robust_std: np.ndarray | None = None
    robust_dof: float = np.inf
    profile: LikelihoodProfile | None = None

    @property
    def usable(self) -> Sample:
        """The replicates without NaN: one that is NaN anywhere is left out whole."""
        values = np.asarray(self.values, dtype=np.float64)
        counts = ~np.isnan(values).any(axis=tuple(range(1, values.ndim)))
        return replace(self, values=values[counts], std=None if self.std is None else np.asarray(self.std)[counts])

    def lacks(self, need: Need) -> bool:
        """Return whether something that a rule needs is not known.

        Parameters
        ----------
        need
            `point`, `point_std`, `robust_std`, `std` (of the estimate and of every replicate), `jackknife`, `ranks` or
            `profile`.

        Returns
        -------
        bool
            True where it is None.
        """
        return getattr(self, need) is None or (need == "std" and self.point_std is None)


@dataclass(frozen=True)
class Interval:
    """A named rule that puts limits around a sample.

    Attributes
    ----------
    name
        The word that finds it.
    limits
        limits(sample, level) returns two arrays (…), the lower and the upper limits, for a sample without NaN.
    source
        Where it is written.
    needs
        What it reads of the sample beside the values: `point`, `point_std`, `robust_std`, `std` (of the estimate,
        too), `jackknife`, `ranks` or `profile`.
    is_distance
        Whether its limits lie at distances from the estimate, so that they are sought on the sample's `line`.
    at_bound
        Whether an estimate at a bound has a one-sided limit by this rule.

    Examples
    --------
    >>> def extremes(sample, level):
    ...     return sample.values.min(axis=0), sample.values.max(axis=0)
    >>> rule = js.intervals.Interval("extremes", extremes, "the least and the largest value")
    >>> print(js.band(np.arange(101.0), method=rule))
    0 … 50 … 100  (95 % extremes, 101 of 101 replicates)
    """

    name: str
    limits: Callable[[Sample, float], tuple[np.ndarray, np.ndarray]]
    source: str
    needs: tuple[Need, ...] = ()
    is_distance: bool = False
    at_bound: bool = True

    def __repr__(self) -> str:
        return f"<Interval {self.name}: {self.source}>"

"""How wide a band has to be for what it extrapolates: a rule that is learnt from runs that were held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.intervals.band import check_level
from jaxscale.results.mixtures import Predictive, quantile_of

if TYPE_CHECKING:
    from jaxscale.results.comparison import Comparison

SHORTEST = float(np.log(2.0))
"""Least distance ln(C/C_cut) that counts: a run just above a cut-off is an extrapolation too."""
DOF = 4.0
"""Of Student's errors by which the scale is fitted: few errors far off do not decide it."""
LEAST_SCALE = 1e-6
ONE_SIGMA = 0.3413
"""Share of a normal distribution between its mean and one standard deviation from it."""
START = (0.0, -3.0, -3.0)
NONE_GIVEN = "a calibration is made of one comparison or more"
OTHER_LAWS = "comparison {place} has the laws {found}, and the first has {expected}: compare the same laws"


@dataclass(frozen=True)
class WidthParts:
    """What the width of a band is made of, for m predictions.

    spread: (m,) half the width of the plain predictive's central 68 %, in ln loss.   distance: (m,) ln of how many
    times the largest compute (or other size) that was fitted.   fall: (m,) by how much ln loss falls over that
    distance by the laws, where these have one input; 0 elsewhere.
    """

    spread: np.ndarray
    distance: np.ndarray
    fall: np.ndarray

    @classmethod
    def joined(cls, parts: Sequence[WidthParts]) -> WidthParts:
        """Return the parts of several predictions, one after the other."""
        return cls(*(np.concatenate([getattr(one, name) for one in parts]) for name in cls.__annotations__))

    def of(self, places: np.ndarray) -> WidthParts:
        """Return the parts of some of the predictions, bool (m,) or places."""
        return WidthParts(self.spread[places], self.distance[places], self.fall[places])

    def scale(self, factors: np.ndarray) -> np.ndarray:
        """Return the root (m,) of the sum of squares of the three, each times its factor (3,)."""
        far = np.maximum(self.distance, SHORTEST)
        return np.sqrt(np.sum((factors[:, None] * np.stack([self.spread, far, self.fall])) ** 2, axis=0))


@dataclass(frozen=True)
class Calibration:
    """A scale of the errors of extrapolations, and the errors themselves in units of it.

    Errors of ln loss at runs held out are put in units of the scale sqrt((a spread)² + (b distance)² + (c fall)²),
    whose factors maximise the likelihood of Student's distribution of 4 degrees of freedom; within a single comparison,
    whose runs are too few to tell the three apart, the scale is the distance alone, so that bands grow beyond every
    distance that was tried. Limits lie at the conformal quantile of their absolute values to each side of the median.
    Groups are exchangeable, and not the runs in one: each counts alike, however many runs it has, and one more, the new
    one, counts as infinite.

    Attributes
    ----------
    per_spread, per_distance, per_fall
        The factors a, b and c.
    scores, mass
        (m,) absolute errors in units of the scale, increasing, and the share of each, of sum G / (G + 1).
    groups
        G: how many comparisons it is made of; of a single one, its runs held out.
    laws, weights
        Names of laws, and their stacking weights over all that was held out.

    Notes
    -----
    The factors and the quantile are of the same errors, of which three numbers are few.   Sources: Lei et al. 2018,
    JASA 113(523), §5.2, for the scale; Dunn et al. 2023, JASA 118(544), for groups whose shares are pooled.

    Examples
    --------
    >>> found = js.compare(runs, ["pure-power-params"], replicates=64, cuts=2)
    >>> rule = js.comparing.calibration([found])
    >>> rule.factor(0.5) <= rule.factor(0.8)
    True
    """

    per_spread: float
    per_distance: float
    per_fall: float
    scores: np.ndarray
    mass: np.ndarray
    groups: int
    laws: tuple[str, ...]
    weights: tuple[float, ...]

    @property
    def factors(self) -> np.ndarray:
        """(3,) per_spread, per_distance, per_fall."""
        return np.array([self.per_spread, self.per_distance, self.per_fall])

    def factor(self, level: float) -> float:
        """Return how many units of the scale limits of a level lie from the median; infinite for too few groups."""
        check_level(level)
        place = int(np.searchsorted(np.cumsum(self.mass), level * (1.0 - 1e-12)))
        return float(self.scores[place]) if place < len(self.scores) else float("inf")

    def half_width(self, reach: WidthParts, level: float) -> np.ndarray:
        """Return how far limits lie from the median (m,), in ln loss.

        Parameters
        ----------
        reach
            Of m predictions.
        level
            Above 0 and below 1.

        Returns
        -------
        ndarray
            (m,); infinite where there are too few groups for the level.
        """
        return np.asarray(self.factor(level) * np.maximum(reach.scale(self.factors), LEAST_SCALE))


def reach_of(
    parts: list[Predictive], weights: np.ndarray, distance: np.ndarray, fall: np.ndarray
) -> tuple[WidthParts, np.ndarray]:
    """Return what the width of a combined band is made of, and its median (m,), ln loss."""
    low, centre, high = (quantile_of(parts, weights, share) for share in (0.5 - ONE_SIGMA, 0.5, 0.5 + ONE_SIGMA))
    return WidthParts(0.5 * (high - low), distance, fall), centre


def calibrated(
    reaches: Sequence[WidthParts],
    errors: Sequence[np.ndarray],
    laws: tuple[str, ...],
    weights: Sequence[float],
    *,
    factors: tuple[float, float, float] | None = None,
) -> Calibration:
    """Return the calibration of groups, each with parts of the width and errors of ln loss (m_g,) at its runs held out.

    factors: of the scale, where they are not to be fitted.
    """
    together = WidthParts.joined(reaches)
    error = np.abs(np.concatenate(list(errors)))
    count = len(reaches)
    share = np.concatenate([np.full(len(one), 1.0 / ((count + 1) * len(one))) for one in errors])
    used = _factors(together, error, share) if factors is None else np.array(factors)
    scores = error / np.maximum(together.scale(used), LEAST_SCALE)
    order = np.argsort(scores)
    spread, distance, fall = used.tolist()
    return Calibration(spread, distance, fall, scores[order], share[order], count, laws, tuple(map(float, weights)))


def _factors(reach: WidthParts, error: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return the factors (3,) of greatest likelihood, found by the method of Nelder and Mead in their logarithms."""
    from scipy.optimize import minimize  # slow to import

    def lack(logs: np.ndarray) -> float:
        scale = np.maximum(reach.scale(np.exp(np.clip(logs, -20.0, 10.0))), LEAST_SCALE)
        density = -np.log(scale) - 0.5 * (DOF + 1.0) * np.log1p((error / scale) ** 2 / DOF)
        return -float(share @ density)

    best = minimize(lack, np.array(START), method="Nelder-Mead", options={"maxiter": 2_000, "xatol": 1e-4})
    is_there = [bool(np.any(part > 0)) for part in (reach.spread, reach.distance, reach.fall)]
    return np.where(is_there, np.exp(np.clip(best.x, -20.0, 10.0)), 0.0)


def common_laws(comparisons: Sequence[Comparison]) -> tuple[str, ...]:
    """Return the laws that all comparisons have, in the order of their names; raise UsageError where they differ."""
    if not comparisons:
        raise UsageError(NONE_GIVEN)
    first, *others = ({one.law.name for one in found.scores} for found in comparisons)
    for place, names in enumerate(others, start=2):
        if names != first:
            told = {"found": ", ".join(sorted(names)), "expected": ", ".join(sorted(first))}
            raise UsageError(OTHER_LAWS.format(place=place, **told))
    return tuple(sorted(first))

"""Coefs held at a bound while the others are minimised: where they stand, and when a minimum there is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.job import Job
from jaxscale.engine.scheduler import Outcome, solve_lanes
from jaxscale.fitting.multipliers import lane_values, multipliers_of
from jaxscale.laws import Law
from jaxscale.results import Fit
from jaxscale.status import Status

BEYOND, ALL_BUT_ONE = 100.0, 30.0
"""Where a coef stands on the real line while it is held: at 4e-44 for zero, at 3e43 for infinity, and at one to 13
digits where a support ends at one. Its slope there is small and has a sign."""
ROUNDING = 1e-11
"""Multiplier of a held coef, relative to the sum of its absolute terms, that is rounding."""
SPANNED = 1e-12
"""Share of a coef's column beside those of the minimised ones that is rounding."""
SHORT = 0.01
"""What stopping short of infinity may cost, as a share of what one run contributes: a tenth of a standard error."""
REMAINING = 10.0 * SHORT
"""Slope of the objective in the log of a coef that stands for infinity, in the same unit, from which more than that is
to be gained further out: a term fades with its exponent as e^(-exponent · log of a ratio of sizes), and the law is
hardly finite where that product exceeds a few tens."""
SAME_MINIMUM = 1e-8
"""Relative difference in the objective below which two minima are one."""
UNCHANGED = 1e-12
"""Relative difference in the objective that moving a coef without any effect makes."""
FALLS = 2.0
"""Factor on a lane's objective beyond which a bound is not near it."""
INWARDS, BEGINNING = np.arange(-12.0, 12.0, 0.25), 4
"""Theta at which the objective is asked for on the way in from a flat edge, and how many of the first that count."""


@dataclass(frozen=True, eq=False)
class Bound:
    """Coefs that are held, in the law's order; arrays (p,).

    stand: theta of a coef that is held, NaN for one that is minimised.   coef: what is reported for it, as 0, 1, inf
    or the coef of its stand; NaN.   side: 1 where the objective must not fall as the coef grows, -1 where it must not
    fall as it shrinks, 0 where it does not change at all.   is_open: coefs that have no value at the bound, held or
    not: other values predict the same.   start: theta of the minimum where the bound was found.   idle: how many of
    the held coefs change no prediction whatever the others are, as the exponent of a term whose scale is zero.
    """

    stand: np.ndarray
    coef: np.ndarray
    side: np.ndarray
    is_open: np.ndarray
    start: np.ndarray
    idle: int = 0

    @classmethod
    def inside(cls, law: Law) -> Bound:
        """Return what holds no coef of a law."""
        nothing = np.full(len(law.names), np.nan)
        return cls(nothing, nothing, np.zeros(len(nothing), int), np.zeros(len(nothing), bool), nothing)

    @classmethod
    def at_edge(cls, law: Law, at: int, theta: np.ndarray) -> Bound:
        """Return what holds one coef at its lower edge, the others beginning at theta (p,)."""
        is_held, low = np.arange(len(theta)) == at, law.supports[at].low
        stand = np.where(is_held, stand_of(law, at, low), np.nan)
        nothing = np.zeros(len(theta), bool)
        return cls(stand, np.where(is_held, low, np.nan), is_held.astype(int), nothing, np.where(is_held, stand, theta))

    @property
    def is_held(self) -> np.ndarray:
        """(p,) bool."""
        held: np.ndarray = ~np.isnan(self.stand)
        return held

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """What makes one bound the plainer account of a minimum that several have: less of it."""
        return int(self.is_infinite), self.idle, int(self.is_open.sum()), int(self.is_held.sum())

    @property
    def stands_for_infinity(self) -> np.ndarray:
        """(p,) bool: coefs followed to infinity with others, which no law has: there is no minimum, but a limit."""
        followed: np.ndarray = (self.side < 0) & np.isfinite(self.coef) & (self.coef != 1.0)
        return followed

    @property
    def is_infinite(self) -> bool:
        """Whether it is a limit at infinity."""
        return bool(self.stands_for_infinity.any())

    def edges(self, law: Law) -> np.ndarray:
        """Return the edges (p,) at which coefs are held, inf for one that stands for it, NaN for one that is free."""
        places = zip(self.coef, self.side, law.supports, strict=True)
        return np.array([support.high if side < 0 else coef for coef, side, support in places])

    def coefs_at(self, law: Law, theta: np.ndarray) -> np.ndarray:
        """Return the coefs (…, p) of theta (…, p), those that are held as they are reported.

        One that stands for infinity does so where each lane holds it.
        """
        is_told = self.is_held & ~self.stands_for_infinity
        coefs: np.ndarray = np.where(is_told, self.coef, law.coordinates.to_coefs(theta))
        return coefs

    def beside(self, other: Bound) -> Bound:
        """Return the bound that holds what either of two does, of different coefs; it begins where this one does."""
        held = other.is_held
        return Bound(
            np.where(held, other.stand, self.stand),
            np.where(held, other.coef, self.coef),
            np.where(held, other.side, self.side),
            self.is_open | other.is_open,
            np.where(held, other.stand, self.start),
            self.idle + other.idle,
        )


def bound_of(fit: Fit) -> Bound | None:
    """Return the bound at which a fit lies; None for a minimum inside."""
    law = fit.law
    coef = np.array([fit.coefs[name] if name in fit.held else np.nan for name in law.names])
    held = ~np.isnan(coef)
    if not held.any():
        return None
    is_open = np.array([name in fit.unidentified for name in law.names])
    stand, side = np.full(len(coef), np.nan), np.zeros(len(coef), int)
    start = np.array([stand_of(law, at, fit.coefs[name]) for at, name in enumerate(law.names)])
    for at in np.flatnonzero(held):
        support = law.supports[at]
        stand[at] = start[at]
        if coef[at] != support.low or not is_open[at]:
            side[at] = 1 if coef[at] == support.low else -1 if np.isfinite(support.low) else 0
    return Bound(stand, coef, side, is_open, start)


def one_run(job: Job) -> float:
    """Return the share of the objective that one run contributes."""
    return 1.0 / max(int(np.sum(job.batch.weight > 0)), 1)


def stand_of(law: Law, at: int, coef: float) -> float:
    """Return theta at which the coef at a place stands for its reported value, an edge of its support or a number."""
    support = law.supports[at]
    if coef == support.low:
        return -BEYOND
    if coef == support.high:
        return ALL_BUT_ONE if np.isfinite(support.high) else BEYOND
    return float(support.to_real(np.asarray(coef)))


def standing(law: Law, coefs: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return coefs (k, p) as points (k, p) on the real line, those at an edge where they are held; and which are there.

    points: (S, p), the grid of starts.
    """
    theta = np.stack([inside(law, dict(zip(law.names, own, strict=True)), points) for own in coefs])
    ends = np.array([(support.low, support.high) for support in law.supports])
    is_held = (law.chart is None) & ((coefs == ends[:, 0]) | (coefs == ends[:, 1]))  # coordinates of a law have no edge
    for lane, at in np.argwhere(is_held).tolist():
        theta[lane, at] = stand_of(law, at, coefs[lane, at])
    return theta, is_held


def inside(law: Law, coefs: Mapping[str, float], points: np.ndarray) -> np.ndarray:
    """Return coefs as a point (p,) on the real line from which a lane can start: those at an edge amid the grid.

    points: (S, p), the grid of starts. Near the edge a step would hardly lead away from it.
    """
    theta = np.median(points, axis=0)
    if law.chart is not None:
        found = law.coordinates.to_theta(law.vector(coefs))
        return found if np.isfinite(found).all() else theta
    for at, (name, support) in enumerate(zip(law.names, law.supports, strict=True)):
        if support.contains(coefs[name]):
            theta[at] = support.to_real(np.asarray(coefs[name]))
    return theta


def solve_held(
    job: Job,
    bound: Bound,
    replicate: np.ndarray,
    start: np.ndarray,
    scale: np.ndarray,
    clock: Clock,
    on_done: Callable[[int], None] = lambda count: None,
) -> Outcome:
    """Minimise every lane over the coefs that a bound does not hold.

    What stands for infinity is held where a lane begins. A lane is `at_bound` where the others form a strict minimum
    and no held coef would lower the objective by leaving its bound: the conditions of Karush, Kuhn and Tucker. It is
    `stalled` where one would; theta is then still the minimum with the coefs held, from where to go on. It is
    `singular` where the others can do all that one at an edge does, as in a resampled table that lost the runs which
    told them apart. One in which another coef went to a bound of its own is `stalled`, too: it belongs to the bound
    that holds both.   Source: Nocedal & Wright 2006, §12.3.
    """
    begun = np.where(bound.is_held & ~bound.stands_for_infinity, bound.stand, start)
    outcome = minimise_others(job, bound.is_held, replicate, begun, scale, clock, on_done)
    outcome.status[outcome.status == Status.AT_BOUND] = Status.STALLED
    found = np.flatnonzero(outcome.status == Status.CONVERGED)
    if len(found):
        minimised = (job.active > 0) & ~bound.is_held
        multipliers = multipliers_of(job, minimised, replicate[found], outcome.theta[found], clock)
        value = outcome.value[found][:, None]
        stays = bound.side * multipliers.multiplier >= -ROUNDING * multipliers.total
        stays |= bound.stands_for_infinity & (np.abs(multipliers.multiplier) <= UNCHANGED * value)
        is_near = np.abs(multipliers.multiplier) > REMAINING * one_run(job) * value
        stays &= ~(bound.stands_for_infinity & is_near)
        is_at_edge = (bound.side != 0) & ~bound.stands_for_infinity
        is_said = ~((multipliers.apart <= SPANNED) & (multipliers.effect > 0.0) & is_at_edge).any(axis=1)
        for at in np.flatnonzero(is_at_edge & (multipliers.effect == 0.0).any(axis=0)):
            flat = np.flatnonzero(multipliers.effect[:, at] == 0.0)
            lanes = found[flat]
            stays[flat, at] = is_least_at_flat(
                job, replicate[lanes], outcome.theta[lanes], int(at), int(bound.side[at]), clock
            )
        status = np.where(stays.all(axis=1), Status.AT_BOUND, Status.STALLED)
        outcome.status[found] = np.where(is_said, status, Status.SINGULAR)
    return outcome


def is_least_at_flat(
    job: Job, replicate: np.ndarray, theta: np.ndarray, at: int, side: int, clock: Clock
) -> np.ndarray:
    """Return where lanes (k,) with a coef at a flat edge do not fall where it begins to count, the others as they are.

    At such an edge all derivatives in a coef are zero, as those of exp(-P/gamma) at gamma = 0 are: its first effect,
    further in, stands for them. Where none is seen there, nothing is known, and the edge counts for none.   side: 1 for
    a lower edge, -1 for an upper one.
    """
    ways = side * INWARDS
    points = np.repeat(theta, len(ways) + 1, axis=0).reshape(len(theta), len(ways) + 1, -1)
    points[:, 1:, at] = ways
    values = lane_values(job, np.repeat(replicate, len(ways) + 1), points.reshape(-1, theta.shape[1]), clock)
    values = values.reshape(len(theta), -1)
    change = np.where(np.isfinite(values), values, np.inf)[:, 1:] / values[:, :1] - 1.0
    counts = np.cumsum(np.abs(change) > UNCHANGED, axis=1)
    first = (counts >= 1) & (counts <= BEGINNING)
    least: np.ndarray = first.any(axis=1) & ~(first & (change < -UNCHANGED)).any(axis=1)
    return least


def minimise_others(
    job: Job,
    is_held: np.ndarray,
    replicate: np.ndarray,
    start: np.ndarray,
    scale: np.ndarray,
    clock: Clock,
    on_done: Callable[[int], None] = lambda count: None,
) -> Outcome:
    """Return the minima of lanes over the coefs that are not held, (p,) bool; those that are stay where they start.

    Of the free ones a lane may be at the bound of another, as ever.
    """
    return solve_lanes(replace(job, active=np.where(is_held, 0.0, job.active)), replicate, start, scale, clock, on_done)

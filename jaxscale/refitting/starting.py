"""Replicates solved from the minima of others: from the candidate at which their own objective is lowest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.scheduler import Outcome, solve_lanes
from jaxscale.engine.starts import Candidates, Starts, candidates_of, most_candidates, starts_of
from jaxscale.fitting.bounds import Bound, one_run, solve_held
from jaxscale.fitting.optimum import surrogates_at
from jaxscale.fitting.settling import INSIDE
from jaxscale.refitting.setup import Setup
from jaxscale.solvers.surrogate import LEAST
from jaxscale.status import Status

FIRST_STEPS = 64
"""Evaluations of a replicate before it is tried at bounds: one on its way to infinity never ends."""
BRIEF_STEPS = 3
"""Evaluations from another descent's end before it is asked again whether that leads to another minimum."""
APART = 0.5
"""Distance, in standard deviations of the ensemble along its axes, from which a replicate may start from two of its
minima: nearer ones lead to the same end."""
SAME = 1e-3
"""Distance, in the same unit, below which two candidates are one."""
REMOVED = 0.4
"""Distance of the end of a descent from the minimum found, in standard errors, from which it may be another one: the
surrogate leaves half of the descents that have the same end within a fiftieth of that."""
CLOSE = 2e-3
"""Relative difference by which the surrogate may err about the end of a descent: nearly all err less."""
LOWER = 1e-10
"""Relative difference from which a minimum is lower: a thousand times the rounding of a sum."""
DIRECT = 1e-5
"""Relative difference by which a replicate must not end above the lowest candidate, which is priced in float32."""


@dataclass(frozen=True, eq=False)
class Pool:
    """Candidates that replicates start from; NumPy, but for what the device needs of them.

    theta: (K, p), a coef that is held standing where its bound says.   index: (K,), of the bound at which a candidate
    lies, INSIDE for none.   bounds: those.   frames: (K, p, p), of the candidates' surrogates.
    """

    theta: np.ndarray
    index: np.ndarray
    bounds: tuple[Bound, ...]
    frames: np.ndarray
    candidates: Candidates

    @classmethod
    def of(cls, setup: Setup, theta: np.ndarray, index: np.ndarray, bounds: Sequence[Bound], clock: Clock) -> Pool:
        """Return the pool of points (M, p), those before others first, as many as there is room for."""
        free = setup.job.active > 0
        away = _distances(theta[:, free], index)
        is_new = np.array([not (away[at, :at] < SAME).any() for at in range(len(theta))])
        kept = np.flatnonzero(is_new)[: most_candidates(setup.job)]
        theta, index, alike = theta[kept], index[kept], away[np.ix_(kept, kept)] < APART
        surrogates = surrogates_at(setup.job, theta, setup.fine, clock)
        candidates = candidates_of(setup.job, surrogates, index == INSIDE, alike, (setup.fine, setup.wide))
        return cls(theta, index, tuple(bounds), surrogates.frame, candidates)


def _distances(theta: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Return how far points (M, p) are from one another, along the axes of those inside, in standard deviations.

    Infinite between points at different bounds; where there are too few points inside for axes, 1 between any two.
    """
    count, is_inside = len(theta), index == INSIDE
    away = np.where(np.eye(count, dtype=bool), 0.0, 1.0)
    inside = theta[is_inside]
    if len(inside) >= 2 * theta.shape[1]:
        middle = np.median(inside, axis=0)
        low, high = np.quantile(inside, (0.16, 0.84), axis=0)
        width = np.where(high > low, high - low, np.inf) / 2.0
        known = np.clip((theta - middle) / width, -9.0, 9.0)
        near = np.clip(known[is_inside], -3.0, 3.0)  # a few minima far away must not turn the axes
        spread, axes = np.linalg.svd(near, full_matrices=False)[1:]
        if spread[0] > 0.0:  # without noise every minimum is the same point
            turned = known @ axes.T / np.maximum(spread, 1e-3 * spread[0]) * np.sqrt(len(inside))
            away = np.sqrt(np.sum((turned[:, None] - turned[None]) ** 2, axis=2))
    return np.where(index[:, None] == index[None], away, np.inf)


def solve(
    setup: Setup,
    pool: Pool,
    replicate: np.ndarray,
    clock: Clock,
    on_done: Callable[[int], None] = lambda count: None,
) -> tuple[Outcome, np.ndarray]:
    """Return the outcomes of replicates (k,), and the index of the bound at which each lies, INSIDE for none.

    Each is solved from the end of the surrogate's descent from the candidate of the lowest price, or held at the bound
    at which that candidate lies; and once more from every other descent that seems to end in another minimum that may
    be lower. One that failed, or ended above its lowest candidate, starts there without the surrogate. After that no
    candidate is lower than what a usable replicate found.
    """
    starts, count = starts_of(setup.job, pool.candidates, replicate, clock), len(replicate)
    outcome = Outcome(
        starts.theta[:, 0].copy(),
        np.full(count, np.nan),
        np.full(count, Status.STALLED, np.int8),
        np.zeros(count, np.int32),
    )
    index = np.full(count, INSIDE)
    at_bound = pool.index[starts.chosen[:, -1]]
    for at, bound in enumerate(pool.bounds):
        lanes = np.flatnonzero((starts.price[:, -1] < starts.price[:, 0]) & (at_bound == at))
        if len(lanes):
            start = pool.theta[starts.chosen[lanes, -1]]
            held = solve_held(setup.job, bound, replicate[lanes], start, np.full(len(lanes), setup.fine), clock)
            _take(outcome, lanes, held)
            index[lanes[held.status == Status.AT_BOUND]] = at
    job = replace(setup.job, max_steps=min(FIRST_STEPS, setup.job.max_steps))

    def moved(lanes: np.ndarray, start: np.ndarray, damping: float | None = LEAST) -> Outcome:
        return solve_lanes(job, replicate[lanes], start, np.full(len(lanes), setup.fine), clock, damping=damping)

    lanes = np.flatnonzero(index == INSIDE)
    on_done(count - len(lanes))
    if len(lanes):
        scale = np.full(len(lanes), setup.fine)
        first = solve_lanes(job, replicate[lanes], starts.theta[lanes, 0], scale, clock, on_done, LEAST)
        _take(outcome, lanes, first)
    _visit_others(setup, pool, starts, replicate, outcome, index, clock)
    lowest = np.where(np.isfinite(starts.price[:, 0]), starts.price[:, 0], np.inf) * (1 + DIRECT) + setup.floor
    is_usable = outcome.status <= Status.AT_BOUND
    lanes = np.flatnonzero(np.isfinite(lowest) & (~is_usable | (outcome.value > lowest)) & (index == INSIDE))
    if len(lanes):
        again = moved(lanes, pool.theta[starts.chosen[lanes, 0]], None)
        better = (again.status <= Status.AT_BOUND) | (again.value < outcome.value[lanes])
        _take(outcome, lanes[better], Outcome(*(part[better] for part in again)))
        outcome.steps[lanes[~better]] += again.steps[~better]
    return outcome, index


def _take(outcome: Outcome, lanes: np.ndarray, again: Outcome) -> None:
    """Write what lanes came to into the outcome, and add their evaluations to it."""
    outcome.steps[lanes] += again.steps
    for mine, other in zip((outcome.theta, outcome.value, outcome.status), again, strict=False):
        mine[lanes] = other


def _visit_others(
    setup: Setup,
    pool: Pool,
    starts: Starts,
    replicate: np.ndarray,
    outcome: Outcome,
    index: np.ndarray,
    clock: Clock,
) -> None:
    """Go on from further descents that seem to end in another minimum that may be lower, and keep what is lower.

    First briefly: most then prove to be on their way to the minimum that is known. Where rho has no threshold there is
    one basin, and a lane inside has no others. `outcome` and `index` change in place.
    """
    is_inside = (index == INSIDE)[:, None]
    value = np.where(outcome.status <= Status.AT_BOUND, outcome.value, -np.inf)[:, None]
    may = starts.value < np.where(is_inside, value * (1 + CLOSE), value)
    may[:, 0] &= ~is_inside[:, 0]
    if not setup.has_basins:
        may &= ~is_inside
    lanes, place = np.nonzero(may)
    theta, chosen = starts.theta[lanes, place], starts.chosen[lanes, place]
    before = outcome.value.copy()
    for most in (BRIEF_STEPS, FIRST_STEPS):
        apart = _is_apart(setup, pool.frames[chosen], theta - outcome.theta[lanes], outcome.value[lanes])
        lanes, theta, chosen = lanes[apart], theta[apart], chosen[apart]
        if not len(lanes):
            break
        job, scale = replace(setup.job, max_steps=most), np.full(len(lanes), setup.fine)
        again = solve_lanes(job, replicate[lanes], theta, scale, clock, damping=LEAST)
        keep_lower(outcome, lanes, again, setup.floor)
        goes_on = (again.status == Status.MAX_STEPS) & (again.value < outcome.value[lanes] * (1 + CLOSE))
        lanes, theta, chosen = lanes[goes_on], again.theta[goes_on], chosen[goes_on]
    index[outcome.value < before] = INSIDE


def _is_apart(setup: Setup, frame: np.ndarray, step: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return which steps (k, p) from minima of this value (k,) lead away from them, in frames (k, p, p)."""
    error = np.sqrt(2.0 * value * one_run(setup.job))
    with np.errstate(all="ignore"):
        length = np.max(np.abs(np.linalg.solve(frame, step[:, :, None])[:, :, 0]), axis=1)
    return ~(length < REMOVED * error)


def keep_lower(outcome: Outcome, lanes: np.ndarray, again: Outcome, floor: float) -> None:
    """Write what is lower into the lanes that were solved again, where a lane was usable before and again.

    floor: a difference that is rounding.
    """
    np.add.at(outcome.steps, lanes, again.steps)
    is_usable = (again.status <= Status.AT_BOUND) & (outcome.status[lanes] <= Status.AT_BOUND)
    here = np.where(is_usable, outcome.value[lanes], 0.0)
    gain = here - np.where(is_usable, again.value, 0.0)
    rising = np.argsort(gain, kind="stable")  # of several writes to one place the last stays
    better = rising[(gain > LOWER * here + floor)[rising]]
    for mine, other in zip((outcome.theta, outcome.value, outcome.status), again, strict=False):
        mine[lanes[better]] = other[better]

"""Replicates started again: failed ones at bounds and at minima of others, usable ones in lower basins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.data import chunks
from jaxscale.engine.job import Job
from jaxscale.engine.scheduler import Outcome, solve_lanes
from jaxscale.fitting.bounds import SAME_MINIMUM, Bound
from jaxscale.fitting.multipliers import Place, values_at_points
from jaxscale.fitting.settling import Settling
from jaxscale.refitting.setup import Setup
from jaxscale.status import Status

MOST_LOOKS = 12
"""Failed replicates from which bounds are looked for: a table may have several kinds of them."""
JITTER = 0.1
"""Standard deviation, on the real line, of the start beside the point fit."""
NEIGHBOURS = 64
"""Minima of other replicates that a failed one is measured at."""
TRIES = 3
"""Of those, and of the law's own starts, how many it begins from, the lowest first."""

BLOCK = 1024
"""Replicates whose distances to the survey are held in memory at a time."""
DISTANCES = ((0.5, 3.0), (0.15, 0.7))
"""How far along the ensemble's longest axis, in its standard deviations, the minima lie that a replicate starts
from."""
LOWER = 1e-10
"""Relative difference from which a minimum is lower: a thousand times the rounding of a sum."""


def settling_of(setup: Setup, outcome: Outcome, replicate: np.ndarray, clock: Clock) -> Settling:
    """Return replicates (k,) that were solved from the point fit, ready to be told where they lie.

    `outcome` changes in place. Where the point fit lies at a bound, they were held there, and those whose objective
    falls away from it go on with every coef free.
    """
    middle = np.median(setup.grid, axis=0)
    settling = Settling(setup.fit.law, setup.job, outcome, replicate, middle, setup.scale, clock)
    if setup.bound is not None:
        settling.bounds.append(setup.bound)
        settling.index[outcome.status == Status.AT_BOUND] = 0
        leave_bound(setup, outcome, replicate, clock)
    return settling


def leave_bound(setup: Setup, outcome: Outcome, replicate: np.ndarray, clock: Clock) -> None:
    """Go on, with every coef free, in replicates (k,) that failed while some were held at the bound of the point fit.

    Each begins at the point fit or at that of the law's own starts at which its objective is lowest.
    """
    lost = _lost(outcome)
    if setup.bound is None or not len(lost):
        return
    points = np.concatenate([setup.theta[None], setup.grid])
    start = points[_order(setup.job, replicate[lost], points, clock)[:, 0]]
    again = solve_lanes(setup.job, replicate[lost], start, np.zeros(len(lost)), clock)
    outcome.steps[lost] += again.steps
    for mine, other in zip((outcome.theta, outcome.value, outcome.status), again, strict=False):
        mine[lost] = other


def rescue(settling: Settling, setup: Setup, minima: np.ndarray) -> None:
    """Start every failed replicate again, and keep what is usable and no higher than where it stood.

    minima: (K, p), of other replicates.

    A failed one is tried at every known bound and at those near the point fit, goes on for longer, and begins from
    those of the minima of others, of the point fit and of the law's starts at which its own objective is lowest. Where
    bounds may still be found, in a survey, they are looked for around the failed ones, too. One that is degenerate is
    left alone: no start gives it more rows.
    """
    outcome, fit, job = settling.outcome, setup.fit, setup.job
    if not len(_lost(outcome)):
        return
    _hold_all(settling, settling.bounds)
    settling.look(Place(setup.theta, -1, fit.value, job.batch.weight, settling.middle), _lost(outcome))
    _look_around(settling)
    settling.go_on(_lost(outcome))
    if not len(_lost(outcome)):
        return
    beside = setup.theta + JITTER * np.random.default_rng(job.seed).standard_normal(len(setup.theta)) * job.active
    _try_lowest(settling, np.concatenate([minima, np.stack([*setup.places, beside]), setup.grid]))
    _hold_all(settling, settling.bounds)
    _look_around(settling)
    settling.go_on(_lost(outcome))


def _hold_all(settling: Settling, bounds: Iterable[Bound]) -> None:
    for bound in tuple(bounds):
        settling.hold(bound, _lost(settling.outcome))


def _look_around(settling: Settling) -> None:
    """Find bounds near failed replicates, and bring all failed ones there that belong there."""
    outcome, looked = settling.outcome, set()
    for _ in range(MOST_LOOKS if settling.may_find else 0):
        lost = _lost(outcome)
        near = [lane for lane in lost.tolist() if np.isfinite(outcome.value[lane]) and lane not in looked]
        if not near:
            return
        looked.add(near[0])
        settling.look(settling.place(near[0]), lost)


def _lost(outcome: Outcome) -> np.ndarray:
    """Return the replicates that failed and that another start might save, as places in the outcome."""
    return np.flatnonzero((outcome.status > Status.AT_BOUND) & (outcome.status != Status.DEGENERATE))


def _order(job: Job, replicate: np.ndarray, points: np.ndarray, clock: Clock) -> np.ndarray:
    """Return the places (k, K) in points (K, p), those first at which a replicate's own objective is lowest."""
    value = values_at_points(job, replicate, points, clock)
    order: np.ndarray = np.argsort(np.where(np.isfinite(value), value, np.inf), axis=1, kind="stable")
    return order


def _try_lowest(settling: Settling, points: np.ndarray) -> None:
    """Start every failed replicate from those of some points (K, p) at which its objective is lowest."""
    lost = _lost(settling.outcome)
    order = _order(settling.job, settling.replicate[lost], points, settling.clock)
    chosen = dict(zip(lost.tolist(), order, strict=True))
    for turn in range(min(TRIES, len(points))):
        lanes = _lost(settling.outcome).tolist()
        if lanes:
            _try(settling, np.array([points[chosen[lane][turn]] for lane in lanes]))


def _try(settling: Settling, start: np.ndarray) -> None:
    """Start every failed replicate from its start (k, p); keep what is no higher than where it stood, usable or not."""
    lost, before = _lost(settling.outcome), settling.copy()
    again = solve_lanes(settling.job, settling.replicate[lost], start, np.zeros(len(lost)), settling.clock)
    settling.keep(lost, again)
    settling.settle_moved(before)


def find_lower_basins(
    setup: Setup, basins: np.ndarray, outcome: Outcome, replicate: np.ndarray, is_fresh: np.ndarray, clock: Clock
) -> None:
    """Start every usable replicate (k,) again from other places, and keep what is lower; `outcome` changes in place.

    basins: (K, p), the minima of the survey's replicates.   is_fresh: (k,) bool, those that have not been solved from
    the wide scale.

    A rho function with a small threshold makes several minima along the valley of coefs that predict alike. The other
    places are the point fit at the wide scale, and the survey's own minima, the nearest ones further up and further
    down that valley. It proves nothing: what lies lower still is missed.
    """
    usable = np.flatnonzero(outcome.status <= Status.AT_BOUND)
    beyond = usable[is_fresh[usable]]
    if len(beyond):
        start, wide = np.tile(setup.theta, (len(beyond), 1)), np.full(len(beyond), setup.wide)
        keep_lower(outcome, beyond, solve_lanes(setup.warm, replicate[beyond], start, wide, clock), setup.floor)
    places = list(_neighbours(basins, outcome.theta[usable]))
    visitor = usable[np.concatenate([some for some, _ in places])] if places else usable[:0]
    if len(visitor):  # in one call: lanes that take long are regrouped among the rest
        start, narrow = np.concatenate([where for _, where in places]), np.full(len(visitor), setup.scale)
        keep_lower(outcome, visitor, solve_lanes(setup.job, replicate[visitor], start, narrow, clock), setup.floor)


def keep_lower(outcome: Outcome, lanes: np.ndarray, again: Outcome, floor: float) -> bool:
    """Write what is lower into the lanes that were solved again; return whether any of them found a second minimum.

    floor: a difference that is rounding.   A lane counts where it was usable before and again.
    """
    np.add.at(outcome.steps, lanes, again.steps)
    is_usable = (again.status <= Status.AT_BOUND) & (outcome.status[lanes] <= Status.AT_BOUND)
    here = np.where(is_usable, outcome.value[lanes], 0.0)
    gain = here - np.where(is_usable, again.value, 0.0)
    rising = np.argsort(gain, kind="stable")  # of several writes to one place the last stays
    better = rising[(gain > LOWER * here + floor)[rising]]
    for mine, other in zip((outcome.theta, outcome.value, outcome.status), again, strict=False):
        mine[lanes[better]] = other[better]
    return bool(np.any(np.abs(gain) > SAME_MINIMUM * here + floor))


def _neighbours(minima: np.ndarray, points: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield, per distance and direction, which points have a neighbour there and the nearest one (k, p)."""
    if len(minima) < 2 * minima.shape[1]:
        return
    middle = np.median(minima, axis=0)
    low, high = np.quantile(minima, (0.16, 0.84), axis=0)
    width = np.where(high > low, high - low, np.inf) / 2.0
    known = np.clip((minima - middle) / width, -3.0, 3.0)  # a few minima far away must not turn the axes
    spread, axes = np.linalg.svd(known, full_matrices=False)[1:]
    if spread[0] == 0.0:  # noiseless runs: every minimum is the same point
        return
    turn = axes.T / np.maximum(spread, 1e-3 * spread[0]) * np.sqrt(len(minima))
    mine, theirs = (np.clip((where - middle) / width, -9.0, 9.0) @ turn for where in (points, minima))
    for near, far in DISTANCES:
        for sign in (1.0, -1.0):
            parts = [_nearest(mine[part], theirs, sign, near, far) for part in chunks(len(mine), BLOCK)]
            nearest = np.concatenate(parts) if parts else np.zeros(0, int)
            some = np.flatnonzero(nearest >= 0)
            yield some, minima[nearest[some]]


def _nearest(mine: np.ndarray, theirs: np.ndarray, sign: float, near: float, far: float) -> np.ndarray:
    """Return which of theirs (K, p) is nearest to each of mine (k, p) in that direction, -1 where none is there."""
    along = sign * (theirs[None, :, 0] - mine[:, None, 0])
    apart = np.where((along > near) & (along < far), np.sum((theirs[None] - mine[:, None]) ** 2, axis=2), np.inf)
    nearest: np.ndarray = np.where(np.isfinite(apart.min(axis=1)), apart.argmin(axis=1), -1)
    return nearest

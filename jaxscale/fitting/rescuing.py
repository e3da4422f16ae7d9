"""Replicates that failed, started again: at bounds, at the minima of others, and where the law begins."""

from __future__ import annotations

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.scheduler import Job, Outcome, solve
from jaxscale.fitting.bounds import Bound
from jaxscale.fitting.multipliers import multipliers_of
from jaxscale.fitting.places import Place
from jaxscale.fitting.settling import Settling
from jaxscale.status import Status

MOST_LOOKS = 12
"""Failed replicates from which bounds are looked for: a table may have several kinds of them."""
JITTER = 0.1
"""Standard deviation, on the real line, of the start beside the point fit."""
NEIGHBOURS = 64
"""Minima of other replicates that a failed one is measured at."""
TRIES = 3
"""Of those, and of the law's own starts, how many it begins from, the lowest first."""


def rescue(settling: Settling, value: float, places: list[np.ndarray], grid: np.ndarray, first: int) -> None:
    """Start every failed replicate again, and keep what is usable and no higher than where it stood.

    value: the objective of the point fit.   places: theta (p,) of the point fit and of its other minima.   grid:
    (S, p), the law's own starts.   first: how many replicates, the first, show the others where bounds and minima are,
    so that no replicate depends on how many there are.

    A failed one is tried at every bound that is found near the point fit or near a failed one, goes on for longer, and
    begins from those of the minima of others, of the places and of the law's starts at which its own objective is
    lowest. What is still on its way is tried at the bounds near the lowest point that it reached. One that is
    degenerate is left alone: no start gives it more rows.
    """
    outcome, job = settling.outcome, settling.job
    if not len(_lost(outcome)):
        return
    settling.look(Place(places[0], -1, value, job.batch.weight, settling.middle), _lost(outcome))
    _look_around(settling, first)
    settling.go_on(_lost(outcome))
    if not len(_lost(outcome)):
        return
    of_others = np.flatnonzero(outcome.status[:first] == Status.CONVERGED)[:NEIGHBOURS]
    beside = places[0] + JITTER * np.random.default_rng(job.seed).standard_normal(len(places[0])) * job.active
    _try_lowest(settling, np.concatenate([outcome.theta[of_others], np.stack([*places, beside]), grid]))
    for bound in tuple(settling.bounds):
        settling.hold(bound, _lost(outcome))
    _look_around(settling, first)
    settling.go_on(_lost(outcome))


def _look_around(settling: Settling, first: int) -> None:
    """Find bounds near failed replicates, of the first ones, and bring all failed ones there that belong there."""
    outcome, looked = settling.outcome, set()
    for _ in range(MOST_LOOKS):
        lost = _lost(outcome)
        near = [lane for lane in lost.tolist() if lane < first and np.isfinite(outcome.value[lane])]
        near = [lane for lane in near if lane not in looked]
        if not near:
            return
        looked.add(near[0])
        settling.look(settling.place(near[0]), lost)


def leave(job: Job, bound: Bound, outcome: Outcome, points: np.ndarray, clock: Clock) -> None:
    """Go on, with every coef free, in the replicates where one of those that were held would lower the objective.

    points: (K, p), where they may begin: where the objective is lowest.
    """
    lost = _lost(outcome)
    if len(lost):
        start = points[_order(job, lost, points, clock)[:, 0]]
        again = solve(job, lost, start, np.zeros(len(lost)), clock)
        outcome.steps[lost] += again.steps
        for mine, other in zip((outcome.theta, outcome.value, outcome.status), again, strict=False):
            mine[lost] = other


def _lost(outcome: Outcome) -> np.ndarray:
    """Return the replicates that failed and that another start might save."""
    return np.flatnonzero((outcome.status > Status.AT_BOUND) & (outcome.status != Status.DEGENERATE))


def _order(job: Job, replicate: np.ndarray, points: np.ndarray, clock: Clock) -> np.ndarray:
    """Return the places (k, K) in points (K, p), those first at which a replicate's own objective is lowest."""
    nothing, every = np.full(points.shape[1], False), np.tile(points, (len(replicate), 1))
    value = multipliers_of(job, nothing, np.repeat(replicate, len(points)), every, clock).value.reshape(
        len(replicate), -1
    )
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
    settling.keep(lost, solve(settling.job, lost, start, np.zeros(len(lost)), settling.clock))
    settling.settle_moved(before)

"""Lower basins: on a resampled table the lowest minimum is not always the one nearest the point fit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from jaxscale.engine.batches import chunks
from jaxscale.engine.compiling import Clock
from jaxscale.engine.scheduler import Job, Outcome, solve
from jaxscale.fitting.bounds import SAME_MINIMUM
from jaxscale.status import Status

SURVEY = 256
"""Replicates, the first, that look for other basins; the others look only where one of these finds any."""
WIDE = 3.0
"""First scale of a lane that looks for other basins, in units of the point fit's mean absolute residual: so wide that
few basins are left. Ten times as wide finds no more of them, in a third more evaluations; a third as wide finds
fewer."""
BLOCK = 1024
"""Replicates whose distances to the survey are held in memory at a time."""
DISTANCES = ((0.5, 3.0), (0.15, 0.7))
"""How far along the ensemble's longest axis, in its standard deviations, the minima lie that a replicate starts
from."""
LOWER = 1e-10
"""Relative difference from which a minimum is lower: a thousand times the rounding of a sum."""


def find_lower_basins(
    job: Job, warm: Job, theta: np.ndarray, scales: tuple[float, float], outcome: Outcome, survey: Outcome, clock: Clock
) -> None:
    """Keep what the survey found lower; where it found a second minimum, start every usable replicate again.

    warm: the job with the surrogate around theta (p,), the point fit, as the survey had it.   scales: the first scale
    of a replicate, and the wide one of a survey lane.   survey: the first lanes of the outcome once more, from the wide
    scale. What is lower is written into the outcome, for replicates that are usable.

    A rho function with a small threshold makes several minima along the valley of coefs that predict alike. The other
    places are the point fit at the wide scale, and the survey's own minima, the nearest ones further up and further
    down that valley. It proves nothing: what lies lower still is missed. The survey is always the first SURVEY
    lanes, which the caller supplies however few it was asked for, so that replicate r depends on the seed and r alone.
    """
    floor = job.batch.rounding**2 * float(np.sum(job.batch.weight))  # the objective of rounding alone
    first = np.arange(len(survey.value))
    if not keep_lower(outcome, first, survey, floor):
        return
    minima = outcome.theta[first[outcome.status[first] == Status.CONVERGED]]
    usable = np.flatnonzero(outcome.status <= Status.AT_BOUND)
    narrow, wide = scales
    beyond = usable[usable >= len(first)]
    if len(beyond):
        start = np.tile(theta, (len(beyond), 1))
        keep_lower(outcome, beyond, solve(warm, beyond, start, np.full(len(beyond), wide), clock), floor)
    places = list(_neighbours(minima, outcome.theta[usable]))
    visitor = usable[np.concatenate([some for some, _ in places])] if places else usable[:0]
    if len(visitor):  # in one call: lanes that take long are regrouped among the rest
        start = np.concatenate([where for _, where in places])
        keep_lower(outcome, visitor, solve(job, visitor, start, np.full(len(visitor), narrow), clock), floor)


def keep_lower(outcome: Outcome, lanes: np.ndarray, again: Outcome, floor: float) -> bool:
    """Write what is lower into the lanes that were solved again; return whether any of them found a second minimum.

    floor: a difference that says nothing.   A lane counts where it was usable before and again.
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

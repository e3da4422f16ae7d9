"""Lower basins: on a resampled table the lowest minimum is not always the one nearest the point fit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.data import chunks
from jaxscale.engine.scheduler import Outcome, solve
from jaxscale.fitting.bounds import SAME_MINIMUM
from jaxscale.refitting.setup import Setup
from jaxscale.status import Status

BLOCK = 1024
"""Replicates whose distances to the survey are held in memory at a time."""
DISTANCES = ((0.5, 3.0), (0.15, 0.7))
"""How far along the ensemble's longest axis, in its standard deviations, the minima lie that a replicate starts
from."""
LOWER = 1e-10
"""Relative difference from which a minimum is lower: a thousand times the rounding of a sum."""


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
        keep_lower(outcome, beyond, solve(setup.warm, replicate[beyond], start, wide, clock), setup.floor)
    places = list(_neighbours(basins, outcome.theta[usable]))
    visitor = usable[np.concatenate([some for some, _ in places])] if places else usable[:0]
    if len(visitor):  # in one call: lanes that take long are regrouped among the rest
        start, narrow = np.concatenate([where for _, where in places]), np.full(len(visitor), setup.scale)
        keep_lower(outcome, visitor, solve(setup.job, replicate[visitor], start, narrow, clock), setup.floor)


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

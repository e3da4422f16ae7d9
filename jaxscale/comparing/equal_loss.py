"""The compute at which one recipe reaches the loss of another, in every replicate."""

from __future__ import annotations

import numpy as np

REACH = 1000.0
"""Times a budget, either way, within which the compute for an equal loss is looked for."""
PER_FOLD = 7
"""Budgets of the curve in every factor of e of compute: a cubic spline then errs by less than 1e-9 of the loss."""
HALVINGS = 60


def grid_of(budgets: np.ndarray) -> np.ndarray:
    """Return the budgets (g,) of the curve on which equal losses are looked for."""
    low, high = float(budgets.min()) / REACH, float(budgets.max()) * REACH
    return np.geomspace(low, high, 1 + int(np.ceil(PER_FOLD * np.log(high / low))))


def compute_at(flops: np.ndarray, losses: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return ln of the compute (k, b) at which curves of losses (k, g) over flops (g,) come down to `wanted` (k, b).

    Infinite where a curve ends above, -infinite where it begins below, NaN for a curve that is not finite.
    """
    from scipy.interpolate import CubicSpline

    place, found = np.log(flops), np.full(wanted.shape, np.nan)
    sound = np.flatnonzero(np.isfinite(losses).all(axis=1))
    if not len(sound):
        return found
    curves, own = losses[sound], wanted[sound]
    after = np.clip(np.sum(curves[:, :, None] > own[:, None, :], axis=1), 1, len(place) - 1)
    pieces = CubicSpline(place, curves, axis=1).c[:, after - 1, np.arange(len(sound))[:, None]]  # (4, k, b)
    low, high = np.zeros(own.shape), np.diff(place)[after - 1]
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        height = np.zeros(own.shape)
        for coef in pieces:
            height = height * middle + coef
        low, high = np.where(height > own, middle, low), np.where(height > own, high, middle)
    inside = place[after - 1] + 0.5 * (low + high)
    ends = np.where(own < curves[:, -1:], np.inf, np.where(own > curves[:, :1], -np.inf, inside))
    found[sound] = np.where(np.isnan(own), np.nan, ends)
    return found

"""Where a profile is lowest: by a parabola, a local one, a cubic or Akima's curve in ln N, for many replicates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
from scipy.interpolate import Akima1DInterpolator

from jaxscale.errors import UsageError
from jaxscale.registry import unknown

Method: TypeAlias = Literal["parabola", "local", "cubic", "akima"]
METHODS: tuple[Method, ...] = ("parabola", "local", "cubic", "akima")

WINDOW = 0.06
"""Runs within this share of the lowest loss enter a local parabola."""
PER_INTERVAL = 25
"""Points between two sizes at which an interpolated curve is looked at.   Source: Porian et al. 2024, its code."""

FOUND, TOO_FEW, CURVED_DOWN, NOT_BRACKETED = range(4)
REASONS = ("", "too few sizes", "no minimum: the curve does not open upwards", "minimum not between measured sizes")


def minima(
    log_params: np.ndarray, loss: np.ndarray, weight: np.ndarray, method: Method
) -> tuple[np.ndarray, np.ndarray]:
    """Return ln N at the minimum (R,), NaN where there is none, and the index of the reason in REASONS (R,).

    log_params: (m,), rising.   loss: (R, m) or (1, m), nats per token.   weight: (R, m) or (1, m), ≥ 0; a run of weight
    zero is absent. A minimum counts only where the curve opens upwards there and the place lies between the sizes that
    are present: it is bracketed.   Raises UsageError for an unknown method.
    """
    if method not in METHODS:
        raise UsageError(unknown("method", str(method), METHODS))
    loss, weight = np.broadcast_arrays(np.atleast_2d(loss), np.atleast_2d(weight))
    is_there = weight > 0
    if method == "local":
        lowest = np.where(is_there, loss, np.inf).min(axis=1, keepdims=True)
        weight = np.where(loss <= lowest * (1.0 + WINDOW), weight, 0.0)
    sizes = _sizes(log_params, weight > 0)
    smallest = np.where(is_there, log_params, np.inf).min(axis=1)
    largest = np.where(is_there, log_params, -np.inf).max(axis=1)
    find: Callable[..., tuple[np.ndarray, np.ndarray]] = _interpolated if method == "akima" else _fitted
    has_enough = sizes >= (4 if method == "cubic" else 3)
    place, is_up = find(log_params, loss, np.where(has_enough[:, None], weight, 0.0), 3 if method == "cubic" else 2)
    is_inside = (place > smallest) & (place < largest)
    reason = np.select([~has_enough, ~is_up, ~is_inside], [TOO_FEW, CURVED_DOWN, NOT_BRACKETED])
    return np.where(reason == FOUND, place, np.nan), reason


def _sizes(log_params: np.ndarray, is_there: np.ndarray) -> np.ndarray:
    """Return how many different sizes are present (R,)."""
    first = np.flatnonzero(np.r_[True, np.diff(log_params) > 0])
    count: np.ndarray = np.logical_or.reduceat(is_there, first, axis=1).sum(axis=1)
    return count


def _fitted(x: np.ndarray, y: np.ndarray, weight: np.ndarray, degree: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the minimum (R,) of the weighted least-squares polynomial, and whether it has one."""
    half = max(0.5 * (x[-1] - x[0]), 1e-300)
    middle = 0.5 * (x[0] + x[-1])
    powers = ((x - middle) / half) ** np.arange(2 * degree + 1)[:, None]
    moments = weight @ powers.T
    right = (weight * (y - y.mean(axis=1, keepdims=True))) @ powers[: degree + 1].T
    place = np.arange(degree + 1)
    matrix = moments[:, place[:, None] + place]
    is_empty = moments[:, 0] == 0
    matrix[is_empty] = np.eye(degree + 1)
    with np.errstate(all="ignore"):
        coefs = np.linalg.solve(matrix + 0.0, right[..., None])[..., 0]
        b, c, d = coefs[:, 1], coefs[:, 2], coefs[:, 3] if degree == 3 else np.zeros(len(coefs))
        root = c**2 - 3 * b * d
        # of both ends of b + 2 c z + 3 d z² = 0 the one where the curve opens upwards, written without cancellation
        z = -b / (c + np.sqrt(root)) if degree == 3 else -b / (2 * c)
        is_up = (root > 0) & ((c > 0) if degree == 2 else (c + 3 * d * z > 0))
    return middle + half * z, is_up & ~is_empty


def _interpolated(x: np.ndarray, loss: np.ndarray, weight: np.ndarray, _: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the minimum (R,) of the interpolated ln loss over ln N, runs of one size taken together."""
    place, is_up = np.full(len(weight), np.nan), np.zeros(len(weight), bool)
    first = np.flatnonzero(np.r_[True, np.diff(x) > 0])
    total = np.add.reduceat(weight, first, axis=1)
    with np.errstate(invalid="ignore"):
        curve = np.add.reduceat(weight * np.log(loss), first, axis=1) / total
    patterns, which = np.unique(total > 0, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        lanes = np.flatnonzero(which.ravel() == number)
        if pattern.sum() >= 3:
            place[lanes], is_up[lanes] = _lowest(x[first][pattern], curve[np.ix_(lanes, pattern)])
    return place, is_up


def _lowest(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest point (R,) of curves through y (R, m): of a fine grid, then of the parabola beside it."""
    grid = np.linspace(x[0], x[-1], (len(x) - 1) * PER_INTERVAL)
    found = Akima1DInterpolator(x, y, axis=1)(grid)
    best = found.argmin(axis=1)
    is_inside = (best > 0) & (best < len(grid) - 1)
    middle = np.clip(best, 1, len(grid) - 2)
    lane = np.arange(len(y))
    left, here, right = (found[lane, middle + step] for step in (-1, 0, 1))
    bend = left - 2 * here + right
    shift = np.where(bend > 0, 0.5 * (left - right) / np.where(bend > 0, bend, 1.0), 0.0)
    place = np.where(is_inside, grid[middle] + np.clip(shift, -1, 1) * (grid[1] - grid[0]), grid[best])
    return place, np.ones(len(y), bool)

"""Akima's interpolation: a smooth curve through points that does not swing where one of them is off."""

from __future__ import annotations

import numpy as np

FLAT = 1e-9
"""Change of slope, relative to the largest, below which both neighbours count alike."""


def akima(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the values (R, k), at (k,) inside the range of x, of the curves through y (R, m) at rising x (m,), m ≥ 3.

    Piecewise cubic, once continuously differentiable.   Source: Akima 1970, Journal of the ACM 17(4).
    """
    width = np.diff(x)
    inner = np.diff(y, axis=1) / width
    left, right = inner[:, :2], inner[:, -2:]
    before = 2 * left[:, 0] - left[:, 1]
    after = 2 * right[:, 1] - right[:, 0]
    ends = (2 * before - left[:, 0], before), (after, 2 * after - right[:, 1])
    slopes = np.concatenate([np.stack(ends[0], 1), inner, np.stack(ends[1], 1)], axis=1)
    change = np.abs(np.diff(slopes, axis=1))
    ahead, behind = change[:, 2:], change[:, :-2]
    both = ahead + behind
    is_flat = both <= FLAT * both.max(axis=1, keepdims=True)
    mean = 0.5 * (slopes[:, 1:-2] + slopes[:, 2:-1])
    safe = np.where(is_flat, 1.0, both)
    tangent = np.where(is_flat, mean, (ahead * slopes[:, 1:-2] + behind * slopes[:, 2:-1]) / safe)
    place = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    step, size = at - x[place], width[place]
    start, end, rise = tangent[:, place], tangent[:, place + 1], inner[:, place]
    square, cube = (3 * rise - 2 * start - end) / size, (start + end - 2 * rise) / size**2
    result: np.ndarray = y[:, place] + step * (start + step * (square + step * cube))
    return result

"""Student's distribution on the host: its upper tail and its quantiles, also far out, where a normal one ends."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

ROUNDS = 300
TINY = 1e-300
NORMAL = 1e7
"""Degrees of freedom from which the distribution counts as normal."""


def tail(value: ArrayLike, dof: float) -> np.ndarray:
    """Return P(T > value) for value ≥ 0 of any shape, to 1e-12 relative; dof: positive, inf for the normal one.

    Source: the incomplete beta function, ½ I_x(dof/2, ½) at x = dof / (dof + t²); DLMF 8.17.22 for its fraction.
    """
    size = np.asarray(value, dtype=np.float64)
    if dof >= NORMAL:
        return np.asarray(0.5 * np.vectorize(math.erfc, otypes=[np.float64])(size / math.sqrt(2.0)))
    first, second = 0.5 * dof, 0.5
    with np.errstate(over="ignore"):
        ratio = size * size / dof
    share, rest = 1.0 / (1.0 + ratio), ratio / (1.0 + ratio)
    is_near = share < (first + 1.0) / (first + second + 2.0)  # where the fraction of I_x(a, b) converges fast
    both = np.empty_like(size)
    both[is_near] = _beta(share[is_near], rest[is_near], first, second)
    both[~is_near] = 1.0 - _beta(rest[~is_near], share[~is_near], second, first)
    return 0.5 * both


def quantile(level: float, dof: float) -> float:
    """Return the value that |T| exceeds with probability 1 - level: 12.7 for 0.95 and one degree of freedom."""
    beyond, low, high = 0.5 * (1.0 - level), 0.0, 1.0
    while float(tail(high, dof)) > beyond:
        low, high = high, 2.0 * high
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if float(tail(middle, dof)) > beyond else (low, middle)
    return 0.5 * (low + high)


def _beta(x: np.ndarray, rest: np.ndarray, a: float, b: float) -> np.ndarray:
    """Return I_x(a, b) by its continued fraction; rest: 1 - x, without cancellation."""
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    with np.errstate(divide="ignore"):
        front = np.exp(front + a * np.log(x) + b * np.log(rest)) / a
    c, d = np.ones_like(x), 1.0 / _away(1.0 - (a + b) * x / (a + 1.0))
    fraction = d.copy()
    for m in range(1, ROUNDS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for part in (even, odd):
            d, c = 1.0 / _away(1.0 + part * d), _away(1.0 + part / c)
            fraction = fraction * d * c
        if np.all(np.abs(d * c - 1.0) < 1e-15):
            break
    return np.asarray(front * fraction)


def _away(value: np.ndarray) -> np.ndarray:
    """Return the values, those at zero moved off it, as Lentz does."""
    return np.where(np.abs(value) < TINY, TINY, value)

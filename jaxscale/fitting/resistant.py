"""A fit that bad rows cannot drag: least trimmed squares over the coefs, from residuals and their slopes alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

FEW, MANY = 5, 40
"""Steps of one descent: between two choices of rows, and on the rows that are kept."""
CHOICES = 12
"""Most choices of rows from one start: the trimmed sum falls at each, and mostly four are enough."""
LONGEST = 4.0
"""Longest step on the real line, e⁴ in a positive coef: a linear model of a power law is worth nothing beyond."""
SETTLED = 1e-12
"""Relative fall of a sum of squares at which a descent ends."""
DEAF = 1e-10
"""Singular value of a slope matrix in unit columns, relative to the largest, below which a direction does nothing."""

Look = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From theta (p,) to the residuals (n,) and their slopes (n, p), both times the root of the weight."""


class Place(NamedTuple):
    """A point with what was seen there: theta (p,), residuals (n,), slopes (n, p)."""

    theta: np.ndarray
    residual: np.ndarray
    slope: np.ndarray


def trimmed(look: Look, starts: Sequence[np.ndarray], kept: int) -> Place:
    """Return the point of least trimmed squares: the sum of the `kept` smallest squares is the lowest that was found.

    From each start the rows with the smallest residuals are chosen, fitted, and chosen again; the sum cannot rise.
    Deterministic.   Source: Rousseeuw & Van Driessen 2006, the concentration step, with Levenberg-Marquardt's in it.
    """
    places = [_concentrated(look, at_point(look, start), kept, choices=2, steps=FEW) for start in starts]
    places.sort(key=lambda place: _sum(place, kept))
    last = [_concentrated(look, place, kept, choices=CHOICES, steps=MANY) for place in places[:2]]
    return min(last, key=lambda place: _sum(place, kept))


def at_point(look: Look, theta: np.ndarray) -> Place:
    """Return the place at theta."""
    return Place(theta, *look(theta))


def descended(look: Look, place: Place, rows: np.ndarray, steps: int) -> Place:
    """Return the place after at most so many steps of Levenberg and Marquardt towards the least squares of some rows.

    rows: (k,), positions.   Coefs to which these rows do not respond stay where they are.
    """
    damping, value = 1e-3, _squares(place, rows)
    if not np.isfinite(value):
        return place
    for _ in range(steps):
        slope, residual = place.slope[rows], place.residual[rows]
        length = np.linalg.norm(slope, axis=0)
        unit = slope / np.where(length > 0, length, 1.0)
        left, singular, right = np.linalg.svd(unit, full_matrices=False)
        shrunk = np.where(singular > DEAF * singular[0], singular / (singular**2 + damping), 0.0)
        move = -(right.T @ (shrunk * (left.T @ residual))) / np.where(length > 0, length, 1.0)
        move *= min(1.0, LONGEST / max(float(np.abs(move).max(initial=0.0)), 1e-300))
        other = at_point(look, place.theta + move)
        lower = _squares(other, rows)
        if not lower < value:
            damping *= 8.0
            if damping > 1e6:
                break
            continue
        is_settled = value - lower <= SETTLED * value
        place, value, damping = other, lower, damping / 10.0
        if is_settled:
            break
    return place


def _concentrated(look: Look, place: Place, kept: int, *, choices: int, steps: int) -> Place:
    rows = _smallest(place, kept)
    for _ in range(choices):
        place = descended(look, place, rows, steps)
        again = _smallest(place, kept)
        if np.array_equal(again, rows):
            break
        rows = again
    return place


def _smallest(place: Place, kept: int) -> np.ndarray:
    size = np.where(np.isfinite(place.residual), np.abs(place.residual), np.inf)
    return np.sort(np.argsort(size, kind="stable")[:kept])


def _sum(place: Place, kept: int) -> float:
    return _squares(place, _smallest(place, kept))


def _squares(place: Place, rows: np.ndarray) -> float:
    with np.errstate(over="ignore"):  # a start may predict numbers whose squares are none
        value = float(np.sum(place.residual[rows] ** 2))
    is_finite = np.isfinite(value) and np.isfinite(place.slope[rows]).all()
    return value if is_finite else np.inf

"""Three forms of ln loss along ln x: a power law, one with a floor, one with a break; many series at once.

All are least squares on ln loss, by NumPy on grids: a check computes thousands of small fits on one set of places.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

EXPONENTS, FINE = np.geomspace(0.02, 12.0, 72), np.geomspace(0.02, 12.0, 1200)
"""Exponents of a law with a floor that are tried, times the range of ln x: for chances, and for limits."""
ROUNDS = 3
"""Rounds of reweighting, in which least squares on the loss become those on its logarithm."""
SIDE = 3
"""Fewest places on either side of a break."""


class Floor(NamedTuple):
    """Fits of ln(E + A x^-b) to k series for each exponent of the grid (q,).

    exponents: (q,).   floor, scale: (k, q); scale at the middle of ln x.   squares: (k, q), of the residuals.
    """

    exponents: np.ndarray
    floor: np.ndarray
    scale: np.ndarray
    squares: np.ndarray

    @property
    def best(self) -> np.ndarray:
        """(k,) places of the best exponent."""
        return np.asarray(np.argmin(self.squares, axis=1))


def straight_line(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return intercept and slope (k, 2) of y (k, n) on x (n,), centred, and the sums of squares (k,) that it leaves."""
    own = x - x.mean()
    slope = y @ own / (own @ own)
    middle = y.mean(axis=1)
    left = y - middle[:, None] - slope[:, None] * own
    return np.stack([middle, slope], axis=1), np.sum(left**2, axis=1)


def with_floor(x: np.ndarray, y: np.ndarray, tried: np.ndarray = EXPONENTS) -> Floor:
    """Return the fits of a law with a floor to y = ln loss (k, n), for each exponent tried, times the range.

    E and A are at least 0: where one would not be, it is 0.
    """
    exponents = tried / np.ptp(x)
    basis = np.exp(-exponents[:, None] * (x - x.mean()))  # (q, n)
    loss = np.exp(y)[:, None, :]
    predicted = np.broadcast_to(loss, (len(y), len(exponents), len(x)))
    for _ in range(ROUNDS):
        weight = 1.0 / predicted**2
        total, first = weight.sum(axis=2), (weight * basis).sum(axis=2)
        second = (weight * basis**2).sum(axis=2)
        of_loss, of_both = (weight * loss).sum(axis=2), (weight * basis * loss).sum(axis=2)
        bottom = total * second - first**2
        floor = (second * of_loss - first * of_both) / bottom
        scale = (total * of_both - first * of_loss) / bottom
        scale = np.where(floor > 0.0, scale, of_both / second)
        floor = np.where(scale > 0.0, np.maximum(floor, 0.0), of_loss / total)
        scale = np.maximum(scale, 0.0)
        predicted = floor[:, :, None] + scale[:, :, None] * basis
    squares = np.sum((np.log(predicted) - y[:, None, :]) ** 2, axis=2)
    return Floor(exponents, floor, scale, squares)


class Bend(NamedTuple):
    """Fits of two power laws that meet, for each place (q,) of the break.

    places: (q,) ln x.   squares: (k, q).
    """

    places: np.ndarray
    squares: np.ndarray


def with_break(x: np.ndarray, y: np.ndarray) -> Bend:
    """Return the fits of a continuous broken line to y (k, n), for each break between places, three on either side."""
    distinct = np.unique(x)
    inside = distinct[SIDE - 1 : len(distinct) - SIDE + 1]
    places = np.unique(np.concatenate([inside, 0.5 * (inside[1:] + inside[:-1])]))[1:-1]
    centred = y - y.mean(axis=1)[:, None]
    squares = np.empty((len(y), len(places)))
    for at, place in enumerate(places):
        frame = np.linalg.qr(hinge(x, place))[0]
        squares[:, at] = np.sum(centred**2, axis=1) - np.sum((centred @ frame) ** 2, axis=1)
    return Bend(places, np.maximum(squares, 0.0))


def sides_of(x: np.ndarray, y: np.ndarray, place: float) -> tuple[float, float]:
    """Return the slopes of a continuous broken line before and after its break."""
    found = np.linalg.lstsq(hinge(x, place), y, rcond=None)[0]
    return float(found[1]), float(found[1] + found[2])


def hinge(x: np.ndarray, place: float) -> np.ndarray:
    """Return the columns (n, 3) of a broken line: a level, a slope, and what is added to it beyond the break."""
    return np.stack([np.ones_like(x), x - place, np.maximum(x - place, 0.0)], axis=1)

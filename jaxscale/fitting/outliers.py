"""Rows that the errors of the others do not explain: found from a fit that they cannot drag, several at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxscale.fitting.resistant import DEAF, Look, Place, at_point, descended, trimmed
from jaxscale.fitting.tails import chance_of
from jaxscale.intervals.student import tail

LEVEL = 0.005
"""Chance that a table is blamed whose errors are all of one kind, heavy tails among them."""
MOST = 3
"""At most one row in so many is set aside; where more lie off, it is the law that does not hold."""
SPARE = 2
"""Degrees of freedom that must be left without the rows set aside: with fewer, nothing tells which are off."""
ADMITTED = 0.05
"""Chance under normal errors below which a row is a suspect, and above which it is taken in."""
SPLITS = 12
"""Numbers of suspects that are tried: those before the widest gaps."""
STEPS = 10
LOCKED = 1e-6
"""Share of a row's residual that its own pull leaves, below which it fixes a coef alone: it cannot be judged."""
ROUNDING = 1e-12
"""Typical residual below which differences are those of rounding, in the units of the residuals."""


class Outlying(NamedTuple):
    """Rows that are off, and the fit without them.

    rows: (k,), positions.   place: least squares over the other rows.   distance: (n,), size of each row's studentised
    residual there, deleted for the rows that are off.
    """

    rows: np.ndarray
    place: Place
    distance: np.ndarray


def outlying(look: Look, starts: Sequence[np.ndarray]) -> Outlying | None:
    """Return the rows that are off, None where there are none or nothing can be said.

    look: of the rows that count.   starts: points to search from, that of the fit first.

    A fit of least trimmed squares is grown row by row to all that normal errors explain. The rest are suspects. Of
    them the most are set aside that lie farther out than errors of the others' kind could, by chance, among so many.
    Source: Hadi & Simonoff 1993 for the growth, so that neither do several bad rows hide one another nor is a good row
    blamed for them.
    """
    first = at_point(look, starts[0])
    count, size = first.slope.shape
    most = min(count // MOST, count - size - SPARE)
    if most < 1:
        return None
    place = trimmed(look, starts, count - most)
    if not np.isfinite(place.residual).all() or not np.isfinite(place.slope).all():
        return None
    place, distance, suspects = _grown(look, place, count - most)
    if not suspects or not np.median(np.abs(place.residual)) > ROUNDING:
        return None
    order = np.argsort(-distance, kind="stable")
    found = None
    splits = _splits(distance[order], suspects)
    for out in splits:
        rows = np.sort(order[out:])
        there = descended(look, place, rows, STEPS)
        apart = _distances(there, rows)
        if set(np.argsort(-apart, kind="stable")[:out].tolist()) != set(order[:out].tolist()):
            continue
        farthest, nearest = float(apart[rows].max()), float(apart[order[:out]].min())
        if len(splits) * chance_of(apart[rows], farthest, nearest, out, len(rows) - size) < LEVEL:
            found = Outlying(np.sort(order[:out]), there, apart)
    return found


def _grown(look: Look, place: Place, kept: int) -> tuple[Place, np.ndarray, int]:
    """Return the fit to all rows that normal errors explain, the distances of all, and how many are left."""
    count, size = place.slope.shape
    rows = np.sort(np.argsort(np.abs(place.residual), kind="stable")[:kept])
    while True:
        place = descended(look, place, rows, STEPS)
        distance = _distances(place, rows)
        kept = len(rows)
        chance = 2.0 * (kept + 1) * tail(np.where(np.isfinite(distance), distance, 1e100), kept - size)
        within = int(np.sum(chance > ADMITTED))
        if kept == count or within <= kept:
            return place, distance, count - kept
        rows = np.sort(np.argsort(distance, kind="stable")[: kept + (within - kept + 1) // 2])


def _splits(sorted_distance: np.ndarray, suspects: int) -> list[int]:
    """Return how many of the suspects, farthest first, are tried as off, fewest first."""
    with np.errstate(invalid="ignore", divide="ignore"):
        gaps = sorted_distance[:suspects] / sorted_distance[1 : suspects + 1]
    widest = np.argsort(-np.nan_to_num(gaps, nan=1.0), kind="stable")[:SPLITS]
    return [int(at) + 1 for at in np.sort(widest)]


def _distances(place: Place, rows: np.ndarray) -> np.ndarray:
    """Return the sizes (n,) of the studentised residuals of a fit to some rows, for the others those of prediction."""
    _, singular, right, length = _unit(place.slope[rows])
    is_heard = singular > DEAF * singular.max(initial=0.0)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        pull = np.sum(((place.slope / length) @ (right[is_heard].T / singular[is_heard])) ** 2, axis=1)
        is_in = np.isin(np.arange(len(place.residual)), rows)
        left = np.where(is_in, 1.0 - pull, 1.0 + pull)
        scale = math.sqrt(float(np.sum(place.residual[rows] ** 2)) / max(len(rows) - place.slope.shape[1], 1))
        distance = np.abs(place.residual) / np.sqrt(np.maximum(left, LOCKED)) / max(scale, ROUNDING)
    distance = np.where(is_in & (left < LOCKED), 0.0, distance)
    return np.where(np.isfinite(distance), distance, np.inf)


def _unit(slope: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the singular value decomposition of slopes (n, p) in unit columns, and the columns' lengths."""
    length = np.linalg.norm(slope, axis=0)
    length = np.where(length > 0, length, 1.0)
    return (*np.linalg.svd(slope / length, full_matrices=False), length)

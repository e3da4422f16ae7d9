"""Rows that the errors of the others do not explain: found from a fit that they cannot influence, several at once.

The fit is least trimmed squares over the coefs, from residuals and their Jacobian alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

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
"""Share of a row's residual that its own leverage leaves, below which it fixes a coef alone: it cannot be judged."""
ROUNDING = 1e-12
"""Typical residual below which differences are those of rounding, in the units of the residuals."""

FEW, MANY = 5, 40
"""Steps of one descent: between two choices of rows, and on the rows that are kept."""
CHOICES = 12
"""Most choices of rows from one start: the trimmed sum falls at each, and mostly four are enough."""
LONGEST = 4.0
"""Longest step on the real line, e⁴ in a positive coef: a linearised power law is worth nothing beyond."""
SETTLED = 1e-12
"""Relative fall of a sum of squares at which a descent ends."""
RANK_TOLERANCE = 1e-10
"""Singular value of a Jacobian in unit columns, relative to the largest, below which a direction does nothing."""

Model = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From theta (p,) to the residuals (n,) and their Jacobian (n, p), both times the root of the weight."""

TAILS = (3.0, 4.0, 6.0, 10.0, 20.0, math.inf)
"""Degrees of freedom of Student's distributions, by which errors may be heavy-tailed."""
PRIOR = (0.3, 0.5, 1.0, 1.0, 1.0, 1.0)
"""Their odds before the residuals are seen: of losses, tails without a fourth moment are the exception."""
SCALES = np.exp(np.linspace(-1.2, 0.6, 37))
"""Scales of the errors tried, in units of the residuals' root mean square."""
LEAST = 1e-300
NODES = np.exp(np.linspace(-14.0, 4.0, 200))
"""Values of the estimated variance over the true one, over which a chance is averaged."""


class Outlying(NamedTuple):
    """Rows that are off, and the fit without them.

    rows: (k,), positions.   point: least squares over the other rows.   distance: (n,), size of each row's studentised
    residual there, deleted for the rows that are off.
    """

    rows: np.ndarray
    point: Linearisation
    distance: np.ndarray


def outlying(model: Model, starts: Sequence[np.ndarray]) -> Outlying | None:
    """Return the rows that are off, None where there are none or nothing can be said.

    model: of the rows that count.   starts: points to search from, that of the fit first.

    A fit of least trimmed squares is grown row by row to all that normal errors explain. The rest are suspects. Of
    them the most are set aside that lie farther out than errors of the others' kind could, by chance, among so many.
    Source: Hadi & Simonoff 1993 for the growth, so that neither do several bad rows hide one another nor is a good row
    blamed for them.
    """
    first = at_point(model, starts[0])
    count, size = first.jacobian.shape
    most = min(count // MOST, count - size - SPARE)
    if most < 1:
        return None
    point = trimmed(model, starts, count - most)
    if not np.isfinite(point.residual).all() or not np.isfinite(point.jacobian).all():
        return None
    point, distance, suspects = _grown(model, point, count - most)
    if not suspects or not np.median(np.abs(point.residual)) > ROUNDING:
        return None
    order = np.argsort(-distance, kind="stable")
    found = None
    splits = _splits(distance[order], suspects)
    for out in splits:
        rows = np.sort(order[out:])
        there = descended(model, point, rows, STEPS)
        apart = _distances(there, rows)
        if set(np.argsort(-apart, kind="stable")[:out].tolist()) != set(order[:out].tolist()):
            continue
        farthest, nearest = float(apart[rows].max()), float(apart[order[:out]].min())
        if len(splits) * chance_of(apart[rows], farthest, nearest, out, len(rows) - size) < LEVEL:
            found = Outlying(np.sort(order[:out]), there, apart)
    return found


def _grown(model: Model, point: Linearisation, kept: int) -> tuple[Linearisation, np.ndarray, int]:
    """Return the fit to all rows that normal errors explain, the distances of all, and how many are left."""
    count, size = point.jacobian.shape
    rows = np.sort(np.argsort(np.abs(point.residual), kind="stable")[:kept])
    while True:
        point = descended(model, point, rows, STEPS)
        distance = _distances(point, rows)
        kept = len(rows)
        chance = 2.0 * (kept + 1) * tail(np.where(np.isfinite(distance), distance, 1e100), kept - size)
        within = int(np.sum(chance > ADMITTED))
        if kept == count or within <= kept:
            return point, distance, count - kept
        rows = np.sort(np.argsort(distance, kind="stable")[: kept + (within - kept + 1) // 2])


def _splits(sorted_distance: np.ndarray, suspects: int) -> list[int]:
    """Return how many of the suspects, farthest first, are tried as off, fewest first."""
    with np.errstate(invalid="ignore", divide="ignore"):
        gaps = sorted_distance[:suspects] / sorted_distance[1 : suspects + 1]
    widest = np.argsort(-np.nan_to_num(gaps, nan=1.0), kind="stable")[:SPLITS]
    return [int(at) + 1 for at in np.sort(widest)]


def _distances(point: Linearisation, rows: np.ndarray) -> np.ndarray:
    """Return the sizes (n,) of the studentised residuals of a fit to some rows, for the others those of prediction."""
    _, singular, right, length = _unit(point.jacobian[rows])
    has_effect = singular > RANK_TOLERANCE * singular.max(initial=0.0)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        leverage = np.sum(((point.jacobian / length) @ (right[has_effect].T / singular[has_effect])) ** 2, axis=1)
        is_in = np.isin(np.arange(len(point.residual)), rows)
        left = np.where(is_in, 1.0 - leverage, 1.0 + leverage)
        scale = math.sqrt(float(np.sum(point.residual[rows] ** 2)) / max(len(rows) - point.jacobian.shape[1], 1))
        distance = np.abs(point.residual) / np.sqrt(np.maximum(left, LOCKED)) / max(scale, ROUNDING)
    distance = np.where(is_in & (left < LOCKED), 0.0, distance)
    return np.where(np.isfinite(distance), distance, np.inf)


def _unit(jacobian: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the singular value decomposition of a Jacobian (n, p) in unit columns, and the columns' lengths."""
    length = np.linalg.norm(jacobian, axis=0)
    length = np.where(length > 0, length, 1.0)
    return (*np.linalg.svd(jacobian / length, full_matrices=False), length)


class Linearisation(NamedTuple):
    """A model around a point: theta (p,), its residuals (n,) and Jacobian (n, p)."""

    theta: np.ndarray
    residual: np.ndarray
    jacobian: np.ndarray


def trimmed(model: Model, starts: Sequence[np.ndarray], kept: int) -> Linearisation:
    """Return the point of least trimmed squares: the sum of the `kept` smallest squares is the lowest that was found.

    From each start the rows with the smallest residuals are chosen, fitted, and chosen again; the sum cannot rise.
    Deterministic.   Source: Rousseeuw & Van Driessen 2006, the concentration step, with Levenberg-Marquardt's in it.
    """
    points = [_concentrated(model, at_point(model, start), kept, choices=2, steps=FEW) for start in starts]
    points.sort(key=lambda point: _sum(point, kept))
    last = [_concentrated(model, point, kept, choices=CHOICES, steps=MANY) for point in points[:2]]
    return min(last, key=lambda point: _sum(point, kept))


def at_point(model: Model, theta: np.ndarray) -> Linearisation:
    """Return the linearisation at theta."""
    return Linearisation(theta, *model(theta))


def descended(model: Model, point: Linearisation, rows: np.ndarray, steps: int) -> Linearisation:
    """Return the point after at most so many steps of Levenberg and Marquardt towards the least squares of some rows.

    rows: (k,), positions.   Coefs to which these rows do not respond stay where they are.
    """
    damping, value = 1e-3, _squares(point, rows)
    if not np.isfinite(value):
        return point
    for _ in range(steps):
        jacobian, residual = point.jacobian[rows], point.residual[rows]
        left, singular, right, length = _unit(jacobian)
        shrunk = np.where(singular > RANK_TOLERANCE * singular[0], singular / (singular**2 + damping), 0.0)
        move = -(right.T @ (shrunk * (left.T @ residual))) / length
        move *= min(1.0, LONGEST / max(float(np.abs(move).max(initial=0.0)), 1e-300))
        other = at_point(model, point.theta + move)
        lower = _squares(other, rows)
        if not lower < value:
            damping *= 8.0
            if damping > 1e6:
                break
            continue
        is_settled = value - lower <= SETTLED * value
        point, value, damping = other, lower, damping / 10.0
        if is_settled:
            break
    return point


def _concentrated(model: Model, point: Linearisation, kept: int, *, choices: int, steps: int) -> Linearisation:
    rows = _smallest(point, kept)
    for _ in range(choices):
        point = descended(model, point, rows, steps)
        again = _smallest(point, kept)
        if np.array_equal(again, rows):
            break
        rows = again
    return point


def _smallest(point: Linearisation, kept: int) -> np.ndarray:
    size = np.where(np.isfinite(point.residual), np.abs(point.residual), np.inf)
    return np.sort(np.argsort(size, kind="stable")[:kept])


def _sum(point: Linearisation, kept: int) -> float:
    return _squares(point, _smallest(point, kept))


def _squares(point: Linearisation, rows: np.ndarray) -> float:
    with np.errstate(over="ignore"):  # a start may predict numbers whose squares are none
        value = float(np.sum(point.residual[rows] ** 2))
    is_finite = np.isfinite(value) and np.isfinite(point.jacobian[rows]).all()
    return value if is_finite else np.inf


def chance_of(distance: np.ndarray, farthest: float, nearest: float, out: int, dof: int) -> float:
    """Return a bound on the chance that `out` further rows all lie beyond `nearest`.

    distance: (k,), sizes of the studentised residuals of the other rows, the last being `farthest`; dof: their degrees
    of freedom.   Averaged over Student's distributions by how well each explains the rows, those beyond counted as
    censored at the farthest; over the scale's estimation error; and summed over the ways to choose the rows.   Source:
    Bonferroni's inequality, and Tiku 1967 for the censored likelihood.
    """
    count = len(distance)
    ways = math.lgamma(count + out + 1) - math.lgamma(out + 1) - math.lgamma(count + 1)
    weights, chances = [], []
    for shape, odds in zip(TAILS, PRIOR, strict=True):
        beyond = np.maximum(2.0 * tail(farthest / SCALES, shape), LEAST)
        units = distance[None, :] / SCALES[:, None]
        likelihood = _log_density(units, shape).sum(axis=1) - count * np.log(SCALES) + out * np.log(beyond)
        best = int(np.argmax(likelihood))
        weights.append(math.log(odds) + likelihood[best] * dof / count)  # k residuals say as much as dof errors
        chances.append(math.exp(min(ways + _log_joint(nearest / float(SCALES[best]), shape, out, dof), 0.0)))
    shares = np.exp(np.array(weights) - max(weights))
    return float(shares @ np.array(chances) / shares.sum())


def _log_density(value: np.ndarray, shape: float) -> np.ndarray:
    if math.isinf(shape):
        return np.asarray(-0.5 * value**2 - 0.5 * math.log(2.0 * math.pi))
    constant = math.lgamma(0.5 * (shape + 1)) - math.lgamma(0.5 * shape) - 0.5 * math.log(shape * math.pi)
    return np.asarray(constant - 0.5 * (shape + 1) * np.log1p(value**2 / shape))


def _log_joint(size: float, shape: float, out: int, dof: int) -> float:
    """Return the log of the chance that `out` rows lie beyond size, which was measured by one estimated scale."""
    each = np.maximum(2.0 * tail(size * np.sqrt(NODES), shape), LEAST)
    logs = out * np.log(each) + _log_shares(dof)
    top = float(logs.max())
    return top + math.log(float(np.sum(np.exp(logs - top))))


@cache
def _log_shares(dof: int) -> np.ndarray:
    """Return the log of the weight of each node: of chi-squared over its degrees of freedom, on a grid of logs."""
    logs = 0.5 * dof * (np.log(NODES) - NODES)
    return np.asarray(logs - logs.max() - math.log(float(np.sum(np.exp(logs - logs.max())))))

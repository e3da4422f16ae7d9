"""Start points by variable projection: coefs that enter linearly are solved for, the others tried or searched.

The terms are those of the law's own function, evaluated with the linear coefs at unit vectors.

Source: Golub & Pereyra 1973, The differentiation of pseudo-inverses and nonlinear least squares.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.laws.spec import Coef
from jaxscale.numerics.hosted import hosted

Columns: TypeAlias = Mapping[str, np.ndarray]
Values: TypeAlias = Sequence[float] | np.ndarray
Loss: TypeAlias = Callable[..., jax.Array]
Renamed: TypeAlias = Callable[..., Mapping]
"""From settings by name to the coefs of the loss, in arithmetic that tracers and floats both know."""
Linearised: TypeAlias = Callable[[Mapping[str, np.ndarray]], tuple[np.ndarray, np.ndarray]]
"""From settings, each (S, 1), to what is linear, a function of the target (S, n), and the weights of its residuals."""

MOST_STARTS = 256
"""Largest grid; of a larger product of start values every k-th point is taken."""
BLOCK = 192
"""Settings drawn for each start point; the best of a block is the one that is polished."""
CLOUD = 16
"""Settings tried around each start point in a round of polishing."""
ROUNDS = 12
SHRINK = 0.7
CHUNK, LEAST_ROWS = 64, 16
"""Settings of one evaluation, and its fewest rows: shapes are padded, so that a law compiles for few of them."""
RIDGE = 1e-13
"""Added to the unit diagonal of the normal equations: terms that are proportional in the table share the load."""
LEAST = 1e-3
"""What a coef that must be positive, and would not be, contributes instead, as a share of the target: zero is no start
point. A share that would not be below 1 is as far below it."""


def projected(
    loss: Loss,
    linear: Sequence[str],
    ranges: Mapping[str, tuple[float, float]],
    columns: Columns,
    target: np.ndarray,
    *,
    coefs: Renamed = dict,
    real: Sequence[str] = (),
    unit: Sequence[str] = (),
    relative: bool = True,
    linearised: Linearised | None = None,
    keep: int = 16,
) -> list[dict[str, float]]:
    """Return `keep` start points of a target (n,), each the best of many settings drawn at random, and polished.

    linear: the coefs, or combinations of them, in which the loss is jointly affine: positive but for those in `real`,
    and below 1 for those in `unit`.   ranges: where each of the others is searched, evenly in logarithms where
    positive. Half of the starts search all of it, and of the other half each keeps to a stratum of the first of them,
    so that they differ.   coefs: from both, by name, to the coefs of the loss.   relative: whether residuals are
    relative to the target.   linearised: where a function of the target is linear and not the target itself.
    The same table gives the same starts.
    """
    random = np.random.default_rng(0)
    names, is_log = tuple(ranges), np.array([low > 0 for low, _ in ranges.values()])
    ends = np.array([[np.log(end) if low > 0 else end for end in (low, high)] for low, high in ranges.values()])
    problem = _Problem(loss, tuple(linear), names, coefs, columns, target, tuple(real), relative, linearised)

    def solved(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return problem.solved(np.where(is_log, np.exp(np.where(is_log, points, 0.0)), points))

    low, high, bound = np.tile(ends[:, 0], (keep, 1)), np.tile(ends[:, 1], (keep, 1)), keep - keep // 2
    edges = np.linspace(ends[0, 0], ends[0, 1], keep - bound + 1)
    low[bound:, 0], high[bound:, 0] = edges[:-1], edges[1:]
    points = random.uniform(low[:, None], high[:, None], (keep, BLOCK, len(names))).reshape(keep * BLOCK, -1)
    cost, scales = solved(points)
    best = np.arange(keep) * BLOCK + np.argmin(cost.reshape(keep, BLOCK), axis=1)
    points, cost, scales = points[best], cost[best], scales[best]
    width = (ends[:, 1] - ends[:, 0]) / 4.0
    for _ in range(ROUNDS):
        step = width * random.standard_normal((keep, CLOUD, len(names)))
        tried = np.clip(points[:, None] + step, low[:, None], high[:, None]).reshape(keep * CLOUD, -1)
        found, solutions = solved(tried)
        nearest = np.arange(keep) * CLOUD + np.argmin(found.reshape(keep, CLOUD), axis=1)
        is_better = found[nearest] < cost
        points = np.where(is_better[:, None], tried[nearest], points)
        cost = np.where(is_better, found[nearest], cost)
        scales = np.where(is_better[:, None], solutions[nearest], scales)
        width = width * SHRINK
    values = np.where(is_log, np.exp(np.where(is_log, points, 0.0)), points)
    order = np.argsort(cost, kind="stable")
    return problem.starts(values[order], scales[order], unit)


def gridded(
    loss: Loss,
    linear: Sequence[str],
    grid: Mapping[str, Values],
    columns: Columns,
    target: np.ndarray,
    *,
    coefs: Renamed = dict,
    real: Sequence[str] = (),
    unit: Sequence[str] = (),
    keep: int | None = 16,
    most: int = MOST_STARTS,
) -> list[dict[str, float]]:
    """Return `keep` start points from a grid: half of them the best, half spread evenly over the others.

    target: (n,); residuals are relative to it.   grid: the values of each coef that is not linear, of which every
    combination is tried, or `most` of them.   keep: None for all, in the order of the grid.   Settings whose terms are
    not finite are left out.   Else as `projected`.
    """
    points = np.array(thinned_product([tuple(values) for values in grid.values()], most), dtype=np.float64)
    points = points.reshape(len(points), len(grid))  # one empty point where all is linear
    problem = _Problem(loss, tuple(linear), tuple(grid), coefs, columns, target, tuple(real))
    cost, scales = problem.solved(points)
    order = np.arange(len(cost)) if keep is None else np.argsort(cost, kind="stable")
    found = problem.starts(points[order], scales[order], unit)
    return found if keep is None else best_and_others(found, keep)


def best_and_others(ordered: Sequence[dict[str, float]], keep: int) -> list[dict[str, float]]:
    """Return the first half of `keep` starts of a list that begins with the best, and as many evenly from the rest."""
    best, rest = ordered[: keep - keep // 2], ordered[keep - keep // 2 :]
    stride = max(1, len(rest) // max(1, keep // 2))
    return [*best, *rest[stride // 2 :: stride][: keep // 2]]


def product_starts(coefs: Sequence[Coef]) -> list[dict[str, float]]:
    """Return the product of the coefs' own start values, thinned evenly."""
    points = thinned_product([coef.starts for coef in coefs], MOST_STARTS)
    return [{coef.name: value for coef, value in zip(coefs, point, strict=True)} for point in points]


def thinned_product(values: Sequence[Sequence[float]], most: int) -> list[tuple[float, ...]]:
    """Return the product of several sequences, or about `most` of its points, evenly, if it has more."""
    counts = [len(some) for some in values]
    total = math.prod(counts)
    stride = -(-total // most)
    while stride > 1 and any(count % stride == 0 for count in counts):
        stride += 1  # a stride that divides a count would never try its other values
    places = np.arange(0, total, stride)  # one by one: most points of a large product are not made
    at = np.stack(np.unravel_index(places, counts), axis=1) if counts else np.zeros((1, 0), int)
    return [tuple(some[place] for some, place in zip(values, point, strict=True)) for point in at]


def floor_and_rest(target: np.ndarray, share: float) -> tuple[float, float]:
    """Return a floor, as a share of the smallest loss, and what is left of the median loss above it."""
    floor = share * float(np.min(target))
    return floor, max(float(np.median(target)) - floor, 1e-3 * abs(floor))


def log_line(columns: Sequence[np.ndarray], target: np.ndarray) -> tuple[float, ...]:
    """Return the level and the slopes of the plane of least squares in logarithms, at columns of one."""
    design = np.stack([np.ones(len(target)), *map(np.log, columns)], axis=1)
    return tuple(map(float, np.linalg.lstsq(design, np.log(target), rcond=None)[0]))


def solve_scales(
    basis: np.ndarray, target: np.ndarray, is_positive: np.ndarray, least: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sums of squared residuals (S,) and the scales (S, k) of bases (S, n, k) for a target (n,) or (S, n).

    A scale that must be positive and would not be is left out, and the others are solved for again; it is then what
    contributes `least` of the target.   Infinity and NaN for a basis that is not finite, or with a term of zeros.
    """
    target = np.broadcast_to(target, basis.shape[:2])
    size = np.sqrt(np.sum(basis**2, axis=1))
    is_sound = np.isfinite(size).all(axis=1) & (size > 0).all(axis=1) & np.isfinite(target).all(axis=1)
    unit = np.where(is_sound[:, None, None], basis, 1.0) / np.where(is_sound[:, None], size, 1.0)[:, None, :]
    target = np.where(is_sound[:, None], target, 0.0)
    normal, right = np.einsum("snj,snk->sjk", unit, unit), np.einsum("snj,sn->sj", unit, target)
    is_in = np.ones(right.shape, dtype=bool)
    answer = right
    for _ in range(int(is_positive.sum()) + 1):
        both = is_in[:, :, None] & is_in[:, None, :]
        matrix = np.where(both, normal, 0.0) + np.eye(right.shape[1]) * np.where(is_in, RIDGE, 1.0)[:, None, :]
        answer = np.linalg.solve(matrix, np.where(is_in, right, 0.0)[:, :, None])[:, :, 0]
        is_wrong = is_in & is_positive & (answer <= 0)
        if not is_wrong.any():
            break
        is_in &= ~is_wrong
    cost = np.sum((np.einsum("snk,sk->sn", unit, answer) - target) ** 2, axis=1)
    answer = np.where(is_positive & (answer <= 0), least * np.linalg.norm(target, axis=1)[:, None], answer)
    return np.where(is_sound, cost, np.inf), np.where(is_sound[:, None], answer / np.where(size > 0, size, 1.0), np.nan)


@dataclass(frozen=True)
class _Problem:
    """The linear least squares of a table that is left when the other coefs are set; fields as in `projected`."""

    loss: Loss
    linear: tuple[str, ...]
    names: tuple[str, ...]
    coefs: Renamed
    columns: Columns
    target: np.ndarray
    real: tuple[str, ...]
    relative: bool = True
    linearised: Linearised | None = None

    def solved(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the costs (S,) and the linear coefs (S, k) at points (S, m) of the others."""
        is_positive = np.array([name not in self.real for name in self.linear], dtype=bool)
        weight = 1.0 / (np.abs(self.target) if self.relative else np.full(len(self.target), np.std(self.target)))
        found = []
        with np.errstate(all="ignore"):  # a setting may send a power out of range, and then it is not taken
            for at, parts in enumerate(self._parts(points)):
                some, target = points[at * CHUNK : (at + 1) * CHUNK], self.target
                if self.linearised is not None:
                    target, weight = self.linearised(dict(zip(self.names, some.T[..., None], strict=True)))
                basis = np.moveaxis((parts[1:] - parts[0]) * weight, 0, 2)
                shows = basis.any(axis=(0, 1))  # a term that is zero in every run tells nothing: its coef starts at one
                cost, shown = solve_scales(basis[:, :, shows], (target - parts[0]) * weight, is_positive[shows], LEAST)
                scales = np.ones((len(some), len(self.linear)))
                scales[:, shows] = shown
                found.append((cost, scales))
        return np.concatenate([cost for cost, _ in found]), np.concatenate([scales for _, scales in found])

    def starts(self, points: np.ndarray, scales: np.ndarray, unit: Sequence[str]) -> list[dict[str, float]]:
        """Return points (S, m) with their scales (S, k) as coefs, without what is not finite."""
        rows = np.concatenate([points, scales], axis=1)
        rows = rows[np.isfinite(rows).all(axis=1)]
        found = (dict(zip((*self.names, *self.linear), map(float, row), strict=True)) for row in rows)
        capped = ({**one, **{name: min(one[name], 1.0 - LEAST) for name in unit}} for one in found)
        return [dict(self.coefs(**one)) for one in capped]

    def _parts(self, points: np.ndarray) -> list[np.ndarray]:
        """Return for each chunk of the points the loss (1 + k, S, n) with no linear coef, and with each at one."""
        count, found = len(self.target), []
        rows = np.arange(max(LEAST_ROWS, 1 << (count - 1).bit_length())) % count
        evaluate = _evaluator(self.loss, self.linear, self.names, self.coefs)
        runs = [np.asarray(column, dtype=np.float64)[rows] for column in self.columns.values()]
        for first in range(0, len(points), CHUNK):
            some = points[first : first + CHUNK]
            full = np.concatenate([some, np.broadcast_to(some[:1], (CHUNK - len(some), some.shape[1]))])
            found.append(hosted(evaluate, full, *runs)[:, : len(some), :count])
        return found


@lru_cache(maxsize=64)
def _evaluator(loss: Loss, linear: tuple[str, ...], names: tuple[str, ...], coefs: Renamed) -> Loss:
    """Return (points (S, m), columns (n, …)…) → (1 + k, S, n): the loss with no linear coef, and with each at one."""
    units = np.eye(1 + len(linear))[:, 1:].tolist()

    def one(point: jax.Array, *run: jax.Array) -> jax.Array:
        setting = dict(zip(names, point, strict=True))
        values = [coefs(**setting, **dict(zip(linear, unit, strict=True))) for unit in units]
        return jnp.stack([jnp.asarray(loss(*run, **each), dtype=point.dtype) for each in values])

    def every(points: jax.Array, *runs: jax.Array) -> jax.Array:
        over_rows = jax.vmap(one, (None, *(0 for _ in runs)), 1)
        return jax.vmap(over_rows, (0, *(None for _ in runs)), 1)(points, *runs)

    return every

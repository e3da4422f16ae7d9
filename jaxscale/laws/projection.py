"""Start points by variable projection: coefs that enter linearly are solved for, the others tried or searched.

Source: Golub & Pereyra 1973, The differentiation of pseudo-inverses and nonlinear least squares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

Terms: TypeAlias = Callable[[Mapping[str, np.ndarray]], Sequence[ArrayLike]]
"""From settings of the other coefs, each (S, 1), to what each linear coef multiplies, broadcasting to (S, n)."""

Seen: TypeAlias = Callable[[Mapping[str, np.ndarray]], tuple[np.ndarray, np.ndarray]]
"""From settings as before to what the terms sum up to there, (S, n), and the weight (S, n) of a residual."""
Values: TypeAlias = Sequence[float] | np.ndarray

BLOCK = 192
"""Settings drawn for each start point; the best of a block is the one that is polished."""
CLOUD = 16
"""Settings tried around each start point in a round of polishing."""
ROUNDS = 12
SHRINK = 0.7
RIDGE = 1e-13
"""Added to the unit diagonal of the normal equations: terms that are proportional in the table share the load."""
LEAST = 1e-3
"""What a coef that must be positive, and would not be, contributes instead, as a share of the target: zero is no start
point."""


def scaled_starts(
    target: np.ndarray, terms: Terms, grid: Mapping[str, Values], linear: Sequence[str], *, keep: int = 16
) -> list[dict[str, float]]:
    """Return `keep` start points from a grid: half of them the best, half spread evenly over the others.

    target: (n,), positive; residuals are relative to it.   grid: the values of each coef that is not linear, of which
    every combination is tried.   linear: the coefs solved for, positive, in the order of the terms.   Settings whose
    terms are not finite are left out.
    """
    whole = _Sum(target, terms, np.ones(len(linear), dtype=bool), 1.0 / np.abs(target))
    points = np.array(list(product(*grid.values())), dtype=np.float64)
    return spread(_ordered((*grid, *linear), points, *whole.solved(tuple(grid), points)), keep)


def projected_starts(
    target: np.ndarray,
    terms: Terms,
    ranges: Mapping[str, tuple[float, float]],
    linear: Sequence[str],
    *,
    real: Sequence[str] = (),
    relative: bool = True,
    seen: Seen | None = None,
    keep: int = 16,
) -> list[dict[str, float]]:
    """Return `keep` start points of a target (n,), each the best of many settings drawn at random, and polished.

    ranges: where each coef that is not linear is searched, evenly in logarithms where positive. Half of the starts
    search all of it, and of the other half each keeps to a stratum of the first of them, so that they differ.
    linear: the coefs solved for, in the order of the terms; positive but for those in `real`.   relative: whether
    residuals are relative to the target.   seen: where a function of the target is linear and not the target itself.
    The same table gives the same starts.
    """
    random = np.random.default_rng(0)
    names, is_log = tuple(ranges), np.array([low > 0 for low, _ in ranges.values()])
    ends = np.array([[np.log(end) if low > 0 else end for end in (low, high)] for low, high in ranges.values()])
    weight = 1.0 / np.abs(target) if relative else np.full(len(target), 1.0 / np.std(target))
    whole = _Sum(target, terms, np.array([name not in real for name in linear]), weight, seen)

    def values_at(points: np.ndarray) -> np.ndarray:
        return np.where(is_log, np.exp(np.where(is_log, points, 0.0)), points)

    low, high, bound = np.tile(ends[:, 0], (keep, 1)), np.tile(ends[:, 1], (keep, 1)), keep - keep // 2
    edges = np.linspace(ends[0, 0], ends[0, 1], keep - bound + 1)
    low[bound:, 0], high[bound:, 0] = edges[:-1], edges[1:]
    points = random.uniform(low[:, None], high[:, None], (keep, BLOCK, len(names))).reshape(keep * BLOCK, -1)
    cost, scales = whole.solved(names, values_at(points))
    best = np.arange(keep) * BLOCK + np.argmin(cost.reshape(keep, BLOCK), axis=1)
    points, cost, scales = points[best], cost[best], scales[best]
    width = (ends[:, 1] - ends[:, 0]) / 4.0
    for _ in range(ROUNDS):
        step = width * random.standard_normal((keep, CLOUD, len(names)))
        tried = np.clip(points[:, None] + step, low[:, None], high[:, None]).reshape(keep * CLOUD, -1)
        found, solutions = whole.solved(names, values_at(tried))
        nearest = np.arange(keep) * CLOUD + np.argmin(found.reshape(keep, CLOUD), axis=1)
        is_better = found[nearest] < cost
        points = np.where(is_better[:, None], tried[nearest], points)
        cost = np.where(is_better, found[nearest], cost)
        scales = np.where(is_better[:, None], solutions[nearest], scales)
        width = width * SHRINK
    return _ordered((*names, *linear), values_at(points), cost, scales)


def solve_scales(
    basis: np.ndarray, target: np.ndarray, is_positive: np.ndarray, least: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sums of squared residuals (S,) and the scales (S, k) of bases (S, n, k) for a target (n,) or (S, n).

    A scale that must be positive and would not be is left out, and the others are solved for again; it is then what
    contributes `least` of the target.   Infinity and NaN for a basis that is not finite, or with a term of zeros.
    """
    target = np.broadcast_to(target, basis.shape[:2])
    size = np.sqrt(np.sum(basis**2, axis=1))
    is_sound = np.isfinite(size).all(axis=1) & (size > 0).all(axis=1)
    unit = np.where(is_sound[:, None, None], basis, 1.0) / np.where(is_sound[:, None], size, 1.0)[:, None, :]
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


def spread(ordered: Sequence[dict[str, float]], keep: int) -> list[dict[str, float]]:
    """Return the first half of `keep` starts of a list that begins with the best, and as many evenly from the rest."""
    best, rest = ordered[: keep - keep // 2], ordered[keep - keep // 2 :]
    stride = max(1, len(rest) // max(1, keep // 2))
    return [*best, *rest[stride // 2 :: stride][: keep // 2]]


@dataclass(frozen=True)
class _Sum:
    """A target (n,), or what is seen of it, as a sum of linear coefs times terms; weight: (n,) of each residual."""

    target: np.ndarray
    terms: Terms
    is_positive: np.ndarray
    weight: np.ndarray
    seen: Seen | None = None

    def solved(self, names: Sequence[str], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the residuals (S,) and the linear coefs (S, k) at values (S, m) of the other coefs."""
        settings = dict(zip(names, values.T[..., None], strict=True))
        shape = (len(values), len(self.target))
        with np.errstate(all="ignore"):  # a setting may send a power out of range, and then it is not taken
            target, weight = (self.target, self.weight) if self.seen is None else self.seen(settings)
            columns = [np.broadcast_to(term * weight, shape) for term in self.terms(settings)]
            return solve_scales(np.stack(columns, axis=2), target * weight, self.is_positive, LEAST)


def _ordered(names: Sequence[str], values: np.ndarray, cost: np.ndarray, scales: np.ndarray) -> list[dict[str, float]]:
    """Return the settings (S, m) completed by their scales (S, k), the best first, without what is not finite."""
    rows = np.concatenate([values, scales], axis=1)[np.argsort(cost, kind="stable")]
    return [dict(zip(names, map(float, row), strict=True)) for row in rows if np.isfinite(row).all()]

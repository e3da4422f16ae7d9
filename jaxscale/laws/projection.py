"""Start points by variable projection: coefs that enter linearly are solved for, only the others are searched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

Terms: TypeAlias = Callable[[Mapping[str, np.ndarray]], Sequence[ArrayLike]]
"""From settings of the searched coefs, each (S, 1), to what each linear coef multiplies, broadcasting to (S, n)."""

BLOCK = 192
"""Settings drawn for each start point; the best of a block is the one that is polished, so that starts differ."""
CLOUD = 16
"""Settings tried around each start point in a round of polishing."""
ROUNDS = 12
SHRINK = 0.7
RIDGE = 1e-13
"""Added to the unit diagonal of the normal equations: terms that are proportional in the table share the load."""
SMALL = 1e-3
"""What a coef that must be positive, and is not, contributes instead, as a share of the target."""


def projected_starts(
    target: np.ndarray,
    terms: Terms,
    ranges: Mapping[str, tuple[float, float]],
    linear: Sequence[str],
    *,
    real: Sequence[str] = (),
    relative: bool = True,
    keep: int = 16,
) -> list[dict[str, float]]:
    """Return `keep` start points of a target (n,) that is a sum of linear coefs times terms.

    ranges: where each coef that enters otherwise is searched, evenly in logarithms where positive.   linear: the coefs
    solved for, in the order of the terms; positive but for those in `real`.   relative: whether misses are relative to
    the target.   The same table gives the same starts.   Source: Golub & Pereyra 1973.
    """
    random = np.random.default_rng(0)
    names, is_log = tuple(ranges), np.array([low > 0 for low, _ in ranges.values()])
    ends = np.array([[np.log(end) if low > 0 else end for end in (low, high)] for low, high in ranges.values()])
    is_positive = np.array([name not in real for name in linear])
    weight = 1.0 / np.abs(target) if relative else np.full(len(target), 1.0 / np.std(target))

    def values_at(points: np.ndarray) -> np.ndarray:
        return np.where(is_log, np.exp(np.where(is_log, points, 0.0)), points)

    def solved(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        settings = dict(zip(names, values_at(points).T[..., None], strict=True))
        shape = (len(points), len(target))
        with np.errstate(all="ignore"):  # a setting may send a power out of range, and then it is not taken
            basis = np.stack([np.broadcast_to(term, shape) for term in terms(settings)], axis=2) * weight[:, None]
            return _solved(basis, target * weight, is_positive)

    points = random.uniform(ends[:, 0], ends[:, 1], (keep * BLOCK, len(names)))
    miss, scales = solved(points)
    best = np.arange(keep) * BLOCK + np.argmin(miss.reshape(keep, BLOCK), axis=1)
    points, miss, scales = points[best], miss[best], scales[best]
    width = (ends[:, 1] - ends[:, 0]) / 4.0
    for _ in range(ROUNDS):
        step = width * random.standard_normal((keep, CLOUD, len(names)))
        tried = np.clip(points[:, None] + step, *ends.T).reshape(keep * CLOUD, -1)
        found, solutions = solved(tried)
        nearest = np.arange(keep) * CLOUD + np.argmin(found.reshape(keep, CLOUD), axis=1)
        is_better = found[nearest] < miss
        points = np.where(is_better[:, None], tried[nearest], points)
        miss, scales = (
            np.where(is_better, found[nearest], miss),
            np.where(is_better[:, None], solutions[nearest], scales),
        )
        width = width * SHRINK
    rows = np.concatenate([values_at(points), scales], axis=1)[np.argsort(miss, kind="stable")]
    return [dict(zip((*names, *linear), map(float, row), strict=True)) for row in rows if np.isfinite(row).all()]


def _solved(basis: np.ndarray, target: np.ndarray, is_positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sums of squared misses (S,) and the solutions (S, k) for bases (S, n, k) and a target (n,).

    A solution that must be positive and is not is left out, and the others are solved for again.
    """
    size = np.sqrt(np.sum(basis**2, axis=1))
    is_sound = np.isfinite(size).all(axis=1) & (size > 0).all(axis=1)
    unit = np.where(is_sound[:, None, None], basis, 1.0) / np.where(is_sound[:, None], size, 1.0)[:, None, :]
    normal, right = np.einsum("snj,snk->sjk", unit, unit), np.einsum("snj,n->sj", unit, target)
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
    miss = np.sum((np.einsum("snk,sk->sn", unit, answer) - target) ** 2, axis=1)
    answer = np.where(is_positive & (answer <= 0), SMALL * np.sqrt(len(target)), answer)
    return np.where(is_sound, miss, np.inf), np.where(is_sound[:, None], answer / np.where(size > 0, size, 1.0), np.nan)

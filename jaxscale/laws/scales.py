"""Start points by variable projection: exponents are tried on a grid, and the scales that go with them are solved for.

Source: Golub & Pereyra 1973, The differentiation of pseudo-inverses and nonlinear least squares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations, product

import numpy as np

ROWS = 256
"""Runs looked at: a longer table is thinned evenly, since a start point need not be exact."""
LEAST = 1e-3
"""Share of the loss that a term keeps of which the solution would have nothing: zero is no start point."""


def scaled_starts(
    settings: Iterable[Mapping[str, float]],
    terms: Callable[[Mapping[str, float]], Sequence[np.ndarray]],
    names: Sequence[str],
    target: np.ndarray,
    keep: int,
) -> list[dict[str, float]]:
    """Return `keep` of the settings completed by scales: half of them the best, half spread evenly over the others.

    settings: values of the coefs that are not scales.   terms(setting): the columns (n,) that the scales multiply.
    names: of the scales, in the order of the terms.   target: (n,) losses, positive.   A scale is zero or more in the
    solution, and above zero in the start.   Settings whose terms are not finite are left out.
    """
    found = []
    with np.errstate(all="ignore"):
        for setting in settings:
            columns = np.stack(np.broadcast_arrays(*terms(setting), target)[:-1], axis=1) / target[:, None]
            size = np.sqrt(np.mean(columns**2, axis=0))
            if np.isfinite(columns).all() and (size > 0).all():
                scales, miss = nonnegative(columns / size, np.ones(len(target)))
                scales = np.maximum(scales, LEAST) / size
                found.append((miss, {**setting, **dict(zip(names, map(float, scales), strict=True))}))
    return spread([start for _, start in sorted(found, key=lambda pair: pair[0])], keep)


def spread(ordered: Sequence[dict[str, float]], keep: int) -> list[dict[str, float]]:
    """Return the first half of `keep` starts of a list that begins with the best, and as many evenly from the rest."""
    best, rest = ordered[: keep - keep // 2], ordered[keep - keep // 2 :]
    stride = max(1, len(rest) // max(1, keep // 2))
    return [*best, *rest[stride // 2 :: stride][: keep // 2]]


def nonnegative(columns: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the scales (k,) ≥ 0 that minimise |columns (n, k) @ scales - target|², and that minimum; k is small.

    By trying every subset of the columns: of a few that is cheaper than an active set.
    """
    count, best = columns.shape[1], (np.zeros(columns.shape[1]), float(target @ target))
    for used in range(count, 0, -1):
        for subset in map(list, combinations(range(count), used)):
            solved = np.linalg.lstsq(columns[:, subset], target, rcond=None)[0]
            miss = float(np.sum((columns[:, subset] @ solved - target) ** 2))
            if (solved >= 0).all() and miss < best[1]:
                best = (np.zeros(count), miss)
                best[0][subset] = solved
        if used == count and best[0].all():
            break
    return best


def settings_of(**values: Iterable[float]) -> list[dict[str, float]]:
    """Return the product of the values of each name."""
    return [dict(zip(values, point, strict=True)) for point in product(*values.values())]


def thinned(columns: Mapping[str, np.ndarray], target: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return at most ROWS runs, evenly from the table."""
    rows = np.unique(np.linspace(0, len(target) - 1, min(ROWS, len(target))).astype(int))
    return {name: np.asarray(column)[rows] for name, column in columns.items()}, np.asarray(target)[rows]

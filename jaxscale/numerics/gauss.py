"""Gauss rules of sums: few points and weights in place of many, exact for polynomials of twice their number."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


def gauss_of_masses(points: np.ndarray, masses: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights (count,) with Σ w f(x) = Σ mass f(point) for every polynomial f below degree 2 count.

    points: (n,) distinct, ascending.   masses: (n,) > 0, not checked.   Where n ≤ count, points and masses themselves.
    Nodes lie between the first and the last point, weights are positive.   Source: Golub & Welsch 1969, with the
    recurrence by Lanczos' process, orthogonalised twice.
    """
    if len(points) <= count:
        return points, masses
    total = float(masses.sum())
    basis = np.zeros((count, len(points)))
    diagonal, beside = np.zeros(count), np.zeros(count - 1)
    vector = np.sqrt(masses / total)
    for j in range(count):
        basis[j] = vector
        vector = points * vector
        diagonal[j] = basis[j] @ vector
        for _ in range(2):
            vector = vector - (basis[: j + 1] @ vector) @ basis[: j + 1]
        if j < count - 1:
            beside[j] = np.sqrt(vector @ vector)
            vector = vector / beside[j]
    return _rule(diagonal, beside, total)


@lru_cache(maxsize=1024)
def gauss_of_steps(length: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights (count,) for the sum of f(k) over k = 0 … length - 1; count < length is not checked.

    Source: the recurrence of the discrete Chebyshev (Gram) polynomials, Abramowitz & Stegun 1964, 22.17.
    """
    order = np.arange(1, count)
    beside = 0.5 * order * np.sqrt((length**2 - order**2) / (4.0 * order**2 - 1.0))
    nodes, weights = _rule(np.full(count, 0.5 * (length - 1)), beside, float(length))
    nodes.flags.writeable = weights.flags.writeable = False
    return nodes, weights


def _rule(diagonal: np.ndarray, beside: np.ndarray, total: float) -> tuple[np.ndarray, np.ndarray]:
    nodes, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
    return nodes, total * vectors[0] ** 2

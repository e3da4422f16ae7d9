"""Symmetric systems of a few unknowns, thousands at a time, by elementwise arithmetic that XLA fuses.

LAPACK is called once per matrix; for p of about ten and thousands of lanes, elimination written over the lanes
is faster on a CPU and the only parallel form on a GPU.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


def pack_indices(size: int) -> list[tuple[int, int]]:
    """Return the (row, column) pairs of the upper triangle of a p × p matrix, row by row."""
    return [(j, k) for j in range(size) for k in range(j, size)]


def unpack(packed: Float[Array, "B q"], size: int) -> Float[Array, "B p p"]:
    """Return symmetric matrices from their upper triangles, in the order of `pack_indices`."""
    place = {pair: at for at, pair in enumerate(pack_indices(size))}
    order = [place[min(j, k), max(j, k)] for j in range(size) for k in range(size)]
    return packed[:, jnp.array(order)].reshape(packed.shape[0], size, size)


def solve(
    matrix: Float[Array, "B p p"], right: Float[Array, "B p"]
) -> tuple[Float[Array, "B p"], Float[Array, " B"]]:
    """Solve matrix · x = right for each lane by symmetric elimination without pivoting.

    Returns x (B, p) and the smallest pivot (B,), relative to the diagonal entry it started from: positive exactly
    if the matrix is positive definite to rounding, and about 1 / (p condition) where it is nearly singular. Where
    a pivot is not positive x is finite but meaningless. NaN in gives NaN out, for that lane only.
    """
    size = right.shape[1]
    diagonal = jnp.diagonal(matrix, axis1=1, axis2=2)
    work = jnp.concatenate([matrix, right[:, :, None]], axis=2)
    smallest = jnp.full(right.shape[:1], jnp.inf, right.dtype)
    for j in range(size):
        pivot = work[:, j, j]
        smallest = jnp.minimum(smallest, pivot / jnp.where(diagonal[:, j] == 0, 1.0, jnp.abs(diagonal[:, j])))
        row = work[:, j, :] / jnp.where(pivot == 0, 1.0, pivot)[:, None]
        eliminated = work - work[:, :, j, None] * row[:, None, :]
        work = eliminated.at[:, j, :].set(row)
    return work[:, :, size], smallest


def reflected_solve(
    matrix: Float[Array, "B p p"], metric: Float[Array, "B p p"], damping: Float[Array, " B"], right: Float[Array, "B p"]
) -> Float[Array, "B p"]:
    """Solve (|matrix| + damping · metric) x = right, with |·| taken of the eigenvalues relative to the metric.

    A direction of negative curvature becomes one of positive curvature of the same size, so that -x of a gradient
    descends away from a saddle.   metric: positive definite, not checked.   Source: Dauphin et al. 2014 (saddle-free
    Newton), with the metric in place of the identity, which makes the step independent of the choice of coordinates.
    """
    factor = jnp.linalg.cholesky(metric)
    inner = jax.lax.linalg.triangular_solve(factor, matrix, left_side=True, lower=True)
    inner = jax.lax.linalg.triangular_solve(factor, inner, left_side=False, lower=True, transpose_a=True)
    values, vectors = jnp.linalg.eigh(inner)
    rotated = jax.lax.linalg.triangular_solve(factor, right[:, :, None], left_side=True, lower=True)
    along = jnp.einsum("bji,bjk->bik", vectors, rotated)
    scaled = along / (jnp.abs(values) + damping[:, None])[:, :, None]
    back = jnp.einsum("bij,bjk->bik", vectors, scaled)
    return jax.lax.linalg.triangular_solve(factor, back, left_side=True, lower=True, transpose_a=True)[:, :, 0]


def is_positive_definite(smallest_pivot: Float[Array, " B"], tolerance: float) -> Bool[Array, " B"]:
    """Return whether elimination met only pivots above tolerance; NaN is not positive definite."""
    return smallest_pivot > tolerance

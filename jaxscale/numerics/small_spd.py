"""Symmetric systems of a few unknowns, thousands at a time, by elementwise arithmetic that XLA fuses.

LAPACK is called once per matrix; for p of about ten and thousands of lanes, elimination written over the lanes
is faster on a CPU and the only parallel form on a GPU.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


def pack_indices(size: int) -> list[tuple[int, int]]:
    """Return the (row, column) pairs of the upper triangle of a p × p matrix, row by row."""
    return [(j, k) for j in range(size) for k in range(j, size)]


def unpack(
    packed: Float[Array, "B q"], size: int, pairs: Sequence[tuple[int, int]] | None = None
) -> Float[Array, "B p p"]:
    """Return symmetric matrices from their upper triangles, in the order of `pack_indices`.

    pairs: the (row, column) pairs that are there, in that order; the other entries are zero.
    """
    place = {pair: at for at, pair in enumerate(pack_indices(size) if pairs is None else pairs)}
    order = [place.get((min(j, k), max(j, k)), len(place)) for j in range(size) for k in range(size)]
    if len(place) in order:
        packed = jnp.concatenate([packed, jnp.zeros_like(packed[:, :1])], axis=1)
    return packed[:, jnp.array(order)].reshape(packed.shape[0], size, size)


def solve(
    matrix: Float[Array, "B p p"],
    right: Float[Array, "B p"],
    unit: Float[Array, "B p"] | None = None,
) -> tuple[Float[Array, "B p"], Float[Array, " B"]]:
    """Solve matrix · x = right for each lane by symmetric elimination without pivoting.

    unit: what each pivot is measured in, > 0; without it, the size of the diagonal entry it started from.

    Returns x (B, p) and the smallest pivot (B,), in units of `unit`: positive exactly if the matrix is positive
    definite to rounding, and about 1 / (p condition) where it is nearly singular. Where a pivot is not positive x is
    finite but meaningless. NaN in gives NaN out, for that lane only.
    """
    size = right.shape[1]
    diagonal = jnp.abs(jnp.diagonal(matrix, axis1=1, axis2=2))
    unit = jnp.where(diagonal == 0, 1.0, diagonal) if unit is None else unit
    work = jnp.concatenate([matrix, right[:, :, None]], axis=2)
    smallest = jnp.full(right.shape[:1], jnp.inf, right.dtype)
    for j in range(size):
        pivot = work[:, j, j]
        smallest = jnp.minimum(smallest, pivot / unit[:, j])
        row = work[:, j, :] / jnp.where(pivot == 0, 1.0, pivot)[:, None]
        eliminated = work - work[:, :, j, None] * row[:, None, :]
        work = eliminated.at[:, j, :].set(row)
    return work[:, :, size], smallest


def whitener(matrix: Float[Array, "B p p"]) -> Float[Array, "B p p"]:
    """Return upper triangular T with Tᵀ · matrix · T = 1 for each lane: Gram–Schmidt in the matrix's inner product.

    matrix: positive definite, not checked; a direction that it does not see keeps its own length.
    """
    size = matrix.shape[1]
    columns: list[jax.Array] = []
    for j in range(size):
        column = jnp.zeros(matrix.shape[:2], matrix.dtype).at[:, j].set(1.0)
        for other in columns:
            overlap = jnp.einsum("bi,bij,bj->b", other, matrix, column)
            column = column - overlap[:, None] * other
        length = jnp.einsum("bi,bij,bj->b", column, matrix, column)
        is_seen = length > 1e-14 * jnp.maximum(matrix[:, j, j], jnp.finfo(matrix.dtype).tiny)
        columns.append(column / jnp.sqrt(jnp.where(is_seen, length, 1.0))[:, None])
    return jnp.stack(columns, axis=2)


def coordinates(frame: Float[Array, "B p p"], vector: Float[Array, "B p"]) -> Float[Array, "B p"]:
    """Return z with frame · z = vector for each lane, for upper triangular frames, by back substitution."""
    size = vector.shape[1]
    found = jnp.zeros_like(vector)
    for j in reversed(range(size)):
        rest = vector[:, j] - jnp.sum(frame[:, j, :] * found, axis=1)
        found = found.at[:, j].set(rest / frame[:, j, j])
    return found


def absolute_value(matrix: Float[Array, "B p p"], sweeps: int = 6) -> Float[Array, "B p p"]:
    """Return |matrix| for each lane: the symmetric matrix with the same eigenvectors and the eigenvalues' sizes.

    By cyclic Jacobi rotations: elementwise over the lanes, without a call to LAPACK, which would run lane by lane.
    Six sweeps bring off-diagonal entries of p ≤ 20 to rounding.   Source: Golub & Van Loan 2013, §8.5.
    """
    size = matrix.shape[1]
    if size == 1:
        return jnp.abs(matrix)
    first, second = (jnp.array(side) for side in zip(*_pairs(size), strict=True))

    def rotate(count: Int[Array, ""], state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        work, vectors = state
        j, k = first[count % len(first)], second[count % len(first)]
        ajj, akk, ajk = work[:, j, j], work[:, k, k], work[:, j, k]
        is_done = jnp.abs(ajk) <= 1e-300
        ratio = (akk - ajj) / jnp.where(is_done, 1.0, 2.0 * ajk)
        tangent = jnp.where(ratio >= 0, 1.0, -1.0) / (jnp.abs(ratio) + jnp.sqrt(1.0 + ratio * ratio))
        tangent = jnp.where(is_done, 0.0, tangent)
        cosine = 1.0 / jnp.sqrt(1.0 + tangent * tangent)
        sine = tangent * cosine
        return _turn_columns(_turn_rows(work, j, k, cosine, sine), j, k, cosine, sine), _turn_columns(
            vectors, j, k, cosine, sine
        )

    start = (matrix, jnp.broadcast_to(jnp.eye(size, dtype=matrix.dtype), matrix.shape))
    work, vectors = jax.lax.fori_loop(0, sweeps * len(first), rotate, start)
    sizes = jnp.abs(jnp.diagonal(work, axis1=1, axis2=2))
    return jnp.sum(vectors[:, :, None, :] * sizes[:, None, None, :] * vectors[:, None, :, :], axis=3)


def _pairs(size: int) -> list[tuple[int, int]]:
    return [(j, k) for j in range(size) for k in range(j + 1, size)]


def _turn_rows(work: jax.Array, j: jax.Array, k: jax.Array, cosine: jax.Array, sine: jax.Array) -> jax.Array:
    upper, lower = work[:, j, :], work[:, k, :]
    turned = work.at[:, j, :].set(cosine[:, None] * upper - sine[:, None] * lower)
    return turned.at[:, k, :].set(sine[:, None] * upper + cosine[:, None] * lower)


def _turn_columns(work: jax.Array, j: jax.Array, k: jax.Array, cosine: jax.Array, sine: jax.Array) -> jax.Array:
    return jnp.swapaxes(_turn_rows(jnp.swapaxes(work, 1, 2), j, k, cosine, sine), 1, 2)

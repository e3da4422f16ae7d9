"""Sums over many terms that come with their own derivatives, made in one pass.

Reverse mode makes of one sum a sum for each of its first and second derivatives, and XLA's CPU compiler computes the
terms anew for each. For 50 terms with three coefs a fit's evaluation takes nine times as long.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from jaxscale.numerics.small_spd import pack_indices


def sums(parts: Sequence[jax.Array]) -> tuple[jax.Array, ...]:
    """Return the sum of each of several equally shaped vectors, by one reduction; it has no derivative of its own."""
    zeros = tuple(jnp.zeros((), part.dtype) for part in parts)
    return tuple(jax.lax.reduce(tuple(parts), zeros, _add, (0,)))


def expanded(
    value: jax.Array, slope: Sequence[jax.Array], bend: Sequence[jax.Array], at: Sequence[jax.Array]
) -> jax.Array:
    """Return value, with these first and second derivatives in the p numbers `at`; its third derivatives are zero.

    slope: p.   bend: p (p + 1) / 2, the upper triangle row by row, as `small_spd.pack_indices` orders it.
    """
    moves = [x - jax.lax.stop_gradient(x) for x in at]
    total = value + sum(first * move for first, move in zip(slope, moves, strict=True))
    for (j, k), second in zip(pack_indices(len(moves)), bend, strict=True):
        total = total + (0.5 if j == k else 1.0) * second * moves[j] * moves[k]
    return total


def _add(left: tuple[jax.Array, ...], right: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
    return tuple(a + b for a, b in zip(left, right, strict=True))

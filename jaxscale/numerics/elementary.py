"""Functions with derivatives of their own: the natural logarithm, 1 - exp(-x), R (1 - exp(-x/R)), and sums."""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.numerics.small_spd import pack_indices

TERMS = 10
"""Of the series atanh s = s + s³/3 + s⁵/5 + …, |s| ≤ 0.1716, beyond the first: what is left out is 6e-19 of the sum."""
HALF_ROOT = np.float64(np.sqrt(0.5)).view(np.int64)
SMALL, SMALL_TERMS = 0.1, 9
"""Where 1 - (1 + z) exp(-z) is taken as a series, and to which power beyond z²: what is left out is 2e-17 of it."""
EXPONENT = np.int64(0xFFF) << np.int64(52)
ONE = np.float64(1.0).view(np.int64)


@jax.custom_jvp
def log(x: jax.Array) -> jax.Array:
    """Return ln x, elementwise, within 2 ulp; NaN below zero, -inf at zero, where float64 counts subnormals as zero.

    On a CPU float64 `jnp.log` is one library call per number, which also throws every register of the loop around it
    into memory: an evaluation of 240 rows then takes a third longer. This one stays in vector registers.
    """
    if x.dtype != jnp.float64:
        return jnp.log(x)
    return jax.lax.platform_dependent(x, cpu=_log, default=jnp.log)


@log.defjvp
def _tangent(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    (x,), (dx,) = primals, tangents
    return log(x), dx / x


def _log(x: jax.Array) -> jax.Array:
    """Return ln x = k ln 2 + 2 atanh((m - 1) / (m + 1)), with x = 2^k m and m between √½ and √2."""
    bits = jax.lax.bitcast_convert_type(x, jnp.int64)
    offset = bits - HALF_ROOT
    mantissa = jax.lax.bitcast_convert_type(bits - (offset & EXPONENT), jnp.float64)
    biased = jax.lax.shift_right_logical(offset + ONE, jnp.full_like(offset, 52))
    k = (biased.astype(jnp.int32) - 1023).astype(jnp.float64)  # in integers: a compiler may reassociate floats
    s = (mantissa - 1.0) / (mantissa + 1.0)
    square = s * s
    series = jnp.full_like(s, 1.0 / (2 * TERMS + 1))
    for term in reversed(range(1, TERMS)):
        series = series * square + 1.0 / (2 * term + 1)
    value = k * np.log(2.0) + (2.0 * s + 2.0 * s * square * series)
    edge = jnp.where(x == 0, -jnp.inf, jnp.where(x > 0, x, jnp.nan))
    return jnp.where((x > 0) & (x < jnp.inf), value, edge)


@jax.custom_jvp
def saturation(amount: jax.Array) -> jax.Array:
    """Return 1 - exp(-x), elementwise; its derivative is exp(-x), which JAX's of `expm1` rounds to zero beyond 37."""
    return -jnp.expm1(-amount)


@saturation.defjvp
def _derivative(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    return saturation(*primals), jnp.exp(-primals[0]) * tangents[0]


@jax.custom_jvp
def decaying(amount: jax.Array, half: jax.Array) -> jax.Array:
    """Return R (1 - exp(-x/R)), elementwise, which is x itself at R = inf; x: amount, R: half, both above zero.

    Its derivatives are exp(-x/R) and 1 - (1 + x/R) exp(-x/R): as JAX takes them, those in R cancel where R is large.
    """
    finite = jnp.where(half < jnp.inf, half, 1.0)
    return jnp.where(half < jnp.inf, finite * saturation(amount / finite), amount)


@decaying.defjvp
def _decays(primals: tuple[jax.Array, jax.Array], tangents: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
    amount, half = primals
    share = amount / half
    return decaying(amount, half), jnp.exp(-share) * tangents[0] + _decayed(share) * tangents[1]


@jax.custom_jvp
def _decayed(share: jax.Array) -> jax.Array:
    """Return 1 - (1 + z) exp(-z) = z²/2 - z³/3 + z⁴/8 - …, whose derivative is z exp(-z)."""
    series = jnp.zeros_like(share)
    for power in range(SMALL_TERMS, -1, -1):
        series = (power + 1.0) / math.factorial(power + 2) - share * series
    far = saturation(share) - share * jnp.exp(-share)
    return jnp.where(share < SMALL, share * share * series, far)


@_decayed.defjvp
def _slope(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    return _decayed(*primals), primals[0] * jnp.exp(-primals[0]) * tangents[0]


def sums(parts: Sequence[jax.Array]) -> tuple[jax.Array, ...]:
    """Return the sum of each of several equally shaped vectors, by one reduction; it has no derivative of its own."""
    zeros = tuple(jnp.zeros((), part.dtype) for part in parts)
    return tuple(jax.lax.reduce(tuple(parts), zeros, _add, (0,)))


def expanded(
    value: jax.Array, first: Sequence[jax.Array], second: Sequence[jax.Array], at: Sequence[jax.Array]
) -> jax.Array:
    """Return value, with these first and second derivatives in the p numbers `at`; its third derivatives are zero.

    first: p.   second: p (p + 1) / 2, the upper triangle row by row, as `small_spd.pack_indices` orders it.   With
    `sums` it makes a sum and its derivatives in one pass: reverse mode makes a sum for each of them, and XLA's CPU
    compiler computes the terms anew for each. For 50 terms with three coefs a fit's evaluation takes nine times as
    long.
    """
    moves = [x - jax.lax.stop_gradient(x) for x in at]
    total = value + sum(one * move for one, move in zip(first, moves, strict=True))
    for (j, k), mixed in zip(pack_indices(len(moves)), second, strict=True):
        total = total + (0.5 if j == k else 1.0) * mixed * moves[j] * moves[k]
    return total


def _add(left: tuple[jax.Array, ...], right: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
    return tuple(a + b for a, b in zip(left, right, strict=True))

"""The natural logarithm, written so that XLA's CPU compiler keeps a loop over it in vector registers.

There float64 `jnp.log` is one library call per number, which also throws every register of the loop around it into
memory: an evaluation of 240 rows then takes a third longer.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

TERMS = 10
"""Of the series atanh s = s + s³/3 + s⁵/5 + …, |s| ≤ 0.1716, beyond the first: what is left out is 6e-19 of the sum."""
HALF_ROOT = np.float64(np.sqrt(0.5)).view(np.int64)
EXPONENT = np.int64(0xFFF) << np.int64(52)
ONE = np.float64(1.0).view(np.int64)


@jax.custom_jvp
def log(x: jax.Array) -> jax.Array:
    """Return ln x, elementwise, within 2 ulp; NaN below zero, -inf at zero, where float64 counts subnormals as zero."""
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

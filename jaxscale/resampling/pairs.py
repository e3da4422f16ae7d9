"""The pairs bootstrap: rows drawn with replacement, expressed as how often each one was drawn."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxscale.resampling.spec import Scheme, Table


def draw(key: jax.Array, table: Table) -> jax.Array:
    """Return the table's weights times multinomial counts: `rows` draws with replacement among the real rows."""
    size = table.weight.shape[0]
    rows = draw_rows(key, size, table.rows)
    is_counted = jnp.arange(size, dtype=jnp.int32) < table.rows  # padding draws do not count
    counts = jnp.zeros_like(table.weight).at[rows].add(is_counted.astype(table.weight.dtype))
    return counts * table.weight


def draw_rows(key: jax.Array, size: int, count: jax.Array) -> jax.Array:
    """Return (size,) int32 below count: the numbers of `jax.random.randint(key, (size,), 0, count, dtype=jnp.int32)`.

    On a CPU its three integer remainders, one number at a time, are most of what a draw costs; here they are floats.
    """
    high, low = jax.vmap(lambda half: jax.random.bits(half, (size,), jnp.uint32))(jax.random.split(key))
    factor = _remainder(jnp.uint32(1 << 16), count)
    factor = _remainder((factor * factor).astype(jnp.uint32), count)
    mixed = _remainder(high, count) * factor + _remainder(low, count)  # wraps where randint's unsigned numbers do
    return _remainder(mixed.astype(jnp.uint32), count)


def _remainder(bits: jax.Array, count: jax.Array) -> jax.Array:
    """Return bits modulo count, as int32: exact, whichever way the quotient was rounded."""
    value, divisor = bits.astype(jnp.float64), count.astype(jnp.float64)
    rest = value - jnp.floor(value / divisor) * divisor
    rest = jnp.where(rest < 0, rest + divisor, jnp.where(rest >= divisor, rest - divisor, rest))
    return rest.astype(jnp.int32)


PAIRS = Scheme("pairs", draw, "Efron 1979, Annals of Statistics 7(1)")

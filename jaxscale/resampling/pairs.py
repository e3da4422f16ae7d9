"""The pairs bootstrap: rows drawn with replacement, expressed as how often each one was drawn."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxscale.resampling.spec import Scheme, Table


def draw(key: jax.Array, table: Table) -> jax.Array:
    """Return the table's weights times multinomial counts: `rows` draws with replacement among the real rows.

    Row ⌊rows · u / 2³²⌋ of a 32-bit u: no row is more than rows / 2³² likelier than another. It takes half the random
    bits of `jax.random.randint` and none of its remainders, which cost more than all of this.   Source: Lemire 2019.
    """
    size = table.weight.shape[0]
    bits = jax.random.bits(key, (size,), jnp.uint32)
    rows = (bits.astype(jnp.uint64) * table.rows.astype(jnp.uint64)) >> jnp.uint64(32)
    is_drawn = jnp.arange(size, dtype=jnp.int32) < table.rows  # as many draws as real rows
    place = jnp.where(is_drawn, rows.astype(jnp.int32), size)
    return jnp.zeros_like(table.weight).at[place].add(1.0, mode="drop") * table.weight


PAIRS = Scheme("pairs", draw, "Efron 1979, Annals of Statistics 7(1)")

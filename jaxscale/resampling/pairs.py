"""The pairs bootstrap: rows drawn with replacement, expressed as how often each one was drawn."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxscale.resampling.spec import Scheme, Table


def draw(key: jax.Array, table: Table) -> jax.Array:
    """Return the table's weights times multinomial counts: `rows` draws with replacement among the real rows."""
    size = table.weight.shape[0]
    rows = jax.random.randint(key, (size,), 0, table.rows, dtype=jnp.int32)  # pinned: 32 = 64 bit
    is_counted = jnp.arange(size, dtype=jnp.int32) < table.rows  # padding draws do not count
    counts = jnp.zeros_like(table.weight).at[rows].add(is_counted.astype(table.weight.dtype))
    return counts * table.weight


PAIRS = Scheme("pairs", draw, "Efron 1979, Annals of Statistics 7(1)")

"""The pairs bootstrap: rows drawn with replacement, expressed as how often each one was drawn."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxscale.resampling.spec import Draw, Fitted, Scheme, Table


def draw(key: jax.Array, table: Table, fitted: Fitted | None = None) -> Draw[jax.Array]:
    """Return weights: the table's times multinomial counts of rows of positive weight, drawn with replacement.

    As many are drawn as there are: a row of weight zero is not there, for the draws as for the fit. Row ⌊rows · u /
    2³²⌋ of a 32-bit u: no row is more than rows / 2³² likelier than another. It takes half the random bits of
    `jax.random.randint` and none of its remainders, which cost more than all of this.   Source: Lemire 2019.
    """
    size = table.weight.shape[0]
    is_there = table.weight > 0
    count = jnp.sum(is_there, dtype=jnp.int32)
    bits = jax.random.bits(key, (size,), jnp.uint32)
    rows = ((bits.astype(jnp.uint64) * count.astype(jnp.uint64)) >> jnp.uint64(32)).astype(jnp.int32)
    # of most tables every row counts, and they need no second look; the condition is the same in every replicate
    rows = jax.lax.cond(count == table.rows, _every, _there, rows, is_there)
    is_drawn = jnp.arange(size, dtype=jnp.int32) < count
    place = jnp.where(is_drawn, rows, size)
    return Draw(jnp.zeros_like(table.weight).at[place].add(1.0, mode="drop") * table.weight)


def _every(rows: jax.Array, is_there: jax.Array) -> jax.Array:
    """Return the rows (n,) as they are, where every one is there."""
    return rows


def _there(rows: jax.Array, is_there: jax.Array) -> jax.Array:
    """Return the places (n,) int32 of rows (n,) that were counted among those that are there."""
    return jnp.argsort(jnp.logical_not(is_there), stable=True).astype(jnp.int32)[rows]


SCHEME = Scheme("pairs", draw, "Efron 1979, Annals of Statistics 7(1)")

"""The residual bootstrap: the sizes of the runs stay as they are, and their residuals are drawn with replacement."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxscale.resampling.moving import place_in, rows_that_count, standardised, with_noise
from jaxscale.resampling.spec import Draw, Fitted, Scheme, Table


def draw(key: jax.Array, table: Table, fitted: Fitted | None = None) -> Draw[jax.Array]:
    """Return targets at the prediction with another row's residual, all of one variance and centred before.

    It takes the noise of every row to be of one distribution, but for the weights.
    """
    is_counted, size = rows_that_count(table), standardised(table, fitted)
    count = jnp.sum(is_counted, dtype=jnp.int32)
    size = jnp.where(is_counted, size - jnp.sum(size) / count.astype(jnp.float64), 0.0)
    bits = jax.random.bits(key, is_counted.shape, jnp.uint32)[place_in(is_counted)]
    drawn = ((bits.astype(jnp.uint64) * count.astype(jnp.uint64)) >> jnp.uint64(32)).astype(jnp.int32)
    there = jnp.argsort(jnp.logical_not(is_counted), stable=True)
    return with_noise(table, fitted, size[there[drawn]])


SCHEME = Scheme("residual", draw, "Davison & Hinkley 1997, algorithm 6.1", needs=("residuals",))

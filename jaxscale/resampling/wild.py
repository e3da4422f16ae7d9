"""The wild bootstrap: every run keeps the size of its residual and takes a random sign."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxscale.resampling.moving import place_in, rows_that_count, standardised, with_noise
from jaxscale.resampling.spec import Draw, Fitted, Scheme, Table


def draw(key: jax.Array, table: Table, fitted: Fitted | None = None) -> Draw[jax.Array]:
    """Return targets at the prediction with the row's own residual, larger by its leverage, times -1 or 1.

    The noise may be of another size in every row.
    """
    is_counted = rows_that_count(table)
    sign = jnp.where(jax.random.bits(key, is_counted.shape, jnp.uint32) >> 31, 1.0, -1.0)
    return with_noise(table, fitted, standardised(table, fitted) * sign[place_in(is_counted)])


SCHEME = Scheme("wild", draw, "Davidson & Flachaire 2008, Journal of Econometrics 146(1)", needs=("residuals",))

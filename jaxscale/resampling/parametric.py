"""The parametric bootstrap: the fit taken for the truth, with normal noise of the size of its residuals."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxscale.resampling.moving import of_fit, place_in, rows_that_count, with_noise
from jaxscale.resampling.spec import Draw, Fitted, Scheme, Table


def draw(key: jax.Array, table: Table, fitted: Fitted | None = None) -> Draw[jax.Array]:
    """Return targets at the prediction with normal noise of the variance s² / weight.

    s² = Σ w r² / (n - p), with the n rows that count and the p coefs that they determine: n - p is the sum of
    1 - leverage. A run far off makes all noise large, whatever the objective.
    """
    is_counted, known = rows_that_count(table), of_fit(fitted)
    squares = jnp.where(is_counted, table.weight * known.residual**2, 0.0)
    variance = jnp.sum(squares) / jnp.sum(jnp.where(is_counted, 1.0 - known.leverage, 0.0))
    noise = jax.random.normal(key, is_counted.shape, jnp.float64)[place_in(is_counted)]
    return with_noise(table, fitted, jnp.sqrt(variance) * noise)


SCHEME = Scheme("parametric", draw, "Davison & Hinkley 1997, §4.2", needs=("residuals",))

"""What schemes share: which rows count, and of those that move targets, residuals in and a draw with noise out.

A weight w is a precision: the noise of a row has the variance s² / w, as least squares takes it. Of a row that stands
for w equal runs that is the variance of their mean, so that weights that count runs are served, too.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.resampling.spec import Draw, Fitted, Table

FREE = 1e-9
"""Share of a residual that its own row leaves open, 1 - leverage, below which it is rounding and is left as it is."""


def rows_that_count(table: Table) -> jax.Array:
    """Return (n,) bool, the rows that count: those of positive weight."""
    return jnp.asarray(table.weight) > 0


def place_in(is_there: jax.Array) -> jax.Array:
    """Return the place (n,) int32 of each row among those that are there, so that others change no draw.

    That of a row that is not there means nothing, but is a place.
    """
    return jnp.maximum(jnp.cumsum(is_there, dtype=jnp.int32) - 1, 0)


def without_one(is_there: jax.Array, replicate: jax.Array | np.ndarray) -> jax.Array:
    """Return (n,) bool, those that are there but for one: of replicate r the r-th, and again from the first."""
    count = jnp.maximum(jnp.sum(is_there, dtype=jnp.int32), 1)
    return is_there & (place_in(is_there) != jnp.asarray(replicate) % count)


def standardised(table: Table, fitted: Fitted | None) -> jax.Array:
    """Return residuals (n,) of one variance, r √w / √(1 - leverage), zero in rows that do not count.

    Source: MacKinnon & White 1985, HC2; Davison & Hinkley 1997, eq. 6.9.
    """
    known = of_fit(fitted)
    left = 1.0 - known.leverage
    inflation = jnp.where(left > FREE, jax.lax.rsqrt(jnp.maximum(left, FREE)), 1.0)
    return jnp.where(rows_that_count(table), known.residual * jnp.sqrt(table.weight) * inflation, 0.0)


def with_noise(table: Table, fitted: Fitted | None, noise: jax.Array) -> Draw[jax.Array]:
    """Return the draw whose targets lie at the prediction less noise (n,), of one variance, over √w."""
    is_counted = rows_that_count(table)
    size = noise * jax.lax.rsqrt(jnp.where(is_counted, table.weight, 1.0))
    return Draw(jnp.asarray(table.weight), jnp.where(is_counted, of_fit(fitted).residual - size, 0.0))


def of_fit(fitted: Fitted | None) -> Fitted:
    """Return the point fit of a scheme that says that it needs one, and so has it."""
    if fitted is None:
        raise ValueError("a scheme that reads residuals was called without a point fit")
    return fitted

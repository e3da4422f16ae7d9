"""The Bayesian bootstrap: every row counts in every replicate, by a share that is drawn."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxscale.resampling.moving import place_in, rows_that_count
from jaxscale.resampling.spec import Draw, Fitted, Scheme, Table


def draw(key: jax.Array, table: Table, fitted: Fitted | None = None) -> Draw[jax.Array]:
    """Return weights: the table's times shares of a flat Dirichlet distribution, whose mean is made 1.

    No row is ever left out, so that no replicate has fewer rows than coefs.   Source: Rubin 1981.
    """
    is_counted = rows_that_count(table)
    size = jax.random.exponential(key, is_counted.shape, jnp.float64)[place_in(is_counted)]
    size = jnp.where(is_counted, size, 0.0)
    mean = jnp.sum(size) / jnp.sum(is_counted, dtype=jnp.float64)
    return Draw(size / mean * table.weight)


SCHEME = Scheme("bayesian", draw, "Rubin 1981, Annals of Statistics 9(1)")

"""The jackknife: replicate r is the table without its row r. There are as many replicates as rows that count."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxscale.resampling.moving import rows_that_count, without_one
from jaxscale.resampling.spec import Draw, Fitted, Scheme, Table


def draw(key: jax.Array, table: Table, fitted: Fitted | None = None) -> Draw[jax.Array]:
    """Return the table's weights, that of one row zero: counted over rows of positive weight, and again from the first.

    The key is not used: nothing is drawn.
    """
    is_left = without_one(rows_that_count(table), table.replicate)
    return Draw(jnp.where(is_left, table.weight, 0.0))


SCHEME = Scheme("jackknife", draw, "Efron 1982, The Jackknife, the Bootstrap, chapter 3", is_listed=True)

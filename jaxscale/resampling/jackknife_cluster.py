"""The jackknife of groups: replicate r is the table without its group r, such as all checkpoints of one run."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxscale.resampling.moving import without_one
from jaxscale.resampling.spec import Draw, Fitted, Scheme, Table


def draw(key: jax.Array, table: Table, fitted: Fitted | None = None) -> Draw[jax.Array]:
    """Return the table's weights, those of one group zero: counted over groups of which a row counts.

    The key is not used: nothing is drawn.
    """
    mass = jnp.zeros_like(table.weight).at[table.cluster].max(table.weight)
    return Draw(jnp.where(without_one(mass > 0, table.replicate)[table.cluster], table.weight, 0.0))


SCHEME = Scheme(
    "jackknife-cluster", draw, "Cameron & Miller 2015, Journal of Human Resources 50(2)", ("groups",), is_listed=True
)

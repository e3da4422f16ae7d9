"""The cluster bootstrap: whole groups of rows drawn with replacement, such as all checkpoints or seeds of one run."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxscale.resampling.pairs import draw as draw_rows
from jaxscale.resampling.spec import Draw, Fitted, Scheme, Table


def draw(key: jax.Array, table: Table, fitted: Fitted | None = None) -> Draw[jax.Array]:
    """Return weights: the table's times how often each row's cluster was drawn, as many draws as there are clusters.

    A cluster whose rows all have weight zero is not drawn.
    """
    count = jnp.max(table.cluster) + 1
    mass = jnp.zeros_like(table.weight).at[table.cluster].max(table.weight)
    times = draw_rows(key, Table(jnp.sign(mass), count, table.cluster)).weight
    return Draw(times[table.cluster] * table.weight)


SCHEME = Scheme("cluster", draw, "Davison & Hinkley 1997, §3.8", needs=("groups",))

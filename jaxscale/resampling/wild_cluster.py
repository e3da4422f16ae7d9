"""The wild cluster bootstrap: all residuals of a group are multiplied by one random number."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.resampling.moving import place_in, rows_that_count, standardised, with_noise
from jaxscale.resampling.spec import Draw, Fitted, Scheme, Table

WEBB = np.sqrt([0.5, 1.0, 1.5])
"""The sizes of Webb's six multipliers, each with both signs and all as likely: of mean 0, variance 1 and skewness 0."""


def draw(key: jax.Array, table: Table, fitted: Fitted | None = None) -> Draw[jax.Array]:
    """Return targets at the prediction with the row's own residual, larger by its leverage, times its group's number.

    What the rows of a group have in common stays in common. Six numbers, not two, since of a few groups two make few
    tables. The leverage is that of the row alone, which of few large groups is less than the group's.
    """
    mass = jnp.zeros_like(table.weight).at[table.cluster].max(table.weight)
    bits = jax.random.bits(key, rows_that_count(table).shape, jnp.uint32).astype(jnp.uint64)
    which = ((bits * jnp.uint64(2 * len(WEBB))) >> jnp.uint64(32)).astype(jnp.int32)
    factor = jnp.asarray(np.concatenate([-WEBB[::-1], WEBB]))[which]
    return with_noise(table, fitted, standardised(table, fitted) * factor[place_in(mass > 0)][table.cluster])


SCHEME = Scheme("wild-cluster", draw, "Webb 2023, Canadian Journal of Economics 56(3)", needs=("groups", "residuals"))

"""The parametric bootstrap of groups: normal noise of which a part is common to the rows of a group."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxscale.resampling.moving import place_in, rows_that_count, standardised, with_noise
from jaxscale.resampling.spec import Draw, Fitted, Scheme, Table


def draw(key: jax.Array, table: Table, fitted: Fitted | None = None) -> Draw[jax.Array]:
    """Return targets at the prediction with normal noise of two variances: between groups and within them.

    Both are estimated from the residuals, larger by their leverage, by the analysis of variance of groups of different
    sizes around a mean of zero; one that comes out negative is zero.
    """
    is_counted, residual = rows_that_count(table), standardised(table, fitted)
    size, group = is_counted.shape[0], jnp.where(is_counted, table.cluster, table.weight.shape[0])
    count = jnp.zeros(size).at[group].add(1.0, mode="drop")
    total = jnp.zeros(size).at[group].add(residual, mode="drop")
    is_there, rows = count > 0, jnp.sum(count)
    groups, mean = jnp.sum(is_there), total / jnp.maximum(count, 1.0)
    away = jnp.where(is_counted, residual - mean[jnp.minimum(group, size - 1)], 0.0)
    within = jnp.sum(away**2) / jnp.maximum(rows - groups, 1.0)
    typical = rows / groups  # of E Σ n m² = G within + N between, for means m of n rows
    between = jnp.maximum(jnp.sum(count * mean**2) / groups - within, 0.0) / typical
    own, common = jax.random.split(key)
    noise = jnp.sqrt(within) * jax.random.normal(own, (size,), jnp.float64)[place_in(is_counted)]
    shared = jnp.sqrt(between) * jax.random.normal(common, (size,), jnp.float64)[place_in(is_there)][table.cluster]
    return with_noise(table, fitted, noise + shared)


SCHEME = Scheme(
    "parametric-cluster", draw, "Searle, Casella & McCulloch 1992, §3.6", needs=("groups", "residuals")
)  # fmt: skip

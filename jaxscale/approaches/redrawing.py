"""Resampling whole runs: where several rows belong to one run, a replicate draws runs and takes all of their rows."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.resampling import SCHEMES, Scheme, Table
from jaxscale.runs import Runs


@dataclass(frozen=True)
class Clusters:
    """Draws runs with replacement, as many as there are; codes: the run of each row, counted from 0."""

    codes: tuple[int, ...]

    def __call__(self, key: jax.Array, table: Table) -> jax.Array:
        """Return the table's weights times how often each row's run was drawn; padding rows keep weight zero."""
        count = max(self.codes) + 1
        bits = jax.random.bits(key, (count,), jnp.uint32)
        drawn = ((bits.astype(jnp.uint64) * jnp.uint64(count)) >> jnp.uint64(32)).astype(jnp.int32)
        times = jnp.zeros(count, table.weight.dtype).at[drawn].add(1.0)
        own = np.zeros(table.weight.shape[0], np.int32)
        own[: len(self.codes)] = self.codes
        return times[own] * table.weight


def scheme_of(runs: Runs) -> Scheme:
    """Return the scheme that resamples runs: whole groups where the table has them, else single rows."""
    if runs.group is None:
        return SCHEMES.resolve("pairs")
    codes = tuple(int(code) for code in np.unique(runs.group.astype(str), return_inverse=True)[1])
    return Scheme("clusters", Clusters(codes), "Davison & Hinkley 1997, §3.8")

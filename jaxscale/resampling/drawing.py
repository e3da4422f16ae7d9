"""One derivation of randomness: replicate r of a seed is the same for every chunk, device and total."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale import precision
from jaxscale.errors import UsageError
from jaxscale.resampling.spec import Scheme, Table, clusters_of

SEED_OUTSIDE = "seed = {seed!r} is not an integer between 0 and 4294967295"


def root_key(seed: int) -> jax.Array:
    """Return `jax.random.key(seed)`, typed, whatever the caller's generator and seed offset."""
    return key_of(jnp.asarray(key_words(seed)))


def key_words(seed: int) -> np.ndarray:
    """Return the two words of the key of a seed: what a compiled program takes, a typed key being slow to pass."""
    check_seed(seed)
    return np.array([0, seed], dtype=np.uint32)


def key_of(words: jax.Array) -> jax.Array:
    """Return the typed key of its two words."""
    return jax.random.wrap_key_data(words, impl="threefry2x32")


def check_seed(seed: int) -> None:
    """Raise UsageError unless the seed is an integer that fits in 32 bits."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise UsageError(SEED_OUTSIDE.format(seed=seed))


def draw_replicate(scheme: Scheme, root: jax.Array, table: Table, replicate: jax.Array) -> jax.Array:
    """Return the weights (n,) of one replicate (int32 scalar), on the device."""
    return scheme.draw(jax.random.fold_in(root, replicate), table)


def redraw(
    scheme: Scheme, seed: int, replicates: np.ndarray, weight: np.ndarray, group: np.ndarray | None = None
) -> np.ndarray:
    """Return the weights (k, n) of k replicates, exactly those that the bootstrap of this seed used.

    weight, group: (n,) of the table; group None where it has none.
    """
    cluster = clusters_of(group, len(weight))
    with precision.float64():
        table = Table(jnp.asarray(weight, jnp.float64), jnp.asarray(len(weight), jnp.int32), jnp.asarray(cluster))
        draw = jax.vmap(partial(draw_replicate, scheme, root_key(seed), table))
        return np.asarray(draw(jnp.asarray(replicates, jnp.int32)))

"""One derivation of randomness: replicate r of a seed is the same for every chunk, device and total."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale import precision
from jaxscale.errors import UsageError
from jaxscale.resampling.spec import Draw, Fitted, Scheme, Table, clusters_of

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


def draw_replicate(
    scheme: Scheme, root: jax.Array, table: Table, fitted: Fitted | None, replicate: jax.Array
) -> Draw[jax.Array]:
    """Return the draw of one replicate (int32 scalar), on the device."""
    return scheme.draw(jax.random.fold_in(root, replicate), table._replace(replicate=replicate), fitted)


def redraw(
    scheme: Scheme,
    seed: int,
    replicates: np.ndarray,
    weight: np.ndarray,
    group: np.ndarray | None = None,
    fitted: Fitted | None = None,
) -> Draw[np.ndarray]:
    """Return the draws of k replicates, NumPy (k, n), exactly those that the bootstrap of this seed used.

    weight, group: (n,) of the table; group None where it has none.   fitted: for a scheme that needs residuals.
    """
    cluster = clusters_of(group, len(weight))
    with precision.float64():
        table = Table(jnp.asarray(weight, jnp.float64), jnp.asarray(len(weight), jnp.int32), jnp.asarray(cluster))
        known = None if fitted is None else Fitted(*(jnp.asarray(part, jnp.float64) for part in fitted))
        draw = jax.vmap(partial(draw_replicate, scheme, root_key(seed), table, known))
        drawn: Draw[np.ndarray] = jax.tree.map(np.asarray, draw(jnp.asarray(replicates, jnp.int32)))
        return drawn

"""One derivation of randomness: replicate r of a seed is the same for every chunk, device and total."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

import jax
import numpy as np

from jaxscale.errors import UsageError
from jaxscale.numerics.hosted import extended, hosted, shared_length
from jaxscale.resampling.spec import Draw, Fitted, Scheme, Table, Tables, clusters_of

SEED_OUTSIDE = "seed = {seed!r} is not an integer between 0 and 4294967295"


def key_words(seed: int) -> np.ndarray:
    """Return the two words of `jax.random.key(seed)`, whatever the caller's generator and seed offset: what a compiled
    program takes, a typed key being slow to pass.
    """
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
    scheme: Scheme, root: jax.Array, table: Table, fitted: Fitted | Tables | None, replicate: jax.Array
) -> Draw[jax.Array]:
    """Return the draw of one replicate (int32 scalar), on the device."""
    return scheme.draw(jax.random.fold_in(root, replicate), table._replace(replicate=replicate), fitted)


def redraw(
    scheme: Scheme,
    seed: int,
    replicates: np.ndarray,
    weight: np.ndarray,
    group: np.ndarray | None = None,
    fitted: Fitted | Tables | None = None,
) -> Draw[np.ndarray]:
    """Return the draws of k replicates, NumPy (k, n), exactly those that the bootstrap of this seed used.

    weight, group: (n,) of the table; group None where it has none.   fitted: for a scheme that needs residuals, or the
    tables of one that draws from these.
    """
    count, rows = len(replicates), len(weight)
    size = shared_length(rows)
    padding = (0, size - rows)
    cluster = extended(clusters_of(group, rows), size)
    table = Table(np.pad(np.asarray(weight, np.float64), padding), np.array(rows, np.int32), cluster)
    known = padded(fitted, size)
    asked = extended(np.asarray(replicates, np.int32), shared_length(count))
    drawn = hosted(_draw_each(scheme), key_words(seed), table, known, asked)
    return Draw(*(None if part is None else part[:count, :rows] for part in drawn))


def padded(fitted: Fitted | Tables | None, size: int) -> Fitted | Tables | None:
    """Return what a scheme draws from with its rows, the last axis of every part, padded by zeros to a length."""

    def one(part: np.ndarray) -> np.ndarray:
        whole = np.asarray(part, np.float64)
        return np.pad(whole, [(0, 0)] * (whole.ndim - 1) + [(0, size - whole.shape[-1])])

    found: Fitted | Tables | None = jax.tree.map(one, fitted)
    return found


@lru_cache(maxsize=64)
def _draw_each(scheme: Scheme) -> Callable[..., Draw[jax.Array]]:
    """Return (words of a key, table, fitted, replicates (k,)) → draws (k, n)."""

    def each(words: jax.Array, table: Table, fitted: Fitted | Tables | None, replicates: jax.Array) -> Draw[jax.Array]:
        return jax.vmap(partial(draw_replicate, scheme, key_of(words), table, fitted))(replicates)

    return each

"""The device program that draws replicates: one for a scheme, a bucket of rows and a width, whatever the law."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import PartitionSpec
from jaxtyping import Array, Int

from jaxscale import precision
from jaxscale.engine import placement
from jaxscale.engine.data import Batch
from jaxscale.resampling import Draw, Fitted, Scheme, Table, Tables, draw_replicate, key_of
from jaxscale.resampling.drawing import padded
from jaxscale.solvers.problem import Tree

KEY = jax.ShapeDtypeStruct((2,), np.uint32)
"""The shape of a key's two words."""


class Source(NamedTuple):
    """What the replicates of an ensemble are drawn from; NumPy arrays, or the device's.

    key: its two words.   table: padded to its bucket.   fitted: for a scheme that needs residuals, or the tables of one
    that draws from these; else None.
    """

    key: Tree
    table: Table
    fitted: Fitted | Tables | None


class Drawn(NamedTuple):
    """Replicates as lanes see them: their draws (B, n), their total weight (B,), and how many rows count (B,)."""

    draw: Draw[Tree]
    total_weight: Tree
    rows: Tree


def source_of(batch: Batch, key: np.ndarray, fitted: Fitted | Tables | None) -> Source:
    """Return the source of a padded table; fitted: of its real rows."""
    known = padded(fitted, len(batch.target))
    return Source(key, Table(batch.weight, np.array(batch.count, np.int32), batch.cluster), known)


def draw_chunk(
    scheme: Scheme, block: int, mesh: jax.sharding.Mesh | None, argument: tuple[Source, Tree, Tree]
) -> Drawn:
    """Return the draws of lanes that move, which come first, and zeros beyond: of (source, replicate, is_moving).

    replicate: (B,) int32, -1 for the table as it is.   is_moving: (B,) bool.   block: how many are drawn together; it
    divides B.   mesh: devices that each draw their own share.
    """
    draw = partial(_draw_share, scheme, block)
    if mesh is None:
        return draw(argument)
    alike: Tree = PartitionSpec()
    shared: Tree = PartitionSpec(placement.AXIS)
    drawn: Drawn = jax.shard_map(
        draw, mesh=mesh, in_specs=((alike, shared, shared),), out_specs=shared, check_vma=False
    )(argument)
    return drawn


def _draw_share(scheme: Scheme, block: int, argument: tuple[Source, Tree, Tree]) -> Drawn:
    source, replicate, is_moving = argument
    one = partial(_draw_one, scheme, source)
    draw: Draw[jax.Array] = in_blocks(jax.vmap(one), replicate, block, jnp.sum(is_moving, dtype=jnp.int32))
    return Drawn(draw, jnp.sum(draw.weight, axis=1), jnp.sum(draw.weight > 0, axis=1, dtype=jnp.int32))


def _draw_one(scheme: Scheme, source: Source, replicate: jax.Array) -> Draw[jax.Array]:
    """Return one replicate: its key depends on the seed and its index alone."""
    draw = draw_replicate(scheme, key_of(source.key), source.table, source.fitted, replicate)
    is_table = replicate < 0
    weight = jnp.where(is_table, source.table.weight, draw.weight)
    return Draw(weight, None if draw.shift is None else jnp.where(is_table, 0.0, draw.shift))


def in_blocks(
    function: Callable[[Int[Array, " k"]], Tree],
    argument: Int[Array, " B"],
    block: int,
    count: Int[Array, ""],
) -> Tree:
    """Return function(argument), a pytree with leaves (B, n), computed `block` entries at a time for the first `count`
    of them, and zeros beyond.
    """
    one_block = jax.jit(function, inline=True)  # so that it is traced once, for its shapes and for its operations

    def compute(at: jax.Array, whole: Tree) -> Tree:
        def write(into: jax.Array, part: jax.Array) -> jax.Array:
            return jax.lax.dynamic_update_slice(into, part, (at * block, jnp.zeros_like(at)))

        return jax.tree.map(write, whole, one_block(jax.lax.dynamic_slice(argument, (at * block,), (block,))))

    shapes = jax.eval_shape(one_block, jax.ShapeDtypeStruct((block,), argument.dtype))
    zeros = jax.tree.map(lambda one: jnp.zeros((len(argument), *one.shape[1:]), one.dtype), shapes)
    return jax.lax.fori_loop(0, (count + (block - 1)) // block, compute, zeros)


@lru_cache(maxsize=64)
def moves_targets(scheme: Scheme) -> bool:
    """Return whether the draws of a scheme have a shift, as those of one that draws from several tables do."""
    if scheme.tables:
        return True
    number, rows = jax.ShapeDtypeStruct((), np.int32), jax.ShapeDtypeStruct((8,), np.float64)
    table: Table = Table(rows, number, jax.ShapeDtypeStruct((8,), np.int32), number)  # type: ignore[arg-type]
    fitted = Fitted(rows, rows, rows) if "residuals" in scheme.needs else None  # type: ignore[arg-type]
    with precision.float64():
        draw = jax.eval_shape(lambda words, *known: scheme.draw(key_of(words), *known), KEY, table, fitted)
    return draw.shift is not None

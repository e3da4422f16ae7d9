"""Tables and lanes as arrays: padded to shapes that programs share, cut into chunks, and moved to a device and back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from jaxscale.solvers.problem import Tree

SMALLEST_BUCKET = 32


@dataclass(frozen=True)
class Batch:
    """A table ready for a device: rows padded to a bucket with copies of row 0, of weight zero.

    columns: one array (bucket, …) per input of the law.   target: (bucket,), ln loss or loss.   weight: (bucket,).
    cluster: (bucket,) int32, what a scheme may draw together.   count: real rows, which come first.   rounding: the
    residual that rounding of the target alone produces.
    """

    columns: tuple[np.ndarray, ...]
    target: np.ndarray
    weight: np.ndarray
    cluster: np.ndarray
    count: int
    rounding: float

    @property
    def is_positive(self) -> tuple[bool, ...]:
        """Return of each column whether it is positive throughout."""
        return tuple(bool(np.all(column > 0)) for column in self.columns)


def pad(columns: tuple[np.ndarray, ...], target: np.ndarray, weight: np.ndarray, cluster: np.ndarray) -> Batch:
    """Return the table (n, …) padded to its bucket; a padding row repeats row 0, so that no law meets a zero there."""
    count = len(target)
    index = np.concatenate([np.arange(count), np.zeros(bucket(count) - count, dtype=np.intp)])
    padded = weight[index]
    padded[count:] = 0.0
    rounding = 8.0 * np.finfo(np.float64).eps * max(1e-300, float(np.max(np.abs(target), initial=0.0)))
    return Batch(tuple(column[index] for column in columns), target[index], padded, cluster[index], count, rounding)


def bucket(count: int) -> int:
    """Return the smallest shared length that holds count rows: steps of 32, and of an eighth from 128 on.

    Each length is a program of its own, which compiles for seconds; a row of padding costs a microsecond a replicate.
    """
    size = SMALLEST_BUCKET
    while size < count:
        power = 1 << (size.bit_length() - 1)
        size += power // 8 if power >= 4 * SMALLEST_BUCKET else SMALLEST_BUCKET
    return size


def chunks(total: int, width: int) -> Iterator[slice]:
    """Yield slices of at most width that cover range(total)."""
    for begin in range(0, total, width):
        yield slice(begin, min(begin + width, total))


def fill(values: np.ndarray, width: int, filler: np.ndarray | None = None) -> np.ndarray:
    """Return values (k, …) with filler (1, …), or the last of them, repeated behind them up to length width."""
    if len(values) == width:
        return values
    filler = values[-1:] if filler is None else filler
    return np.concatenate([values, np.repeat(filler, width - len(values), axis=0)])


@dataclass(frozen=True)
class Flattening:
    """How the leaves (B, …) of a pytree lie in the columns of one float64 matrix (B, width); hashable.

    Integers and booleans of up to 32 bits survive unchanged. Both directions take NumPy or JAX arrays.
    """

    tree: Any
    shapes: tuple[tuple[int, ...], ...]
    types: tuple[np.dtype, ...]

    @classmethod
    def of(cls, example: Tree) -> Flattening:
        """Return the flattening of pytrees like this one, whatever their number of lanes."""
        leaves, tree = jax.tree.flatten(example)
        return cls(tree, tuple(leaf.shape[1:] for leaf in leaves), tuple(np.dtype(leaf.dtype) for leaf in leaves))

    @property
    def width(self) -> int:
        """Columns of the matrix."""
        return sum(math.prod(shape) for shape in self.shapes)

    def flatten(self, value: Tree) -> Tree:
        """Return the matrix (B, width) of a pytree."""
        leaves = jax.tree.leaves(value)
        of = leaves[0].__array_namespace__()
        widths = [math.prod(shape) for shape in self.shapes]  # not -1: there may be no lanes
        flat = [leaf.reshape(len(leaf), width) for leaf, width in zip(leaves, widths, strict=True)]
        return of.concatenate([leaf.astype(np.float64) for leaf in flat], axis=1)

    def unflatten(self, matrix: Tree) -> Tree:
        """Return the pytree of a matrix (B, width)."""
        leaves, at = [], 0
        for shape, kind in zip(self.shapes, self.types, strict=True):
            end = at + math.prod(shape)
            leaves.append(matrix[:, at:end].reshape(len(matrix), *shape).astype(kind))
            at = end
        return jax.tree.unflatten(self.tree, leaves)


def upload(tree: Tree) -> Tree:
    """Return the pytree with every NumPy array or scalar as a device array of the same type; call it in float64.

    Not checked: that the NumPy arrays are not written to afterwards; a CPU may go on using their memory.
    """
    return jax.device_put(tree)  # jnp.asarray compiles a program for every shape


def download(tree: Tree) -> Tree:
    """Return the pytree with every device array as a NumPy array; waits for the device."""
    return jax.tree.map(np.asarray, tree)

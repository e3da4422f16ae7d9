"""A pytree of per-lane arrays as one matrix, so that lanes are sorted, padded and sent as rows of a single array."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from jaxscale.solvers.problem import Tree


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

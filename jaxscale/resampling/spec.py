"""What a resampling scheme is: a pure function from a key and a table to weights of the same shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np


class Table(NamedTuple):
    """What a scheme may look at.

    weight: (n,) the table's own weights, zero in padding rows.   rows: int32 scalar, the number of real rows, which
    come first.   cluster: (n,) int32, to which cluster each row belongs, counted from 0 without a gap; a padding row
    to any.
    """

    weight: jax.Array
    rows: jax.Array
    cluster: jax.Array


@dataclass(frozen=True)
class Scheme:
    """A named rule; draw(key, table) returns the weights (n,) of one replicate, zero in padding rows.

    has_groups: whether it draws the groups of a table, which then must have some.
    """

    name: str
    draw: Callable[[jax.Array, Table], jax.Array]
    source: str
    has_groups: bool = False


def clusters_of(group: np.ndarray | None, rows: int) -> np.ndarray:
    """Return to which cluster each row belongs (rows,) int32, in the order in which their names appear.

    group: (rows,) names, or None, where every row is a cluster of its own.
    """
    if group is None:
        return np.arange(rows, dtype=np.int32)
    codes: dict[str, int] = {}
    return np.array([codes.setdefault(name, len(codes)) for name in group], dtype=np.int32)

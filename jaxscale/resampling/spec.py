"""What a resampling scheme is: a pure function from a key and a table to weights of the same shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax


class Table(NamedTuple):
    """What a scheme may look at.

    weight: (n,) the table's own weights, zero in padding rows.   rows: int32 scalar, the number of real rows, which
    come first.
    """

    weight: jax.Array
    rows: jax.Array


@dataclass(frozen=True)
class Scheme:
    """A named rule; draw(key, table) returns the weights (n,) of one replicate, zero in padding rows."""

    name: str
    draw: Callable[[jax.Array, Table], jax.Array]
    source: str

"""Samples that are read block by block: exact quantiles of more replicates than there is memory for at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

AT_ONCE = 1 << 28
"""Bytes of columns that are in memory together."""


@dataclass(frozen=True)
class Blocks:
    """Numbers (R, …) in blocks along the first axis, each read when it is needed; np.asarray reads them all.

    read: yields float64 (k, …), NaN in replicates that do not count.
    """

    shape: tuple[int, ...]
    read: Callable[[], Iterator[np.ndarray]]

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        """Axes, as of an array."""
        return len(self.shape)

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        whole = np.concatenate([np.zeros((0, *self.shape[1:])), *self.read()])
        return whole if dtype is None else whole.astype(dtype)

    def __getitem__(self, key: Any) -> np.ndarray:  # noqa: ANN401 - whatever indexes an array
        found: np.ndarray = np.asarray(self)[key]
        return found

    def __truediv__(self, other: Blocks) -> Blocks:
        return Blocks(self.shape, lambda: (one / two for one, two in zip(self.read(), other.read(), strict=True)))


def order_statistics(blocks: Blocks, ranks_of: Callable[[int], Sequence[int]]) -> tuple[np.ndarray, int]:
    """Return order statistics (r, …) of the replicates without NaN, and how many of these there are.

    ranks_of: from their number n to the ranks wanted, 0 … n - 1; not called where there are none.   In memory at a time
    are as many columns as AT_ONCE holds. No rounding: the numbers are some of the replicates' own.
    """
    columns = math.prod(blocks.shape[1:])
    if 8 * columns * len(blocks) <= AT_ONCE:
        return _at_once(blocks, columns, ranks_of)
    usable = [~np.isnan(_flat(block)).any(axis=1) for block in blocks.read()]
    count = sum(int(np.count_nonzero(one)) for one in usable)
    if not count:
        return np.zeros((0, *blocks.shape[1:])), 0
    ranks = np.asarray(ranks_of(count))
    found, most = np.empty((len(ranks), columns)), max(AT_ONCE // (8 * count), 1)
    for first in range(0, columns, most):
        some = np.empty((min(most, columns - first), count))
        begin = 0
        for block, counts in zip(blocks.read(), usable, strict=True):
            end = begin + int(np.count_nonzero(counts))
            for at, values in enumerate(some):
                column = _flat(block)[:, first + at]
                values[begin:end] = column if end - begin == len(column) else column[counts]
            begin = end
        for at, values in enumerate(some):
            found[:, first + at] = _ranked(values, ranks)
    return found.reshape(len(ranks), *blocks.shape[1:]), count


def _at_once(blocks: Blocks, columns: int, ranks_of: Callable[[int], Sequence[int]]) -> tuple[np.ndarray, int]:
    """Return the same of blocks for whose columns there is room together, each block read once."""
    whole, count = np.empty((columns, len(blocks))), 0
    for block in blocks.read():
        values = _flat(block)
        counts = ~np.isnan(values).any(axis=1)
        end = count + int(np.count_nonzero(counts))
        whole[:, count:end] = values.T if end - count == len(values) else values[counts].T
        count = end
    if not count:
        return np.zeros((0, *blocks.shape[1:])), 0
    ranks = np.asarray(ranks_of(count))
    found = np.stack([_ranked(values, ranks) for values in whole[:, :count]], axis=1)
    return found.reshape(len(ranks), *blocks.shape[1:]), count


def _ranked(values: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """Return the order statistics of values (k,), whose order changes."""
    values.partition(np.unique(ranks))
    return values[ranks]


def _flat(block: np.ndarray) -> np.ndarray:
    """Return a block as a matrix (k, m), without a copy where it is one."""
    return block if block.ndim == 2 else block.reshape(len(block), -1)

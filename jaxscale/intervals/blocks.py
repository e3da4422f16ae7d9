"""Samples that are read block by block: exact quantiles of more replicates than there is memory for at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

ENOUGH = 1 << 16
"""Replicates of which brackets around quantiles are taken."""
WIDTH = 6.0
"""Standard errors of a quantile of those on either side of it: a bracket that misses is widened to everything."""


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

    ranks_of: from their number n to the ranks wanted, 0 … n - 1; not called where there are none.   Two passes over the
    blocks, or three: the first finds brackets from some of the replicates, the second counts below them and sorts what
    lies in them. No rounding: the numbers are some of the replicates' own.
    """
    count, some = 0, []
    step = max(len(blocks) // ENOUGH, 1)
    for block in blocks.read():
        usable = _usable(block)
        count += len(usable)
        some.append(usable[::step])
    if not count:
        return np.zeros((0, *blocks.shape[1:])), 0
    sample, ranks = np.sort(np.concatenate(some), axis=0), list(ranks_of(count))
    low, high = _brackets(sample, ranks, count)
    found, is_found = _picked(blocks, ranks, low, high)
    if not is_found.all():
        low, high = np.where(is_found, low, -np.inf), np.where(is_found, high, np.inf)
        found, _ = _picked(blocks, ranks, low, high)
    return found.reshape(len(ranks), *blocks.shape[1:]), count


def _usable(block: np.ndarray) -> np.ndarray:
    """Return the replicates of a block that are NaN nowhere, as a matrix (k, m)."""
    flat = np.asarray(block, dtype=np.float64).reshape(len(block), -1)
    return flat[~np.isnan(flat).any(axis=1)]


def _brackets(sample: np.ndarray, ranks: Sequence[int], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers (r, m) below and above which the order statistics of so many hardly lie, by a sorted sample."""
    size = len(sample)
    low, high = np.empty((len(ranks), sample.shape[1])), np.empty((len(ranks), sample.shape[1]))
    for at, rank in enumerate(ranks):
        share = (rank + 0.5) / count
        away = WIDTH * math.sqrt(size * share * (1.0 - share)) + 2.0
        first, last = math.floor(share * size - away), math.ceil(share * size + away)
        low[at] = sample[first] if first >= 0 else -np.inf
        high[at] = sample[last] if last < size else np.inf
    return low, high


def _picked(blocks: Blocks, ranks: Sequence[int], low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the order statistics (r, m), and whether each lies in its bracket."""
    below = np.zeros(low.shape, int)
    within: list[list[list[np.ndarray]]] = [[[] for _ in row] for row in low]
    for block in blocks.read():
        usable = _usable(block)
        for column in range(usable.shape[1]):
            values = usable[:, column]
            for at in range(len(ranks)):
                is_below = values < low[at, column]
                below[at, column] += int(np.count_nonzero(is_below))
                within[at][column].append(values[~is_below & (values <= high[at, column])])
    found, is_found = np.full(low.shape, np.nan), np.zeros(low.shape, bool)
    for at, rank in enumerate(ranks):
        for column in range(low.shape[1]):
            order = np.sort(np.concatenate(within[at][column]))
            place = rank - below[at, column]
            is_found[at, column] = 0 <= place < len(order)
            if is_found[at, column]:
                found[at, column] = order[place]
    return found, is_found

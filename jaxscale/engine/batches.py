"""Tables padded to shapes that programs share, and ensembles cut into chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

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

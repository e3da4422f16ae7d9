"""Columns of text as two arrays of numbers, so that one long cell does not make every cell long."""

from __future__ import annotations

import numpy as np

from jaxscale.errors import StoreError
from jaxscale.store.archive import Archive

TEXT_DAMAGED = "{place}: the text {name} cannot be read; fit again"


def text_arrays(name: str, texts: np.ndarray) -> dict[str, np.ndarray]:
    """Return the cells' UTF-8 bytes, one after another, and where each cell ends, (n,) int64.

    texts: (n,) object array of str.   A lone surrogate is kept, as three bytes.   Raises TypeError for other objects.
    """
    cells = []
    for text in texts.tolist():
        if not isinstance(text, str):
            raise TypeError(f"{name} holds {type(text).__name__}, not str")
        cells.append(text.encode("utf-8", "surrogatepass"))
    ends = np.cumsum([len(cell) for cell in cells], dtype=np.int64)
    return {f"{name}.utf8": np.frombuffer(b"".join(cells), np.uint8), f"{name}.ends": ends}


def texts_of(archive: Archive, name: str, count: int) -> np.ndarray:
    """Return (count,) object array of str; raise StoreError where bytes and ends do not belong together."""
    data = archive.array(f"{name}.utf8", (None,), "|u1").tobytes()
    ends = archive.array(f"{name}.ends", (count,), "<i8")
    bounds = np.concatenate([[0], ends])
    texts = np.empty(count, dtype=object)
    try:
        if np.any(np.diff(bounds) < 0) or bounds[-1] != len(data):
            raise ValueError
        texts[:] = [data[start:end].decode("utf-8", "surrogatepass") for start, end in zip(bounds, ends, strict=False)]
    except ValueError as error:
        raise StoreError(TEXT_DAMAGED.format(place=archive.place, name=name)) from error
    return texts

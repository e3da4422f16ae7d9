"""Typed values to cells: numbers become float64, the rest becomes text to be judged like a file's."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from jaxscale.runs.numbers import EXACT_BELOW

NOTHING = frozenset({"NoneType", "NAType", "NaTType"})


def cells_of(values: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return cells (n,), float64 or object array of str, and whether the values were stored as text.

    values: (n,) of any dtype. Integers above 2^53 become text, so that they are remarked upon; None, NaN and pandas'
    NA become NaN, or the empty text beside text. True and False are text: they are no numbers.
    """
    if values.dtype.kind == "f":
        return values.astype(np.float64), False
    if values.dtype.kind in "iu" and not (values.size and max(-float(values.min()), float(values.max())) > EXACT_BELOW):
        return values.astype(np.float64), False
    items = values.tolist() if values.dtype.kind in "iub" else list(values)
    if all(is_nothing(item) or _is_plain_number(item) for item in items):
        return np.array([math.nan if is_nothing(item) else float(item) for item in items], dtype=np.float64), False
    text = np.empty(len(items), dtype=object)
    text[:] = ["" if is_nothing(item) else _text(item) for item in items]
    return text, any(isinstance(item, str) for item in items)


def is_nothing(item: object) -> bool:
    """Return whether a value stands for none: None, NaN, and NA and NaT of pandas."""
    return type(item).__name__ in NOTHING or (isinstance(item, (float, np.floating, Decimal)) and math.isnan(item))


def digest(columns: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 of names and cells, in order, in hexadecimal."""
    sha = hashlib.sha256()
    for name, cells in columns.items():
        content = "\x1f".join(cells).encode("utf-8", "surrogatepass") if cells.dtype == object else cells.tobytes()
        sha.update(f"{name!r} {len(content)} ".encode())
        sha.update(content)
    return sha.hexdigest()


def _is_plain_number(item: object) -> bool:
    if isinstance(item, (bool, np.bool_)) or not isinstance(item, (int, float, Decimal, np.integer, np.floating)):
        return False
    return not isinstance(item, (int, np.integer)) or abs(int(item)) <= EXACT_BELOW


def _text(item: object) -> str:
    return repr(float(item)) if isinstance(item, (float, np.floating)) else str(item)

"""Single numbers as strict JSON, bit for bit: JSON has no NaN and no infinity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

_WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def written(number: float) -> float | str | None:
    """Return a number for JSON: itself if finite, null for NaN, "inf" or "-inf"."""
    number = float(number)
    return number if math.isfinite(number) else None if math.isnan(number) else str(number)


def written_optional(number: float | None) -> float | str | None:
    """Return a number that may be absent: null for None, so NaN is the word "nan"."""
    return "nan" if number is not None and math.isnan(number) else None if number is None else written(number)


def number_of(value: object) -> float | None:
    """Return the number that was written, None for null; raise ValueError for any other JSON value."""
    if value is None:
        return None
    if isinstance(value, str) and value in _WORDS:
        return _WORDS[value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError
    number = float(value)
    if not math.isfinite(number):  # a literal such as 1e999
        raise ValueError
    return number

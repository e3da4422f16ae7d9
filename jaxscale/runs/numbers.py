"""Cells to float64, strictly: a text that is not plainly one decimal number is not read as one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from jaxscale.runs.spelled import contradicts, spelled

MISSING_WORDS = frozenset({"", "nan", "-nan", "na", "n/a", "#n/a", "#na", "<na>", "nat", "none", "null"})
INFINITE_WORDS = frozenset({"inf", "infinity", "∞"})
EXACT_BELOW = 2.0**53
TINY = float(np.finfo(np.float64).tiny)

_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DECIMALS_ONLY = re.compile(r"[0-9+\-.eE\n]*")
_NONZERO = re.compile(r"[^eE]*[1-9]")


@dataclass(frozen=True)
class NumberStyle:
    """How numbers are written: the decimal mark, the thousands separator or None, and whether units are read.

    role: what the column is, so that a unit that speaks of something else is not read.
    """

    decimal: str = "."
    thousands: str | None = None
    units: bool = False
    role: str = ""


PLAIN = NumberStyle()


class Kind(IntEnum):
    """What a cell is when a number is wanted."""

    NUMBER = 0
    MISSING = 1
    INFINITE = 2
    UNREADABLE = 3


@dataclass(frozen=True)
class Numbers:
    """One column read as numbers: values (n,) float64 with NaN where there is none, kind (n,) of Kind, and
    is_large (n,) bool, true where an integer above 2^53 was written out.
    """

    values: np.ndarray
    kind: np.ndarray
    is_large: np.ndarray


def numbers(cells: np.ndarray, style: NumberStyle = PLAIN) -> Numbers:
    """Return the cells, (n,) of str or float64, as numbers.

    Text such as 0x10, 1_000, ١٢, and numbers that float64 would turn into infinity or zero are UNREADABLE.
    """
    if cells.dtype != object:
        kind = np.where(np.isnan(cells), Kind.MISSING, np.where(np.isinf(cells), Kind.INFINITE, Kind.NUMBER))
        values = np.where(kind == Kind.NUMBER, cells, np.nan)
        return Numbers(values, kind.astype(np.int8), np.zeros(cells.size, dtype=bool))
    if style.decimal == ".":
        return _decimals(cells) or _words(cells, style)
    return _words(cells, style)


def scaled(read: Numbers, factor: float) -> Numbers:
    """Return the numbers multiplied by a factor; one that leaves the range of float64 is infinite."""
    with np.errstate(over="ignore"):
        values = read.values * factor
    is_beyond = np.isinf(values)
    kind = np.where(is_beyond, Kind.INFINITE, read.kind).astype(np.int8)
    return Numbers(np.where(is_beyond, np.nan, values), kind, read.is_large)


def is_unreadable(text: str, style: NumberStyle = PLAIN) -> bool:
    """Return whether one cell is neither a number, nor infinite, nor missing."""
    return _word(text.strip(), style)[1] is Kind.UNREADABLE


def _decimals(cells: np.ndarray) -> Numbers | None:
    """Return the numbers of a column that holds nothing but plain decimals, fast; None for any other."""
    texts: list[str] = cells.tolist()
    if not _DECIMALS_ONLY.fullmatch("\n".join(texts)):
        return None
    try:
        values = np.array(list(map(float, texts)), dtype=np.float64)
    except ValueError:
        return None
    extreme = np.isinf(values) | (np.abs(values) < TINY)
    if any(np.isinf(values[i]) or _NONZERO.match(texts[i]) for i in np.flatnonzero(extreme)):
        return None
    is_large = np.abs(values) > EXACT_BELOW
    is_large[is_large] = [texts[i].strip("+-\n").isdigit() for i in np.flatnonzero(is_large)]
    return Numbers(values, np.full(len(texts), Kind.NUMBER, dtype=np.int8), is_large)


def _words(cells: np.ndarray, style: NumberStyle) -> Numbers:
    texts: list[str] = cells.tolist()
    read = {text: _word(text.strip(), style) for text in set(texts)}
    values = np.array([read[text][0] for text in texts], dtype=np.float64)
    kind = np.array([read[text][1] for text in texts], dtype=np.int8)
    is_large = np.array([read[text][2] for text in texts], dtype=bool)
    return Numbers(values, kind, is_large)


def _word(text: str, style: NumberStyle) -> tuple[float, Kind, bool]:
    if len(text) <= 10:
        word = text.casefold()
        if word in MISSING_WORDS:
            return np.nan, Kind.MISSING, False
        if word.lstrip("+-") in INFINITE_WORDS:
            return np.nan, Kind.INFINITE, False
    decimal = _decimal(text, style)
    if decimal is None:
        return np.nan, Kind.UNREADABLE, False
    value = float(decimal)
    if np.isinf(value) or (abs(value) < TINY and _NONZERO.match(decimal)):
        return np.nan, Kind.UNREADABLE, False
    return value, Kind.NUMBER, abs(value) > EXACT_BELOW and decimal.lstrip("+-").isdigit()


def _decimal(text: str, style: NumberStyle) -> str | None:
    """Return the number in the form that `float` reads, or None if it is not written in this style."""
    if style.thousands is not None and style.thousands in text:
        mark = re.escape(style.thousands)
        if not re.match(rf"[+-]?\d{{1,3}}(?:{mark}\d{{3}})+(?!\d|{mark})", text, re.ASCII):
            return None
        text = text.replace(style.thousands, "")
    if style.decimal != ".":
        if "." in text:
            return None
        text = text.replace(style.decimal, ".", 1)
    found = spelled(text) if style.units else None
    if found is not None:
        return None if contradicts(found.noun, style.role) else found.decimal
    return text if _DECIMAL.fullmatch(text) else None

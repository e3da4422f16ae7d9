"""Strict conversion of cells to float64: decimals and, on request, numbers with a unit, as 300 B or 2.00×10¹⁹."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.text import shown

BAD_MARK = (
    "--{option} {mark} is no such mark; give one character that is neither a digit nor a letter, a sign or a quote"
)
SAME_MARK = "--decimal and --thousands are both {mark}; they must differ"

MISSING_WORDS = frozenset({"", "nan", "-nan", "na", "n/a", "#n/a", "#na", "<na>", "nat", "none", "null"})
INFINITE_WORDS = frozenset({"inf", "infinity", "∞"})
EXACT_BELOW = 2.0**53
TINY = float(np.finfo(np.float64).tiny)
_DECIMALS_ONLY = re.compile(r"[0-9+\-.eE\n]*")
_NONZERO = re.compile(r"[^eE]*[1-9]")

MAGNITUDES = {
    "": 1, "k": 10**3, "thousand": 10**3, "m": 10**6, "mn": 10**6, "mln": 10**6, "million": 10**6, "millions": 10**6,
    "b": 10**9, "bn": 10**9, "bln": 10**9, "g": 10**9, "billion": 10**9, "billions": 10**9,
    "t": 10**12, "tn": 10**12, "trillion": 10**12, "trillions": 10**12,
    "p": 10**15, "peta": 10**15, "e": 10**18, "exa": 10**18, "z": 10**21, "zetta": 10**21, "y": 10**24,
    "kilo": 10**3, "mega": 10**6, "giga": 10**9, "tera": 10**12, "yotta": 10**24,
}  # fmt: skip
OF_FLOPS_ALONE = frozenset({"p", "peta", "e", "exa", "z", "zetta", "y", "yotta", "kilo", "mega", "giga", "tera"})
"""Magnitudes that stand with FLOP and with nothing else: 5E alone is a number cut short."""
DAY = 86_400
"""Seconds in a day: a PF-day is 1e15 FLOP a second for so long.   Source: Kaplan et al. 2020, §1.3."""
NOUNS = {
    "params": "params", "param": "params", "parameters": "params", "parameter": "params", "weights": "params",
    "tokens": "tokens", "token": "tokens", "toks": "tokens", "tok": "tokens",
    "flop": "flops", "flops": "flops",
    "nats": "loss", "nat": "loss", "nats/token": "loss", "nats per token": "loss",
}  # fmt: skip
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_DECIMAL = re.compile(_NUMBER, re.ASCII)
_GROUPED = r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?"
_WRITTEN = re.compile(rf"({_GROUPED}|{_NUMBER})\s*(.*)", re.ASCII | re.DOTALL)
_TIMES = re.compile(r"\s*[×x*·⋅]\s*10\s*(?:\^|\*\*)?\s*\{?\s*([+−-]?[0-9]+|[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)\s*\}?\s*", re.IGNORECASE)
_POWER = re.compile(r"10\s*(?:(?:\^|\*\*)\s*\{?\s*([+−-]?[0-9]+)\s*\}?|([⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+))\s*")
_FLOP_DAYS = re.compile(r"(k|m|g|t|p|e|z|peta|exa|zetta)\s*f(?:lops?)?(?:/s)?[\s-]*(?:days?|d)", re.IGNORECASE)
_LONGEST = 60


@dataclass(frozen=True)
class NumberStyle:
    """How numbers are written: the decimal mark, the thousands separator or None, and whether units are read.

    role: what the column is, so that a unit that speaks of something else is not read.
    """

    decimal: str = "."
    thousands: str | None = None
    units: bool = False
    role: str = ""

    def check_marks(self) -> None:
        """Raise UsageError for a mark that is none, and for one that is both."""
        for option, mark in (
            ("decimal", self.decimal),
            ("thousands", "_" if self.thousands is None else self.thousands),
        ):
            if len(mark) != 1 or mark.isalnum() or mark in '+-"\r\n':
                raise UsageError(BAD_MARK.format(option=option, mark=shown(mark)))
        if self.decimal == self.thousands:
            raise UsageError(SAME_MARK.format(mark=shown(self.decimal)))


PLAIN = NumberStyle()


class Kind(IntEnum):
    """The kind of a cell, read as a number."""

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


@dataclass(frozen=True)
class Spelled:
    """A number with its unit multiplied in, in the form that `float` reads; noun: the role it speaks of, or nothing."""

    decimal: str
    noun: str = ""


def spelled(text: str) -> Spelled | None:
    """Return the number that a text spells out with a unit, a noun or a power of ten; None for any other text.

    A comma marks thousands only in front of a unit, and only in whole groups: 1,400M, not 1,4B and not 1,400 alone.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return None
    mantissa, rest = _with_power(text)
    if mantissa is not None:
        unit = _unit(rest)
        return None if unit is None or (unit[0] != 1 and rest) else Spelled(mantissa, unit[1])
    match = _WRITTEN.fullmatch(text)
    if match is None:
        return None
    number, rest = match.groups()
    unit = _unit(rest)
    if unit is None or not rest:
        return None
    factor, noun = unit
    is_scientific = "e" in number.lower()
    if (is_scientific and factor != 1 and noun != "flops") or ("," in number and factor == 1):
        return None
    return Spelled(_times(number.replace(",", ""), factor), noun)


def contradicts(noun: str, role: str) -> bool:
    """Return whether a noun beside a number speaks of another role: 300B tokens in the column of params.

    role: what the column is; nothing where it is a part of a formula, in which every noun may stand.
    """
    return bool(noun) and bool(role) and noun not in role


def _with_power(text: str) -> tuple[str | None, str]:
    """Return the number of 2.00×10¹⁹ or 10^19 as `float` reads it, and what stands behind it; None for others."""
    head = re.match(_NUMBER, text, re.ASCII)
    times = _TIMES.match(text, head.end()) if head is not None and "e" not in head.group().lower() else None
    if head is not None and times is not None:
        return f"{head.group()}e{_exponent(times.group(1))}", text[times.end() :]
    power = _POWER.match(text)
    if power is not None:
        return f"1e{_exponent(power.group(1) or power.group(2))}", text[power.end() :]
    return None, ""


def _exponent(text: str) -> str:
    return text.translate(_SUPERSCRIPTS).replace("−", "-")


def _unit(rest: str) -> tuple[int, str] | None:
    """Return the factor and the role of the words behind a number: (10**9, "tokens") for "B tokens"."""
    words = " ".join(rest.split()).casefold()
    days = _FLOP_DAYS.fullmatch(words)
    if days is not None:
        return MAGNITUDES[days.group(1)] * DAY, "flops"
    for noun in sorted((*NOUNS, ""), key=len, reverse=True):
        if not words.endswith(noun):
            continue
        magnitude = words[: len(words) - len(noun)].strip(" -") if noun else words
        if magnitude not in MAGNITUDES or (noun and words[: len(words) - len(noun)].endswith("-")):
            continue
        role = NOUNS.get(noun, "")
        if magnitude in OF_FLOPS_ALONE and role != "flops":
            return None
        return MAGNITUDES[magnitude], role
    return None


def _times(number: str, factor: int) -> str:
    """Return the product in decimal, exactly."""
    return number if factor == 1 else format(Decimal(number) * factor, "e")

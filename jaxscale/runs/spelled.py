"""Numbers as people write them beside a unit: 300 B, 1,400M, 300B tokens, 2.00×10¹⁹; read only where that is asked for.

M and m are millions, B and G billions, never thousandths.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

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
_GROUPED = r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?"
_WRITTEN = re.compile(rf"({_GROUPED}|{_NUMBER})\s*(.*)", re.ASCII | re.DOTALL)
_TIMES = re.compile(r"\s*[×x*·⋅]\s*10\s*(?:\^|\*\*)?\s*\{?\s*([+−-]?[0-9]+|[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)\s*\}?\s*", re.IGNORECASE)
_POWER = re.compile(r"10\s*(?:(?:\^|\*\*)\s*\{?\s*([+−-]?[0-9]+)\s*\}?|([⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+))\s*")
_FLOP_DAYS = re.compile(r"(k|m|g|t|p|e|z|peta|exa|zetta)\s*f(?:lops?)?(?:/s)?[\s-]*(?:days?|d)", re.IGNORECASE)
_LONGEST = 60


@dataclass(frozen=True)
class Spelled:
    """A number with its unit multiplied in, in the form that `float` reads; noun: the role it speaks of, or nothing."""

    decimal: str
    noun: str = ""


def spelled(text: str) -> Spelled | None:
    """Return the number that a text spells out with a unit, a noun or a power of ten; None where it is no such thing.

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

"""Why a cell is no number, and which option would read it."""

from __future__ import annotations

import math
import re

from jaxscale.runs.numbers import TINY, UNITS, NumberStyle

CORRECT = "correct or delete these cells"
DECIMAL_OR_THOUSANDS = "--decimal , reads 3,14; --thousands , reads 1,000,000"
UNDERSCORES = "--thousands _ reads 1_000_000"
UNIT_SUFFIXES = "--units reads K, M, B, T as 1e3, 1e6, 1e9, 1e12"
POINTS = "the cell has a decimal point: leave --decimal , away"

_SUFFIXED = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)\s*[A-Za-z%]+(?:\s.*)?", re.ASCII | re.DOTALL)
_SCIENTIFIC_UNITS = re.compile(r"[+-]?[\d.]+[eE][+-]?\d+\s*\D+", re.ASCII)


def reason(text: str, style: NumberStyle) -> tuple[str, str]:
    """Return why the text of an unreadable cell is no number, and what to do about it."""
    text = text.strip()[:1000]
    if re.match(r"[+-]?0[xXoObB]", text):
        return "is not in decimal", CORRECT
    if text.casefold() in ("true", "false", "yes", "no"):
        return "is true or false, not a number", CORRECT
    if any(character.isdigit() and not character.isascii() for character in text):
        return "has digits other than 0 to 9", CORRECT
    if _is_decimal(text) and math.isinf(float(text)):
        return "is too large for float64", CORRECT
    if _is_decimal(text) and abs(float(text)) < TINY:
        return "is too close to zero for float64", CORRECT
    return _written_otherwise(text, style)


def _written_otherwise(text: str, style: NumberStyle) -> tuple[str, str]:
    if "," in text and _is_decimal(text.replace(",", "").replace(".", "")):
        return "has a comma", DECIMAL_OR_THOUSANDS
    if "_" in text and _is_decimal(text.replace("_", "")):
        return "has underscores", UNDERSCORES
    if style.decimal != "." and _is_decimal(text):
        return "has a decimal point", POINTS
    if _SUFFIXED.fullmatch(text) or _SCIENTIFIC_UNITS.fullmatch(text):
        if text[-1:].upper() in UNITS and not style.units and _is_decimal(text[:-1]):
            return "has a unit", UNIT_SUFFIXES
        return "has words beside the number", CORRECT
    return "is not a number", CORRECT


def _is_decimal(text: str) -> bool:
    return re.fullmatch(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", text, re.ASCII) is not None

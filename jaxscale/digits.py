"""Numbers as people read them: 2.94B parameters, 5.76e23 FLOP, five digits of a coefficient."""

from __future__ import annotations

import math

import numpy as np

ABSENT = "–"
SUFFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))
UNITS = ("B", "KB", "MB", "GB", "TB", "PB")


def significant(value: float | None, digits: int = 5) -> str:
    """Return a number with that many significant digits, in full between 0.001 and 999999; a dash if not finite."""
    if value is None or not math.isfinite(value):
        return ABSENT
    if value == 0.0:
        return "0"
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])
    if not -3 <= exponent < 6:
        return scientific(value, digits)
    places = digits - 1 - exponent
    return f"{round(value, places):.{max(0, places)}f}"


def scientific(value: float | None, digits: int = 4) -> str:
    """Return a number as 5.76e23, with at most that many significant digits; a dash if not finite."""
    if value is None or not math.isfinite(value):
        return ABSENT
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    trimmed = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{trimmed}e{int(exponent)}"


def count(value: float | None, digits: int = 3) -> str:
    """Return 2.94B for 2.94e9, with K, M, B and T below 1e15; a dash if not finite."""
    if value is None or not math.isfinite(value):
        return ABSENT
    if not 1.0 <= value < 9.995e14:
        return scientific(value, digits)
    for size, suffix in SUFFIXES:
        if value >= 0.9995 * size:
            return f"{significant(value / size, digits)}{suffix}"
    return significant(value, digits)


def times(factor: float) -> str:
    """Return a factor above one as 2.3×, 576× or 1.2e7×."""
    said = significant(factor, 2) if factor < 100.0 else f"{factor:,.0f}" if factor < 1e6 else scientific(factor, 2)
    return f"{said}×"


def span(low: str, high: str) -> str:
    """Return two limits as one text, a dash where both are absent."""
    return ABSENT if low == high == ABSENT else f"{low} … {high}"


def seconds(value: float) -> str:
    """Return a duration in seconds with two significant digits at least."""
    return f"{value:.0f} s" if value >= 9.95 else f"{value:.2g} s"


def short(value: float) -> str:
    """Return a number as short as it can be written, without loss; a dash if not finite."""
    if not math.isfinite(value):
        return ABSENT
    texts = [repr(value), f"{value:g}", *(f"{value:.{digits}e}" for digits in range(4))]
    exact = [_trimmed(text) for text in texts if float(text) == value]
    return min(exact, key=len)


def data_size(size: float) -> str:
    """Return a number of bytes in the largest decimal unit that keeps it at 1 or above."""
    power = 0
    while size >= 999.5 and power < len(UNITS) - 1:
        size, power = size / 1000, power + 1
    return f"{_trimmed(f'{size:.3g}')} {UNITS[power]}"


def count_label(value: float, position: int | None = None) -> str:
    """Return 70M for 7e7, 1.5B for 1.5e9; numbers outside 1 … 1e15 as `number_label` writes them."""
    if not 1.0 <= value < 1e15:
        return number_label(value)
    for size, suffix in SUFFIXES:
        if value >= 0.9999 * size:
            return f"{value / size:.4g}{suffix}"
    return f"{value:.4g}"


def number_label(value: float, position: int | None = None) -> str:
    """Return a number between 0.001 and 99999 in full, any other as a power of ten in mathtext."""
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return np.format_float_positional(float(f"{value:.4g}"), trim="-").replace("-", "−")
    mantissa, exponent = f"{value:.2e}".split("e")
    front = "" if float(mantissa) == 1.0 else f"{float(mantissa):g}\\times "
    return f"${front}10^{{{int(exponent)}}}$"


def signed(value: float, digits: int = 3) -> str:
    """Return a number with its sign and that many significant digits; its minus is that of every number in a text."""
    return _trimmed(f"{value:+.{digits}g}")


def _trimmed(text: str) -> str:
    """Return the number without the signs and zeros that Python writes: 1e7 for 1e+07, 2 for 2.0."""
    mantissa, mark, exponent = text.partition("e")
    mantissa = mantissa.removesuffix(".0")
    return f"{mantissa}e{int(exponent)}" if mark else mantissa

"""The exponents of a frontier, N ∝ C^a and D ∝ C^b, in words."""

from __future__ import annotations

from contextlib import suppress

from jaxscale.digits import significant, span
from jaxscale.errors import IntervalError
from jaxscale.intervals import Band
from jaxscale.results import LEAST_USABLE, Study

LETTERS = {"params": ("N", "a"), "tokens": ("D", "b")}
"""Quantity → its symbol, and that of its exponent."""
OVER = "From the least to the largest of these budgets {said}"
LAW = "{symbol} ∝ C^{letter}"
EXPONENT = "{letter} {value}{limits}"


def exponent_band(study: Study, quantity: str) -> Band | None:
    """Return the band of an exponent of a study's frontier; None where there are no bands, as of `frontier_band`."""
    found = None
    if study.frontier is not None and study.has_bands and study.ensemble is not None:
        with suppress(IntervalError):
            found = study.frontier.exponent_interval(quantity, level=study.level, method=study.interval)
        if found is not None and found.n_used < max(1.0, LEAST_USABLE * study.ensemble.usable.sum()):
            return None
    return found


def exponent_line(study: Study) -> str:
    """Return what the exponents are, with their limits; nothing without any."""
    if study.frontier is None:
        return ""
    values = {quantity: study.frontier.exponent(quantity) for quantity in LETTERS}
    if any(value is None for value in values.values()):
        return ""
    laws, said = [], []
    for quantity, (symbol, letter) in LETTERS.items():
        limits = exponent_band(study, quantity)
        ends = (
            ""
            if limits is None
            else f" ({span(*(significant(float(end), 3) for end in (limits.lower, limits.upper)))})"
        )
        laws.append(LAW.format(symbol=symbol, letter=letter))
        said.append(EXPONENT.format(letter=letter, value=significant(values[quantity], 3), limits=ends))
    return OVER.format(said=f"{' and '.join(laws)}: {', '.join(said)}")

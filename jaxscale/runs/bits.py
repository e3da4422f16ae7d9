"""Losses in bits, by the name of their column: a remark, and the formula that reads them as nats."""

from __future__ import annotations

from math import isclose, log

from jaxscale.expressions.tree import quoted
from jaxscale.finding import Finding
from jaxscale.runs.aliases import words_of
from jaxscale.runs.table import Runs
from jaxscale.text import shown, typed

IN_BITS = (
    "column {header} (loss) holds {unit}, by its name: it is fitted as it stands, and E and every loss that is "
    "reported are then in {unit}; {option} reads it as nats{still}"
)
STILL = (
    " per {size}, and no nats per token: those take the {size}s of a token besides, which depend on tokenizer and text"
)
LN2 = "0.693147"
"""Nats in a bit."""

_UNITS = {"bpb": "byte", "bpc": "character", "bpt": "token"}
_SIZES = {"byte": "byte", "bytes": "byte", "char": "character", "chars": "character", "character": "character",
          "characters": "character", "token": "token", "tokens": "token", "tok": "token"}  # fmt: skip


def bits_finding(runs: Runs) -> Finding | None:
    """Return that the losses are in bits, by the header of a column that is read as it stands; None for others."""
    header = runs.origin.columns.get("loss")
    if header is None or isclose(runs.origin.scale.get(header, 1.0), log(2.0), rel_tol=1e-2):
        return None
    size = bits_per(header)
    if size is None:
        return None
    option = f"--map loss={typed(f'{quoted(header)} * {LN2}')}"
    told = {"header": shown(header), "unit": f"bits per {size}" if size else "bits", "option": option}
    still = STILL.format(size=size) if size in ("byte", "character") else " per token" if size else ""
    return Finding("loss-in-bits", IN_BITS.format(**told, still=still))


def bits_per(header: str) -> str | None:
    """Return byte, character or token for the header of a loss in bits, "" for bits of nothing named; None for others.

    As bits_per_byte, bpb, bpc, loss (bits).
    """
    words = words_of(header)
    short = next((_UNITS[word] for word in words if word in _UNITS), None)
    before = [one for one, word in zip(["", *words], words, strict=False) if word in ("bit", "bits")]
    if short is not None or not before or before[0].isdigit():  # a loss at 4 bits is one of rounded weights
        return short
    return next((_SIZES[word] for word in words if word in _SIZES), "")

"""The coefs of a typed law, each as `name:support` or `name:support:start,start`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from jaxscale import carets
from jaxscale.formulas.functions import ARITIES
from jaxscale.formulas.words import is_name
from jaxscale.registry import unknown

OPTION = "--coef"
NOT_A_COEF = "this is not of the form name:support or name:support:start,start, as E:positive:0.5,1,2"
BAD_NAME = "a coef's name has plain letters, digits and underscores, begins with a letter and is no word of Python"
IS_FUNCTION = "'{name}' is a function; give the coef another name"
NOT_A_NUMBER = "this start is no finite number"
OUTSIDE = "the start {start:g} is outside the support '{support}'"
TWICE = "the coef '{name}' is declared twice"

LENGTH_LIMIT = 500
INSIDE = {"positive": (0.0, math.inf), "real": (-math.inf, math.inf), "unit": (0.0, 1.0)}
"""Support → its ends, which do not belong to it; the maps themselves are `numerics.supports`."""


@dataclass(frozen=True)
class Declared:
    """A coef as it was typed; starts is empty where none were."""

    name: str
    support: str
    starts: tuple[float, ...] = ()

    @property
    def text(self) -> str:
        """The coef as it is typed, its starts at full precision."""
        starts = f":{','.join(map(repr, self.starts))}" if self.starts else ""
        return f"{self.name}:{self.support}{starts}"


def declared(text: str) -> Declared:
    """Return the coef of a text; raise UsageError, with a caret under the place, for anything else."""
    text = " ".join(text.split())
    parts = text.split(":")
    if len(text) > LENGTH_LIMIT or len(parts) not in (2, 3):
        carets.refuse(OPTION, NOT_A_COEF, text, len(parts[0]) if len(parts) > 1 else 0)
    name, support = parts[0].strip(), parts[1].strip()
    if not is_name(name):
        carets.refuse(OPTION, BAD_NAME, text, 0)
    if name in ARITIES:
        carets.refuse(OPTION, IS_FUNCTION.format(name=name), text, 0)
    if support not in INSIDE:
        carets.refuse(OPTION, unknown("support", carets.escaped(support), tuple(INSIDE)), text, len(parts[0]) + 1)
    starts = _starts(text, parts[2], support) if len(parts) == 3 else ()
    return Declared(name, support, starts)


def declared_all(texts: Sequence[str]) -> tuple[Declared, ...]:
    """Return the coefs of several texts, in order; raise UsageError also for a name that comes twice."""
    found: dict[str, Declared] = {}
    for text in texts:
        one = declared(text)
        if one.name in found:
            carets.refuse(OPTION, TWICE.format(name=one.name), one.text, 0)
        found[one.name] = one
    return tuple(found.values())


def _starts(text: str, listed: str, support: str) -> tuple[float, ...]:
    low, high = INSIDE[support]
    place, starts = len(text) - len(listed), []
    for item in listed.split(","):
        try:
            start = float(item) if item.isascii() and "_" not in item else math.nan
        except ValueError:
            start = math.nan
        if not math.isfinite(start):
            carets.refuse(OPTION, NOT_A_NUMBER, text, place)
        if not low < start < high:
            carets.refuse(OPTION, OUTSIDE.format(start=start, support=support), text, place)
        starts.append(start)
        place += len(item) + 1
    return tuple(starts)

"""Columns in other units: which of them are multiplied by what."""

from __future__ import annotations

import math
from collections.abc import Mapping

from jaxscale.errors import RunsError, UsageError
from jaxscale.registry import unknown
from jaxscale.runs.deriving import FORMULAS, SOURCES
from jaxscale.runs.lookups import RawTableLookup
from jaxscale.runs.numbers import Kind
from jaxscale.text import escaped, shown, shown_name

NOT_A_FACTOR = "--scale {name}={factor:g}: a factor is a positive, finite number, as in --scale tokens=1e9"
NO_COLUMN = "{source}: --scale: {unknown}"
DERIVED = "{source}: --scale {name}: {name} is no column, it is made of {sources}: scale one of these"
NO_NUMBERS = "{source}: --scale {name}: the column holds no number"
SCALED_TWICE = "{source}: --scale gives two factors for the column {name}: give one"


def check_factors(scale: Mapping[str, float]) -> None:
    """Raise UsageError for an invalid factor."""
    for name, factor in scale.items():
        if isinstance(factor, bool) or not (math.isfinite(factor) and factor > 0):
            raise UsageError(NOT_A_FACTOR.format(name=escaped(name), factor=float(factor)))


def scale_of(lookup: RawTableLookup, scale: Mapping[str, float]) -> dict[str, float]:
    """Return header, or formula, → factor, for the headers or roles that were named.

    Raises RunsError for what is no such column.
    """
    found: dict[str, float] = {}
    source = shown_name(lookup.raw_table.source)
    for name, factor in scale.items():
        key = lookup.find(name)
        told = {"source": source, "name": escaped(name)}
        role = next((role for role, formula in FORMULAS.items() if formula == key), None)
        if role is not None:
            raise RunsError(DERIVED.format(**told, sources=" and ".join(SOURCES[role])))
        if key is None or key not in (*lookup.raw_table.columns, *lookup.computed):
            known = [escaped(other[:40]) for other in lookup.names[:12]]
            raise RunsError(NO_COLUMN.format(source=source, unknown=unknown("column", escaped(name), known)))
        if not (lookup.read(key).kind == Kind.NUMBER).any():
            raise RunsError(NO_NUMBERS.format(**told))
        if key in found:
            raise RunsError(SCALED_TWICE.format(source=source, name=shown(key)))
        found[key] = float(factor)
    lookup.forget()
    return found

"""Tables with a column of losses per run, or per size: recognised, and turned by one line of pandas."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from jaxscale.runs.aliases import EPOCHS, is_called, known_name, plain, role_of
from jaxscale.runs.candidates import Cells
from jaxscale.runs.numbers import Kind, NumberStyle, numbers
from jaxscale.runs.unit_words import without_units
from jaxscale.text import beside, listed, python_line, shown

WIDE = (
    "It looks like a table with a column of losses for each {what}: {columns}. "
    "What is read has one row per run{then}:\n"
    "{line}"
)
MELTED = "{table}{kept}.melt({axis!r}, var_name={name!r}, value_name='loss').dropna()"
WRITTEN = "import pandas; {melted}.to_csv({file!r}, index=False)"
WITHOUT_SPREADS = ".loc[:, lambda frame: ~frame.columns.str.contains('__MIN|__MAX')]"
THEN_SIZES = ", beside columns of its params and tokens, which are to be added"
THEN_UNITS = ", here with --units"

EACH = {"run": "run", "params": "size", "tokens": "number of tokens"}
STEPS = ("step", "steps", "global step", "train step", "iteration", "iterations", "iter", "time", *EPOCHS)
SPREADS = re.compile(r"__(?:MIN|MAX)$")
ALIKE = 4.0
"""Factor within which the medians of columns of losses lie."""


def wide_advice(headers: Sequence[str], cells: Cells, missing: Sequence[str], source: str) -> str:
    """Return how to turn a table without a column of losses that seems to have one per run; nothing where it does not.

    Such a table has one column for the place of a row, a step or a size, and others whose headers have no role, with
    positive numbers of one magnitude.
    """
    columns = [header for header in headers if not SPREADS.search(header)]
    axis = next((header for header in columns if _is_axis(header)), columns[0])
    runs = [header for header in columns if header != axis and plain(header) not in ("", "column 1")]
    are_sizes = all(_is_size(header) for header in runs)
    if len(runs) < 2 or not (are_sizes or _is_axis(axis)) or any(_is_axis(header) for header in runs):
        return ""
    medians = [_median(header, cells) for header in runs]
    if not (min(medians) > 0 and max(medians) < ALIKE * min(medians)):
        return ""
    is_how_far = _axis_role(axis) in ("tokens", "flops") or (is_called(axis, STEPS) and not is_called(axis, EPOCHS))
    name = ("params" if is_how_far else "tokens") if are_sizes else "run"
    kept = WITHOUT_SPREADS if len(columns) < len(headers) else ""
    is_frame = source == "<frame>"
    table = "frame" if is_frame else "pandas.read_csv({!r})".format("FILE" if source.startswith("<") else source)
    line = MELTED.format(table=table, kept=kept, axis=axis, name=name)
    line = line if is_frame else python_line(WRITTEN.format(melted=line, file=beside(source, "long")))
    has_units = are_sizes and any(header.strip()[-1:].isalpha() for header in runs)
    then = THEN_UNITS if has_units else "" if are_sizes else THEN_SIZES
    return WIDE.format(
        what=EACH[name], columns=listed([shown(header) for header in runs], limit=4), then=then, line=line
    )


def _is_axis(header: str) -> bool:
    role = _axis_role(header)
    return role in ("params", "tokens", "flops") or is_called(header, STEPS)


def _axis_role(header: str) -> str | None:
    """Return the role of a header, also of one with a unit at its end."""
    return role_of(known_name(header) or without_units(header))


def _is_size(header: str) -> bool:
    cell = np.array([header], dtype=object)
    return bool(numbers(cell, NumberStyle(units=True)).kind[0] == Kind.NUMBER)


def _median(header: str, cells: Cells) -> float:
    """Return the median of a column that holds numbers and nothing but; NaN for any other."""
    read = cells.read(header)
    is_number = read.kind == Kind.NUMBER
    if not is_number.any() or (read.kind == Kind.UNREADABLE).any() or (read.values[is_number] <= 0).any():
        return np.nan
    return float(np.median(read.values[is_number]))

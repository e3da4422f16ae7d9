"""Invalid cells: those that prevent a fit, the reason for each, and the option that would read it, in one message."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from jaxscale.errors import RunsError
from jaxscale.runs.cells import RawTable, cell_text
from jaxscale.runs.numbers import TINY, NumberStyle, contradicts, spelled
from jaxscale.runs.states import LEAVES_OUT, unfinished
from jaxscale.text import MORE, counted, shown, shown_name

FAULTY = "{source}: {cells} that the fit needs cannot be used: {counts}.\n{places}.\n{fixes}."
MISSING, INFINITE, UNREADABLE, NOT_POSITIVE = "missing", "infinite", "unreadable", "not above zero"
FIXES = {
    MISSING: "--missing drop leaves rows with missing or infinite values out",
    INFINITE: "--missing drop leaves rows with missing or infinite values out",
    "loss": "a loss at or below zero needs an objective in linear space (--space linear)",
    "weight": "a weight must be above zero: delete rows that should not count",
    "sigma": "a standard error must be above zero: correct the cells or leave their rows out with --where",
    NOT_POSITIVE: "params, tokens and flops must be above zero: correct the cells or leave their rows out with --where",
}
CELLS_PER_FAULT, FAULTS_SHOWN, FIXES_SHOWN = 3, 5, 3

CORRECT = "correct or delete these cells"
DECIMAL_OR_THOUSANDS = "--decimal , reads 3,14; --thousands , reads 1,000,000"
THOUSANDS = "--thousands , reads 1,000,000"
NOT_DECIMAL = "a number has one decimal mark: leave --decimal , away"
UNDERSCORES = "--thousands _ reads 1_000_000"
DECIMAL = "--decimal , reads 3,14"
POINT_THOUSANDS = "--thousands . reads 1.000.000"
GROUPED = {
    ".": POINT_THOUSANDS,
    "'": "--thousands \"'\" reads 1'000'000",
    " ": "--thousands ' ' reads 1 000 000",
}
UNIT_SUFFIXES = "--units reads K, M, B, T as 1e3, 1e6, 1e9, 1e12, also as in 300 bn, 1,400M, 300B tokens and 2×10^19"
POINTS = "the cell has a decimal point: leave --decimal , away"
POINT_OR_THOUSANDS = (
    "with --decimal , a point is no decimal mark: --thousands . reads 1.400M as 1400 millions; "
    "without --decimal , it is 1.4 millions"
)
COMMA_IN_UNIT = "--decimal , reads 1,4B; a comma marks thousands in whole groups alone, as in 1,400M"
OTHER_NOUN = "correct the cell, or say with --map which column is {role}"
ERROR_BESIDE = "put the standard error into a column of its own and keep the number alone"
LIMIT = 'write the number itself, or leave the row out: --where "row != {row}"'
SPOKEN = {"loss": "nats"}
"""Nouns of roles with another name."""
_SUFFIXED = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)\s*[A-Za-z%]+(?:\s.*)?", re.ASCII | re.DOTALL)
_SCIENTIFIC_UNITS = re.compile(r"[+-]?[\d.]+[eE][+-]?\d+\s*\D+", re.ASCII)
_ERRORS = re.compile(r"±|\+/-|\+-|\d\(\d+\)\s*$")
_LIMITS = re.compile(r"^\s*[<>~≈≤≥]|\+\s*$|^\s*about\b|^\s*ca\.?\s", re.IGNORECASE)
_GROUPS = re.compile(r"[+-]?\d{1,3}(?P<mark>[.' ])\d{3}(?:(?P=mark)\d{3})*(?P<rest>[.,]\d+)?", re.ASCII)
_RANGE = re.compile(r"[\d.]+\s*[A-Za-z]*\s*[-–—]\s*[\d.]+\s*[A-Za-z]*", re.ASCII)


@dataclass(frozen=True)
class Fault:
    """One kind of invalid cells in one column: its role, its header, and their 0-based rows."""

    kind: str
    role: str
    header: str
    rows: np.ndarray


def check_no_faults(faults: Sequence[Fault], raw_table: RawTable, style: NumberStyle) -> None:
    """Raise RunsError that counts all faults and shows the first cells of each; return if there are none."""
    faults = [fault for fault in faults if fault.rows.size]
    if not faults:
        return
    source = shown_name(raw_table.source)
    fixes: dict[str, None] = {}
    left = unfinished(raw_table, np.arange(raw_table.rows))
    if left is not None and all(np.isin(fault.rows, left.rows).all() for fault in faults):
        fixes[LEAVES_OUT.format(option=left.option)] = None
    cells_shown = [_cells(fault, raw_table, style, fixes) for fault in faults[:FAULTS_SHOWN]]
    text = "; ".join(cells_shown)
    if len(faults) > FAULTS_SHOWN:
        text = MORE.format(shown=text, count=len(faults) - FAULTS_SHOWN)
    if POINT_THOUSANDS in fixes:  # then a comma is the decimal mark, and marks no thousands
        fixes = dict.fromkeys(DECIMAL if one == DECIMAL_OR_THOUSANDS else one for one in fixes)
    fix = "; ".join(list(fixes)[:FIXES_SHOWN])
    total = counted(sum(fault.rows.size for fault in faults), "cell")
    raise RunsError(
        FAULTY.format(source=source, cells=total, counts=_counts(faults), places=text, fixes=fix[:1].upper() + fix[1:])
    )


def _counts(faults: Sequence[Fault]) -> str:
    totals: dict[str, int] = {}
    for fault in faults:
        totals[fault.kind] = totals.get(fault.kind, 0) + fault.rows.size
    return ", ".join(f"{count} {kind}" for kind, count in totals.items())


def _cells(fault: Fault, raw_table: RawTable, style: NumberStyle, fixes: dict[str, None]) -> str:
    """Return the fault's first cells as text, and add what to do about them to `fixes`."""
    column = f"column {shown(fault.header)}" + ("" if fault.role == fault.header else f" ({fault.role})")
    parts = []
    for index in fault.rows[:CELLS_PER_FAULT].tolist():
        text = cell_text(raw_table.columns[fault.header], index)
        why, fix = f"is {fault.kind}", FIXES.get(fault.kind, "")
        if fault.kind == UNREADABLE:
            why, fix = reason(text, replace(style, role=fault.role), row=index + 1)
        elif fault.kind == NOT_POSITIVE:
            fix = FIXES.get(fault.role, fix)
        fixes[fix] = None
        parts.append(f"{raw_table.place(index)} {shown(text)} {why}")
    cells = f"{column}: {', '.join(parts)}"
    hidden = fault.rows.size - len(parts)
    return MORE.format(shown=cells, count=hidden) if hidden else cells


def reason(text: str, style: NumberStyle, *, row: int) -> tuple[str, str]:
    """Return why the text of an unreadable cell is no number, and what to do about it.   row: the cell's, from 1."""
    text = text.strip()[:1000]
    if re.match(r"[+-]?0[xXoObB]", text):
        return "is not in decimal", CORRECT
    if text.casefold() in ("true", "false", "yes", "no"):
        return "is true or false, not a number", CORRECT
    if _ERRORS.search(text):
        return "has an error beside the number", ERROR_BESIDE
    found = spelled(text)
    if found is not None:
        return _with_unit(found.noun, text, style)
    if any(character.isdigit() and not character.isascii() for character in text):
        return "has digits other than 0 to 9", CORRECT
    if _is_decimal(text) and math.isinf(float(text)):
        return "is too large for float64", CORRECT
    if _is_decimal(text) and abs(float(text)) < TINY:
        return "is too close to zero for float64", CORRECT
    if re.search(r"\d", text) and (_LIMITS.search(text) or _RANGE.fullmatch(text)):
        return "is a limit or a range, not a number", LIMIT.format(row=row)
    return _written_otherwise(text, style)


def _with_unit(noun: str, text: str, style: NumberStyle) -> tuple[str, str]:
    """Return what is wrong with a number with a unit."""
    if contradicts(noun, style.role):
        return f"is a number of {SPOKEN.get(noun, noun)}, and the column is {style.role}", OTHER_NOUN.format(
            role=style.role
        )
    if not style.units:
        return "has a unit", UNIT_SUFFIXES
    if style.decimal != "." and "." in text:
        return "has a decimal point", POINT_OR_THOUSANDS
    return "is out of the range of float64", CORRECT


def _written_otherwise(text: str, style: NumberStyle) -> tuple[str, str]:
    grouped = _GROUPS.fullmatch(text)
    if grouped is not None and style.thousands is None and not _is_decimal(text):
        advice = GROUPED[grouped["mark"]]
        if style.decimal == "." and (grouped["rest"] or "").startswith(","):
            advice = f"{DECIMAL}; {advice}"
        return "has marks between thousands", advice
    if "," in text and _is_decimal(text.replace(",", "").replace(".", "")):
        if text.count(",") == 1 and "." not in text:
            return "has a comma", DECIMAL_OR_THOUSANDS
        return "has commas", THOUSANDS if style.decimal == "." else NOT_DECIMAL
    if "," in text and spelled(text.replace(",", ".", 1)) is not None:
        return "has a comma and a unit", COMMA_IN_UNIT
    if "_" in text and _is_decimal(text.replace("_", "")):
        return "has underscores", UNDERSCORES
    if style.decimal != "." and _is_decimal(text):
        return "has a decimal point", POINTS
    if _SUFFIXED.fullmatch(text) or _SCIENTIFIC_UNITS.fullmatch(text):
        return "has words beside the number", CORRECT
    return "is not a number", CORRECT


def _is_decimal(text: str) -> bool:
    return re.fullmatch(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", text, re.ASCII) is not None

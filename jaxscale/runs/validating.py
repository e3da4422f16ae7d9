"""Which cells of the needed columns forbid a fit; all of them in one refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from jaxscale.errors import RunsError
from jaxscale.runs.invalid import DECIMAL, DECIMAL_OR_THOUSANDS, POINT_THOUSANDS, reason
from jaxscale.runs.lookups import cell_text
from jaxscale.runs.numbers import NumberStyle
from jaxscale.runs.raw_table import RawTable
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


@dataclass(frozen=True)
class Fault:
    """One kind of trouble in one column: the role it plays, its header, and the 0-based rows concerned."""

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

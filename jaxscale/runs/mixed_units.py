"""Columns in two units at once: rows that lie a thousand times below the rest, and among it in another unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.finding import UNITS_SUSPECT, Finding, row_numbers
from jaxscale.runs.plausible import COUNTS
from jaxscale.text import counted, shown

if TYPE_CHECKING:
    from jaxscale.runs.table import Runs

MIXED = (
    "column {header}{role}: {rows} lie more than {factor:,.0f} times below all others, and among them if they were in "
    "{unit}, as in a column of two units. Nothing is planned from such numbers: write them in one unit, "
    "leave rows out by --where, or read the table with --units-ok if they are right"
)
GAP = 3.0
"""Decades between two neighbours in size from which they may be in two units: a sweep has no gap of a thousand."""
BESIDE = 0.5
"""Decades by which rows in another unit may lie beside the others."""


def mixed_units_finding(runs: Runs, roles: Sequence[str]) -> Finding | None:
    """Return the finding that a column of sizes, of these roles, is in two units; None without."""
    if runs.origin.units_ok:
        return None
    for role in ("params", "tokens"):
        if role not in roles or role in runs.origin.derived or role not in runs.columns:
            continue
        found = _mixed(runs, role)
        if found is not None:
            return found
    return None


def _mixed(runs: Runs, role: str) -> Finding | None:
    sizes = np.asarray(runs.columns[role], float)
    with np.errstate(all="ignore"):
        logs = np.where((runs.weight > 0) & np.isfinite(sizes) & (sizes > 0), np.log10(sizes), np.nan)
    order = np.sort(logs[np.isfinite(logs)])
    gaps = np.diff(order)
    if not gaps.size or gaps.max() < GAP:
        return None
    at = int(np.argmax(gaps))
    below, above = order[: at + 1], order[at + 1 :]
    low, high = above[0] - BESIDE, above[-1] + BESIDE
    units = [unit for unit in COUNTS if low <= below[0] + np.log10(unit) and below[-1] + np.log10(unit) <= high]
    if not units:
        return None
    header = runs.origin.columns.get(role, role)
    rows = row_numbers(runs.row[logs <= order[at]])
    message = MIXED.format(
        header=shown(header),
        role="" if header == role else f" ({role})",
        rows=counted(len(rows), "row"),
        factor=10.0 ** np.floor(gaps[at]),
        unit=" or ".join(COUNTS[unit] for unit in units[:2]),
    )
    return Finding(UNITS_SUSPECT, message, rows)

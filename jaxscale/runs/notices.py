"""What is noticed about the columns of a table while it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from jaxscale.finding import Finding, row_numbers
from jaxscale.runs.lookups import RawTableLookup
from jaxscale.runs.numbers import Kind, Numbers
from jaxscale.text import counted, listed, shown

ROWS_DROPPED = (
    "{rows} left out for a missing or infinite value, as --missing drop asks; the losses may be those of failed runs"
)
LARGE_INTEGERS = "integers above 2^53 in {headers} are kept as float64, to 16 digits; nothing to do"
NUMERIC_TEXT = "column {headers} holds numbers stored as text, read as numbers; store them as numbers to silence this"
UNUSABLE_CELLS = "{cells} in {headers} hold no number and count as missing; the fit does not need them"
SHADOWED = "column {headers} is not used, since its name stands for what --map or a formula put in its place; rename it"


def reading_findings(
    lookup: RawTableLookup,
    needed: tuple[str, ...],
    numeric: Mapping[str, Numbers],
    shadowed: list[str],
    rows: np.ndarray,
) -> list[Finding]:
    """Return what was noticed about the columns of the chosen rows, at most one finding per code.

    needed: roles that the fit needs.   numeric: role → its cells.   shadowed: headers whose name another column took.
    """
    unusable = {role: rows[read.kind[rows] != Kind.NUMBER] for role, read in numeric.items() if role not in needed}
    large = {role: rows[read.is_large[rows]] for role, read in numeric.items()}
    text = [lookup.roles[role] for role in numeric if lookup.roles[role] in lookup.raw_table.stored_as_text]
    findings = []
    if shadowed:
        findings.append(Finding("shadowed-column", SHADOWED.format(headers=_shown(shadowed))))
    if text:
        findings.append(Finding("numeric-text", NUMERIC_TEXT.format(headers=_shown(text))))
    for code, message, found in (
        ("unusable-cells", UNUSABLE_CELLS, unusable),
        ("large-integers", LARGE_INTEGERS, large),
    ):
        concerned = {role: lost for role, lost in found.items() if lost.size}
        if concerned:
            cells = counted(sum(lost.size for lost in concerned.values()), "cell")
            headers = _shown([lookup.roles[role] for role in concerned])
            every = np.unique(np.concatenate(list(concerned.values()))) + 1
            findings.append(Finding(code, message.format(cells=cells, headers=headers), row_numbers(every)))
    return findings


def dropped_finding(dropped: Mapping[str, np.ndarray]) -> tuple[Finding, ...]:
    """Return the finding about rows that were dropped, reason → 0-based rows; nothing if there are none."""
    rows = np.concatenate([np.empty(0, dtype=np.int64), *dropped.values()]) + 1
    if not rows.size:
        return ()
    was = "was" if rows.size == 1 else "were"
    message = ROWS_DROPPED.format(rows=f"{counted(rows.size, 'row')} {was}")
    return (Finding("rows-dropped", message, row_numbers(rows)),)


def _shown(headers: Sequence[str]) -> str:
    return listed([shown(header) for header in headers])

"""A finding: something worth knowing about a table that does not forbid a fit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from jaxscale.speaking import spoken

UNITS_SUSPECT, TARGET_SUSPECT = "units-suspect", "target-suspect"
FORBIDDING = (UNITS_SUSPECT, TARGET_SUSPECT)
"""Codes of the findings with which nothing may be planned: the numbers are not what their column is taken for."""


@dataclass(frozen=True)
class Finding:
    """One remark about a table of runs, for the report that follows it.

    code: stable and kebab-case, such as "flops-mismatch"; a table has at most one finding per code.
    message: one sentence: what, where, what to do; text from the table is escaped.
    rows: data rows concerned, counted from 1 in the original table without its header; empty if it concerns no row.
    """

    code: str
    message: str
    rows: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.code}: {spoken(self.message)}"


def row_numbers(rows: Iterable[int]) -> tuple[int, ...]:
    """Return the row numbers as sorted Python integers."""
    return tuple(sorted(int(row) for row in rows))


def forbids_plan(findings: Iterable[Finding]) -> Finding | None:
    """Return the first finding with which nothing may be planned from a table; None where there is none."""
    return next((finding for finding in findings if finding.code in FORBIDDING), None)

"""Reports of design, as tables and as JSON: the runs to make next, in order, and what every candidate tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxscale.digits import scientific, short, significant
from jaxscale.finding import Finding
from jaxscale.reports.constants import BEWARE, Constants
from jaxscale.reports.document import written_warning
from jaxscale.reports.facts import warning_table
from jaxscale.reports.jsontext import number
from jaxscale.reports.layout import Column, fact_table, plain, whole_table
from jaxscale.reports.predictions import facts_of, head_of, provenance_of
from jaxscale.reports.warnings import EXTRAPOLATION, NO_FRONTIER, warnings_of
from jaxscale.results import Design, Study
from jaxscale.runs import PlannedRuns
from jaxscale.text import Json, shown_name

CANDIDATES = "{source}: {count:,} runs that could be made"
SPENT = "{budget}; {cost} spent on {count} of them"
JUDGED = "left by simulated refits: {values}"
FELL = "{criterion}, expected: {before} without them, {after} with them, in {unit}"
NOTHING = "no run is worth what it costs"
NOT_BY_IT = "; the set is that of the criterion '{proposal}', which simulated refits show to be better"


@dataclass(frozen=True)
class DesignReport:
    """The chosen runs, with the table that they were chosen from; by a study or at given coefs."""

    source: Study | Constants
    design: Design
    runs: PlannedRuns

    @property
    def cautions(self) -> tuple[Finding, ...]:
        """The warnings, without those of frontiers."""
        if isinstance(self.source, Study):
            return tuple(one for one in warnings_of(self.source) if one.code not in (NO_FRONTIER, EXTRAPOLATION))
        return tuple(one for one in BEWARE if one.code != EXTRAPOLATION)

    @property
    def fell(self) -> str:
        """What the runs lower, in words."""
        design = self.design
        ends = {"before": significant(design.before, 3), "after": significant(design.after, 3)}
        return FELL.format(criterion=design.criterion, unit=design.unit, **ends)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a figure says below it."""
        return (f"law {self.design.law.name}", self.fell, self.design.stopped, *self.design.assumed)


def print_design(found: DesignReport, console: Console, *, width: int) -> None:
    """Print the runs to make next and why there are no more; width and console as in `print_fit`."""
    console.print(fact_table([*facts_of(found.source), *_facts(found)]), width=width)
    console.print()
    console.print(_run_table(found, width) if len(found.design.rows) else plain(NOTHING), width=None)
    console.print()
    console.print(plain(found.fell, "dim"), width=width)
    if found.cautions:
        console.print()
        console.print(warning_table(found.cautions), width=width)


def design_document(found: DesignReport) -> dict[str, Json]:
    """Return the document of `design --json`; numbers at full precision, null for those that do not exist."""
    design = found.design
    chosen: list[Json] = [
        {"row": int(found.runs.row[place]), "cost": float(cost), "criterion": float(after)}
        for place, cost, after in zip(design.rows, design.costs, design.path[1:], strict=True)
    ]
    candidates: list[Json] = [
        {
            "row": int(row),
            "inputs": {name: float(one[at]) for name, one in design.columns.items() if one.ndim == 1},
            "cost": float(design.prices[at]),
            "fall_per_cost": number(float(design.values[at])),
        }
        for at, row in enumerate(found.runs.row)
    ]
    return {
        **head_of(found.source),
        "design": {
            "criterion": design.criterion,
            "unit": design.unit,
            "budget": design.budget,
            "spent": design.cost,
            "before": design.before,
            "after": design.after,
            "noise": design.noise,
            "worth": number(design.worth),
            "stopped": design.stopped,
            "proposal": design.proposal,
            "judged": {name: number(value) for name, value in design.judged.items()},
            "assumed": list(design.assumed),
            "chosen": chosen,
        },
        "candidates": {"source": found.runs.origin.source, "sha256": found.runs.origin.sha256, "runs": candidates},
        "warnings": [written_warning(one) for one in found.cautions],
        "provenance": provenance_of(found.source),
    }


def _facts(found: DesignReport) -> Iterator[tuple[str, Text]]:
    design = found.design
    yield "candidates", plain(CANDIDATES.format(source=shown_name(found.runs.origin.source), count=len(found.runs)))
    other = "" if design.proposal == design.criterion else NOT_BY_IT.format(proposal=design.proposal)
    yield "criterion", plain(design.criterion + other)
    spent = {"budget": scientific(design.budget), "cost": scientific(design.cost), "count": len(design.rows)}
    yield "budget", plain(SPENT.format(**spent))
    yield "noise", plain(f"{significant(design.noise, 3)} of ln loss, standard deviation")
    yield "stopped", plain(design.stopped)
    if design.judged:
        values = ", ".join(f"{name} {significant(value, 3)}" for name, value in design.judged.items())
        yield "judged", plain(JUDGED.format(values=values))
    yield from (("assumed", plain(one)) for one in design.assumed)


def _run_table(found: DesignReport, width: int) -> Table:
    """Return one row per chosen run, in the order of purchase."""
    design = found.design
    inputs = {name: column for name, column in design.columns.items() if np.ndim(column) == 1}
    columns = [Column("", "dim", is_right=True), Column("row", is_right=True), *(Column(name) for name in inputs)]
    columns += [Column("adds to the cost"), Column(f"{design.criterion} then", "bold")]
    rows = []
    for at, place in enumerate(design.rows):
        cells = [short(float(f"{column[place]:.6g}")) for column in inputs.values()]
        costs = [scientific(float(design.costs[at])), significant(float(design.path[at + 1]), 3)]
        rows.append([str(at + 1), str(int(found.runs.row[place])), *cells, *costs])
    return whole_table(columns, rows, width=width)

"""Reports of the inputs that losses need, as tables and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from jaxscale.digits import short, significant, span
from jaxscale.finding import Finding
from jaxscale.intervals import Band
from jaxscale.reports.constants import BEWARE, Constants
from jaxscale.reports.document import written_limits, written_warning
from jaxscale.reports.extrapolating import extrapolation
from jaxscale.reports.facts import warning_table
from jaxscale.reports.jsontext import number
from jaxscale.reports.layout import Column, fact_table, whole_table
from jaxscale.reports.predictions import facts_of, head_of, provenance_of
from jaxscale.reports.warnings import NO_FRONTIER, warnings_of
from jaxscale.results import Solution, Study
from jaxscale.text import Json


@dataclass(frozen=True)
class Reached:
    """The inputs that losses need, by a study or at given coefs.

    solution: of the point fit or of its ensemble.   bands: of each array of it (k,), by name; none without an ensemble.
    """

    solution: Solution
    bands: Mapping[str, Band]
    source: Study | Constants

    @property
    def cautions(self) -> tuple[Finding, ...]:
        """The warnings: of extrapolation, of the fit, and of losses that are not reached."""
        point, own = self.solution.point, self.solution.findings
        if isinstance(self.source, Constants):
            return (*BEWARE, *own)
        is_found = np.isfinite(point.value)
        needed = {name: tuple(one[is_found].tolist()) for name, one in {**point.inputs, **point.arrays}.items()}
        far = extrapolation(point.law, needed, self.source.fit.runs) if is_found.any() else None
        others = (one for one in warnings_of(self.source) if one.code != NO_FRONTIER)
        return (*(() if far is None else (far,)), *others, *own)


def print_reached(found: Reached, console: Console, *, width: int) -> None:
    """Print the law, the source of its coefs, and one line per loss; width and console as in `print_fit`."""
    console.print(fact_table(facts_of(found.source)), width=width)
    console.print()
    console.print(_needs_table(found, width))
    shown = [one for one in found.cautions if isinstance(found.source, Study) or one not in BEWARE]
    if shown:
        console.print()
        console.print(warning_table(shown), width=width)


def reached_document(found: Reached) -> dict[str, Json]:
    """Return the document of `predict --target-loss --json`; null for what is never reached, or always."""
    point, rows = found.solution.point, []
    for index, loss in enumerate(point.loss):
        needs: dict[str, Json] = {}
        for name, values in point.arrays.items():
            needs[name] = {"value": number(float(values[index])), **written_limits(found.bands.get(name), index)}
        inputs: dict[str, Json] = {name: float(values[index]) for name, values in point.inputs.items()}
        row: dict[str, Json] = {"target": float(loss), "inputs": inputs, "needs": needs}
        rows.append({**row, "replicates": _counted(found.solution, index)})
    return {
        **head_of(found.source),
        "target": point.law.target,
        "solved_for": point.name,
        "solutions": list(rows),
        "warnings": [written_warning(one) for one in found.cautions],
        "provenance": provenance_of(found.source),
    }


def _counted(solution: Solution, index: int) -> Json:
    """Return how many replicates are usable and how many of them reach the loss; null without an ensemble."""
    if solution.at_point is None:
        return None
    values = solution.value[:, index]
    return {"usable": int(np.sum(~np.isnan(values))), "reached": int(np.sum(np.isfinite(values)))}


def _needs_table(found: Reached, width: int) -> Table:
    point = found.solution.point
    columns = [Column(point.law.target, "dim"), *(Column(name, "dim") for name in point.inputs)]
    for name in point.arrays:
        columns.append(Column(name, "bold" if name == point.name else ""))
        if name in found.bands:
            columns.append(Column(f"{100.0 * found.bands[name].level:g} % {found.bands[name].method}", "dim"))
    rows = []
    for index, loss in enumerate(point.loss):
        cells = [short(float(loss)), *(short(float(values[index])) for values in point.inputs.values())]
        for name, values in point.arrays.items():
            cells.append(significant(float(values[index]), 6))
            if name in found.bands:
                ends = (found.bands[name].lower, found.bands[name].upper)
                cells.append(span(*(significant(float(end[index])) for end in ends)))
        rows.append(cells)
    return whole_table(columns, rows, width=width)

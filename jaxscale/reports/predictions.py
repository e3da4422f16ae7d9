"""Predicted losses, for people and for programs: one line per run, with its band where an ensemble gives one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from rich.console import Console
from rich.table import Table

from jaxscale.digits import short, significant, span, times
from jaxscale.finding import UNITS_SUSPECT, Finding
from jaxscale.intervals import Band
from jaxscale.laws import Law
from jaxscale.reports.answer import Answer
from jaxscale.reports.document import (
    Json,
    number,
    written_bootstrap,
    written_data,
    written_limits,
    written_provenance,
    written_warning,
)
from jaxscale.reports.extrapolating import extrapolation, ratios
from jaxscale.reports.facts import fact_table, frontier_facts, warning_table
from jaxscale.reports.known import SCHEMA_VERSION, Known, known_document, known_facts, known_provenance
from jaxscale.reports.tables import Column, whole_table
from jaxscale.reports.warnings import NO_FRONTIER, warnings_of
from jaxscale.results import Fit

NOT_IDENTIFIED = "the coefs are not identified, so no run has a prediction; `reduced` has the loss along the runs' line"
NOT_A_SHARE = "{count} of {total} predictions lie outside 0 … 1, where no {target} can be: the law ends before"
NOT_COUNTS = (
    "the coefs are in the table's own units, which are no plain counts: no run of plain counts has a prediction"
)
NOT_FINITE = "the law gives no finite loss for {count} of {total} runs: null, and a dash on the page, stand for it"


@dataclass(frozen=True)
class Predictions:
    """What a law says of runs, by an answer, of a fit that was saved, or at known coefs.

    columns: the inputs (n,).   loss: (n,).   band: of the loss (n,), None without an ensemble.   asked: sizes (n,) that
    the law does not take, from which inputs were made.
    """

    law: Law
    coefs: Mapping[str, float]
    columns: Mapping[str, tuple[float, ...]]
    loss: np.ndarray
    band: Band | None = None
    answer: Answer | None = None
    asked: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    known: Known | None = None

    @property
    def cautions(self) -> tuple[Finding, ...]:
        """What to beware of; not what concerns frontiers, of which there is none."""
        known = () if self.answer is None else warnings_of(self.answer)
        absent = int(np.sum(~np.isfinite(self.loss)))
        text = NOT_FINITE.format(count=absent, total=len(self.loss))
        own = (Finding("not-finite", text),) if absent else ()
        outside = int(np.sum((self.loss < 0) | (self.loss > 1))) if self.law.gives_share else 0
        if outside:
            text = NOT_A_SHARE.format(count=outside, total=len(self.loss), target=self.law.target)
            own = (*own, Finding("not-a-share", text))
        if self.answer is not None and self.answer.fit.unidentified and not self.answer.fit.is_usable:
            own = (Finding("not-identified", NOT_IDENTIFIED),)
        if self.answer is not None and is_in_other_units(self.answer.fit):
            own = (Finding("not-predicted", NOT_COUNTS),)
        far = None if self.answer is None else extrapolation(self.law, self.columns, self.answer.fit.runs)
        others = (one for one in known if one.code != NO_FRONTIER)
        return (*(() if far is None else (far,)), *others, *own)

    @property
    def ratios(self) -> list[dict[str, float]]:
        """For each run, in what it lies beyond those of the table, and by which ratio; nothing without a table."""
        return [{} for _ in self.loss] if self.answer is None else ratios(self.law, self.columns, self.answer.fit.runs)


def is_in_other_units(fit: Fit) -> bool:
    """Return whether a fit's coefs are of numbers that cannot be plain counts."""
    return any(finding.code == UNITS_SUSPECT for finding in fit.findings)


def print_predictions(found: Predictions, console: Console, *, width: int) -> None:
    """Print the law, what its coefs rest on, and one line per run; width and console as in `print_fit`."""
    facts = known_facts(found.known) if found.known is not None else []
    facts = frontier_facts(found.answer) if found.answer is not None else facts
    console.print(fact_table(facts), width=width)
    console.print()
    console.print(_table(found, width))
    if found.cautions:
        console.print()
        console.print(warning_table(found.cautions), width=width)


def predictions_document(found: Predictions) -> dict[str, Json]:
    """Return the document of `predict --json`; numbers at full precision, null for those that do not exist."""
    rows: list[Json] = []
    for index, (value, beyond) in enumerate(zip(found.loss, found.ratios, strict=True)):
        inputs, asked = (
            {name: float(column[index]) for name, column in columns.items()} for columns in (found.columns, found.asked)
        )
        loss: dict[str, Json] = {"value": number(float(value)), **written_limits(found.band, index)}
        factors: Json = {name: number(factor) for name, factor in beyond.items()}
        beside: Json = None if found.answer is None else factors
        rows.append({"inputs": inputs, "asked": asked, "loss": loss, "ratio_to_runs": beside})
    return {
        **head_of(found.answer, found.known),
        "target": found.law.target,
        "predictions": rows,
        "warnings": [written_warning(one) for one in (*(found.known.findings if found.known else ()), *found.cautions)],
        "provenance": provenance_of(found.answer, found.known),
    }


def head_of(answer: Answer | None, known: Known | None) -> dict[str, Json]:
    """Return how a document begins: the law, its coefs and what they rest on."""
    if answer is None:
        return {} if known is None else known_document(known)
    return {
        "schema_version": SCHEMA_VERSION,
        "law": answer.fit.law.name,
        "equation": answer.fit.law.equation,
        "data": written_data(answer.fit),
        "coefs": {name: number(answer.coef(name)) for name in answer.fit.coefs},
        "status": str(answer.fit.status),
        "bootstrap": written_bootstrap(answer),
    }


def provenance_of(answer: Answer | None, known: Known | None) -> dict[str, Json] | None:
    """Return which versions made a document, and from what."""
    if answer is not None:
        return written_provenance(answer)
    return None if known is None else known_provenance(known)


def _table(found: Predictions, width: int) -> Table:
    columns = [
        *(Column(name, "dim") for name in found.asked),
        *map(Column, found.columns),
        Column(found.law.target, "bold"),
    ]
    columns += [] if found.band is None else [Column(f"{100.0 * found.band.level:g} % {found.band.method}", "dim")]
    columns += [] if found.answer is None else [Column("beyond the runs", "dim", is_wrapped=True)]
    rows = []
    for index, (value, beyond) in enumerate(zip(found.loss, found.ratios, strict=True)):
        cells = [short(float(f"{column[index]:.6g}")) for column in (*found.asked.values(), *found.columns.values())]
        cells.append(significant(float(value), 6))
        if found.band is not None:
            cells.append(span(*(significant(float(end[index])) for end in (found.band.lower, found.band.upper))))
        cells += [] if found.answer is None else [farthest(beyond)]
        rows.append(cells)
    return whole_table(columns, rows, width=width)


def farthest(ratios: Mapping[str, float]) -> str:
    """Return in what a run lies farthest beyond the table's, how far, and on which side."""
    if not ratios:
        return "no"
    said = [f"{name} outside" for name, ratio in ratios.items() if math.isnan(ratio)]
    known = {name: ratio for name, ratio in ratios.items() if not math.isnan(ratio)}
    if known:
        name = max(known, key=lambda one: abs(math.log(known[one])))
        side = "above" if known[name] > 1.0 else "below"
        said.insert(0, f"{name} {times(max(known[name], 1.0 / known[name]))} {side}")
    return "; ".join(said)

"""Reports of predict, as tables and as JSON: losses of given runs; what losses need is in `reports/reaching.py`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxscale.digits import short, significant, span, times
from jaxscale.finding import UNITS_SUSPECT, Finding
from jaxscale.intervals import Band, band
from jaxscale.laws import Law
from jaxscale.laws.checking import why_no_value
from jaxscale.reports.constants import BEWARE, Constants, constants_document, constants_facts, constants_provenance
from jaxscale.reports.document import (
    SCHEMA_VERSION,
    number,
    written_bootstrap,
    written_data,
    written_limits,
    written_provenance,
    written_warning,
)
from jaxscale.reports.extrapolating import extrapolation, ratios
from jaxscale.reports.facts import frontier_facts, warning_table
from jaxscale.reports.layout import Column, fact_table, plain, whole_table
from jaxscale.reports.warnings import NO_FRONTIER, warnings_of
from jaxscale.results import Fit, Study
from jaxscale.text import Json

NOT_IDENTIFIED = "the coefs are not identified, so no run has a prediction; `reduced` has the loss along the runs' line"
NOT_A_SHARE = "{count} of {total} predictions lie outside 0 … 1, where no {target} can be: the law ends before"
NOT_COUNTS = (
    "the coefs are in the table's own units, which are no plain counts: no run of plain counts has a prediction"
)
LAW_LIMITS = "law: the {method} interval of the law's mean, without the noise of a run"
LEAST_IN = "least in: the share of the replicates in which this run has the least loss of all that were asked for"
OVER = "over optimum: nats beyond the least loss that the same compute allows, by the point fit"
NOT_FINITE = (
    "the law gives no finite {target} for {count} of {total} runs{why}: null, and a dash on the page, stand for it"
)


@dataclass(frozen=True)
class Predictions:
    """Predicted losses of runs, by a study or at given coefs.

    columns: the inputs (n,).   loss: (n,).   band: of the law's mean (n,), None without an ensemble.   run_band: of a
    new run (n,).   excess: (n,), beyond the least loss that each run's compute allows, by the point fit.   asked: sizes
    (n,) that the law does not take, from which inputs were made.   draws: (R, n), what each replicate predicts.
    """

    source: Study | Constants
    columns: Mapping[str, tuple[float, ...]]
    loss: np.ndarray
    band: Band | None = None
    run_band: Band | None = None
    asked: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    draws: np.ndarray | None = None
    excess: np.ndarray | None = None

    @property
    def least(self) -> np.ndarray | None:
        """Share of the usable replicates (n,) in which each run has the least loss; None for one run."""
        if self.draws is None or len(self.loss) < 2:
            return None
        usable = self.draws[np.isfinite(self.draws).all(axis=1)]
        lowest = usable.min(axis=1, keepdims=True)
        share: np.ndarray = np.mean(usable == lowest, axis=0)
        return share

    @property
    def beyond(self) -> Band | None:
        """The band of what each run's loss is beyond that of the one that the point fit has lowest, by pairs of the
        same replicate; None for one run.
        """
        if self.draws is None or self.band is None or len(self.loss) < 2:
            return None
        return band(self.draws - self.draws[:, [int(np.argmin(self.loss))]], level=self.band.level)

    @property
    def law(self) -> Law:
        """The law that predicts."""
        return law_behind(self.source)

    @property
    def fit(self) -> Fit | None:
        """The fit that predicts; None for given coefs."""
        return self.source.fit if isinstance(self.source, Study) else None

    @property
    def cautions(self) -> tuple[Finding, ...]:
        """The warnings, without those of frontiers."""
        known = warnings_of(self.source) if isinstance(self.source, Study) else ()
        absent = int(np.sum(~np.isfinite(self.loss)))
        coefs = self.source.fit.coefs if isinstance(self.source, Study) else self.source.coefs
        why = why_no_value(self.law, coefs, self.columns, self.loss)
        told = {"target": self.law.target, "why": why and f" ({why})"}
        text = NOT_FINITE.format(count=absent, total=len(self.loss), **told)
        own = (Finding("not-finite", text),) if absent else ()
        outside = int(np.sum((self.loss < 0) | (self.loss > 1))) if self.law.gives_share else 0
        if outside:
            text = NOT_A_SHARE.format(count=outside, total=len(self.loss), target=self.law.target)
            own = (*own, Finding("not-a-share", text))
        if self.fit is not None and self.fit.unidentified and not self.fit.is_usable:
            own = (Finding("not-identified", NOT_IDENTIFIED),)
        if self.fit is not None and is_in_other_units(self.fit):
            own = (Finding("not-predicted", NOT_COUNTS),)
        far = None if self.fit is None else extrapolation(self.law, self.columns, self.fit.runs)
        others = (one for one in known if one.code != NO_FRONTIER)
        return (*(() if far is None else (far,)), *others, *own)

    @property
    def ratios(self) -> list[dict[str, float]]:
        """For each run, in what it lies beyond those of the table, and by which ratio; nothing without a table."""
        return [{} for _ in self.loss] if self.fit is None else ratios(self.law, self.columns, self.fit.runs)


def is_in_other_units(fit: Fit) -> bool:
    """Return whether a fit's coefs are of numbers that cannot be plain counts."""
    return any(finding.code == UNITS_SUSPECT for finding in fit.findings)


def print_predictions(found: Predictions, console: Console, *, width: int) -> None:
    """Print the law, the source of its coefs, and one line per run; width and console as in `print_fit`."""
    console.print(fact_table(facts_of(found.source)), width=width)
    console.print()
    for at, table in enumerate(_tables(found, width)):
        if at:
            console.print()
        console.print(table)
    if found.band is not None:
        console.print(plain(LAW_LIMITS.format(method=found.band.method), "dim"), width=width)
    if found.least is not None:
        console.print(plain(LEAST_IN, "dim"), width=width)
    if found.excess is not None:
        console.print(plain(OVER, "dim"), width=width)
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
        beside: Json = None if found.fit is None else factors
        run: dict[str, Json] = written_limits(found.run_band, index)
        paired = written_limits(found.beyond, index)
        least: Json = None if found.least is None else float(found.least[index])
        row: dict[str, Json] = {"inputs": inputs, "asked": asked, "loss": loss, "new_run": run, "ratio_to_runs": beside}
        over: Json = None if found.excess is None else number(float(found.excess[index]))
        rows.append({**row, "over_optimum": over, "beyond_lowest": paired, "least_share": least})
    return {
        **head_of(found.source),
        "target": found.law.target,
        "predictions": rows,
        "warnings": [written_warning(one) for one in (*(BEWARE if found.fit is None else ()), *found.cautions)],
        "provenance": provenance_of(found.source),
    }


def law_behind(source: Study | Constants) -> Law:
    """Return the law of a study's fit, or the one whose coefs were given."""
    return source.fit.law if isinstance(source, Study) else source.law


def facts_of(source: Study | Constants) -> list[tuple[str, Text]]:
    """Return the facts printed first: the law, its coefs and their source."""
    return frontier_facts(source) if isinstance(source, Study) else constants_facts(source)


def head_of(source: Study | Constants) -> dict[str, Json]:
    """Return the first keys of a document: the law, its coefs and their source."""
    if isinstance(source, Constants):
        return constants_document(source)
    return {
        "schema_version": SCHEMA_VERSION,
        "law": source.fit.law.name,
        "equation": source.fit.law.equation,
        "data": written_data(source.fit),
        "coefs": {name: number(source.coef(name)) for name in source.fit.coefs},
        "status": str(source.fit.status),
        "bootstrap": written_bootstrap(source),
    }


def provenance_of(source: Study | Constants) -> dict[str, Json]:
    """Return the provenance of a document: versions and source."""
    return written_provenance(source) if isinstance(source, Study) else constants_provenance(source)


def _tables(found: Predictions, width: int) -> list[Table]:
    """Return the runs with their losses and limits and with what else is said of each, in two tables where one would be
    wider than the page.
    """
    sizes = [*(Column(name, "dim") for name in found.asked), *map(Column, found.columns)]
    losses, others = [Column(found.law.target, "bold")], list[Column]()
    limits = [one for one in (found.band, found.run_band) if one is not None]
    losses += [] if found.band is None else [Column(f"law, {100.0 * found.band.level:g} %", "dim")]
    losses += [] if found.run_band is None else [Column(f"new run, {100.0 * found.run_band.level:g} %", "dim")]
    others += [] if found.excess is None else [Column("over optimum", "dim")]
    others += [] if found.least is None else [Column("least in", "dim")]
    others += [] if found.fit is None else [Column("beyond the runs", "dim", is_wrapped=True)]
    rows = []
    for index, (value, beyond) in enumerate(zip(found.loss, found.ratios, strict=True)):
        size = [short(float(f"{column[index]:.6g}")) for column in (*found.asked.values(), *found.columns.values())]
        loss = [significant(float(value), 6)]
        loss += [span(*(significant(float(end[index])) for end in (one.lower, one.upper))) for one in limits]
        other = [] if found.excess is None else [significant(float(found.excess[index]), 2)]
        other += [] if found.least is None else [f"{100.0 * found.least[index]:.3g} %"]
        other += [] if found.fit is None else [farthest(beyond)]
        rows.append((size, loss, other))
    whole = whole_table([*sizes, *losses, *others], [[*size, *loss, *other] for size, loss, other in rows], width=width)
    if (whole.width or 0) <= width or not others:
        return [whole]
    first = whole_table([*sizes, *losses], [[*size, *loss] for size, loss, _ in rows], width=width)
    return [first, whole_table([*sizes, *others], [[*size, *other] for size, _, other in rows], width=width)]


def farthest(ratios: Mapping[str, float]) -> str:
    """Return the input in which a run lies farthest beyond the table, with its factor and side."""
    if not ratios:
        return "no"
    said = [f"{name} outside" for name, ratio in ratios.items() if math.isnan(ratio)]
    known = {name: ratio for name, ratio in ratios.items() if not math.isnan(ratio)}
    if known:
        name = max(known, key=lambda one: abs(math.log(known[one])))
        side = "above" if known[name] > 1.0 else "below"
        said.insert(0, f"{name} {times(max(known[name], 1.0 / known[name]))} {side}")
    return "; ".join(said)

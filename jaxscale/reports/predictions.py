"""Predicted losses, for people and for programs: one line per run, with its band where a crowd gives one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxscale.allocation.sizes import all_sizes
from jaxscale.intervals import Band
from jaxscale.laws import Law
from jaxscale.reports.answer import Answer
from jaxscale.reports.cautions import EXTRAPOLATION, FAR, NO_FRONTIER, cautions_of
from jaxscale.reports.document import (
    Json,
    number,
    written_bootstrap,
    written_data,
    written_limits,
    written_provenance,
    written_warning,
)
from jaxscale.reports.facts import fact_table, frontier_facts
from jaxscale.reports.known import SCHEMA_VERSION, Known, known_document, known_facts, known_provenance
from jaxscale.reports.numbers import power, significant, span, times
from jaxscale.reports.safe import plain, rows_of
from jaxscale.runs import Finding

BEYOND = "{name} up to {factor:,g} times beyond the runs of the table, which end at {end:.3g}"
ROUNDING = 1e-9
"""How far beyond the largest run, relatively, still counts as at it: sizes are products of rounded numbers."""
NOT_FINITE = "the law gives no finite loss for {count} of {total} runs: null, and a dash on the page, stand for it"


@dataclass(frozen=True)
class Predictions:
    """What a law says of runs, by an answer, of a fit that was saved, or at known coefs.

    columns: the inputs (n,).   loss: (n,).   band: of the loss (n,), None without a crowd.
    """

    law: Law
    coefs: Mapping[str, float]
    columns: Mapping[str, tuple[float, ...]]
    loss: np.ndarray
    band: Band | None = None
    answer: Answer | None = None
    known: Known | None = None

    @property
    def cautions(self) -> tuple[Finding, ...]:
        """What to beware of; not what concerns frontiers, of which there is none."""
        known = () if self.answer is None else cautions_of(self.answer)
        absent = int(np.sum(~np.isfinite(self.loss)))
        text = NOT_FINITE.format(count=absent, total=len(self.loss))
        own = (Finding("not-finite", text),) if absent else ()
        return (*self._extrapolated(), *(one for one in known if one.code != NO_FRONTIER), *own)

    @property
    def beyond(self) -> list[dict[str, float]]:
        """For each run, the sizes and inputs in which it lies beyond the table's runs: by which factor, above 1."""
        found: list[dict[str, float]] = [{} for _ in self.loss]
        for name, values, (low, high) in self._measured():
            for place, value in enumerate(values):
                factor = max(value / high, low / value)
                if factor > 1.0 + ROUNDING:
                    found[place][name] = float(factor)
        return found

    def _measured(self) -> Iterator[tuple[str, np.ndarray, tuple[float, float]]]:
        """Return the name, the values (n,) and the table's range of the inputs, and of flops, that are positive."""
        runs = {} if self.answer is None else self.answer.fit.runs.columns
        columns = {name: np.asarray(column, dtype=np.float64) for name, column in self.columns.items()}
        flops = all_sizes(self.law, columns).get("flops")
        for name, values in {**({} if flops is None else {"flops": flops}), **columns}.items():
            measured = runs[name][np.isfinite(runs[name])] if name in runs else np.empty(0)
            if measured.size and measured.ndim == 1 and measured.min() > 0 and np.min(values) > 0:
                yield name, values, (float(measured.min()), float(measured.max()))

    def _extrapolated(self) -> tuple[Finding, ...]:
        """Return the warning of runs far beyond the table's, by the input in which they are farthest beyond."""
        said = []
        for name, values, (low, high) in self._measured():
            above, below = float(np.max(values)) / high, low / float(np.min(values))
            if max(above, below) >= FAR:
                factor = float(f"{max(above, below):.3g}")
                said.append(BEYOND.format(name=name, factor=factor, end=high if above >= below else low))
        return (Finding(EXTRAPOLATION, f"extrapolation: {'; '.join(said)}"),) if said else ()


def print_predictions(found: Predictions, console: Console, *, width: int) -> None:
    """Print the law, what its coefs rest on, and one line per run; width and console as in `print_fit`."""
    facts = known_facts(found.known) if found.known is not None else []
    facts = frontier_facts(found.answer) if found.answer is not None else facts
    console.print(fact_table(facts), width=width)
    console.print()
    console.print(_table(found))
    if found.cautions:
        console.print()
    for one in found.cautions:
        console.print(Text.assemble(plain(f"{one.code}  ", "yellow"), plain(one.message + rows_of(one))), width=width)


def predictions_document(found: Predictions) -> dict[str, Json]:
    """Return the document of `predict --json`; numbers at full precision, null for those that do not exist."""
    rows: list[Json] = []
    for index, (value, beyond) in enumerate(zip(found.loss, found.beyond, strict=True)):
        inputs: dict[str, Json] = {name: float(column[index]) for name, column in found.columns.items()}
        loss: dict[str, Json] = {"value": number(float(value)), **written_limits(found.band, index)}
        factors: Json = {name: number(factor) for name, factor in beyond.items()}
        rows.append({"inputs": inputs, "loss": loss, "times_beyond": None if found.answer is None else factors})
    return {
        **_head(found),
        "predictions": rows,
        "warnings": [written_warning(one) for one in (*(found.known.findings if found.known else ()), *found.cautions)],
        "provenance": written_provenance(found.answer) if found.answer is not None else _known_provenance(found),
    }


def _head(found: Predictions) -> dict[str, Json]:
    answer = found.answer
    if answer is None:
        return {} if found.known is None else known_document(found.known)
    return {
        "schema_version": SCHEMA_VERSION,
        "law": found.law.name,
        "equation": found.law.equation,
        "data": written_data(answer.fit),
        "coefs": {name: number(answer.coef(name)) for name in found.coefs},
        "status": str(answer.fit.status),
        "bootstrap": written_bootstrap(answer),
    }


def _known_provenance(found: Predictions) -> dict[str, Json] | None:
    return None if found.known is None else known_provenance(found.known)


def _table(found: Predictions) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 3, 0, 0), header_style="")
    for name in found.columns:
        unit = found.law.measure(name).unit
        table.add_column(f"{name} ({unit})" if unit and unit != name else name, no_wrap=True)
    table.add_column("loss", no_wrap=True, style="bold")
    if found.band is not None:
        table.add_column(f"{100.0 * found.band.level:g} % {found.band.method}", no_wrap=True, style="dim")
    if found.answer is not None:
        table.add_column("beyond the runs", no_wrap=True, style="dim")
    for index, value in enumerate(found.loss):
        cells = [power(column[index], 6) for column in found.columns.values()]
        limits = []
        if found.band is not None:
            limits = [span(*(significant(float(end[index])) for end in (found.band.lower, found.band.upper)))]
        limits += [_farthest(found.beyond[index])] if found.answer is not None else []
        table.add_row(*cells, significant(float(value), 6), *limits)
    return table


def _farthest(beyond: Mapping[str, float]) -> str:
    """Return in which input a run lies farthest beyond the table's, and by which factor."""
    if not beyond:
        return "no"
    name = max(beyond, key=lambda one: beyond[one])
    return f"{name} {times(beyond[name])}"

"""The result of `bootstrap` as one JSON document and as a table for people, both from the same rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.judging import MISSED, Judgement
from benchmarks.timing import Measurement

SCHEMA_VERSION = 1
WIDTH = 140  # of the table in characters; a narrower terminal wraps its lines; cut numbers would be worse
COLUMNS = (
    "contestant",
    "replicates",
    "compile s",
    "ms/replicate",
    "min–max",
    "jaxscale ×",
    "objective, mean",
    "worst excess",
    "missed",
    "failed",
)
NOTES = (
    "jaxscale ×: how many replicates jaxscale solves in the time that this contestant takes for one.",
    "SciPy contestants run in one process on one thread; contestants on JAX use the cores that XLA takes.",
    "Objective, excess and missed: by one NumPy function, on the {shared} replicates that all contestants solved.",
    f"Excess: relative to the best value that any contestant found for the replicate; missed: above {MISSED:g}.",
    "Failed: what the contestant itself reports, of all replicates that it solved.",
)


@dataclass(frozen=True)
class Row:
    """One contestant in the report; an absent or infinite number is None.

    throughput_ratio: milliseconds here over those of jaxscale on all its replicates.   The rest: see `Judgement`.
    """

    contestant: str
    about: str
    replicates: int
    compile_seconds: float | None
    run_seconds: tuple[float, ...]
    milliseconds: float
    least_milliseconds: float
    most_milliseconds: float
    throughput_ratio: float
    objective_mean: float | None
    worst_excess: float | None
    median_excess: float | None
    missed: int
    own_value_error: float | None
    failed: int


def rows_of(measurements: Sequence[Measurement], judgements: Sequence[Judgement]) -> list[Row]:
    """Return a row for each measurement with its judgement, in order."""
    own = max((each for each in measurements if each.rival.kind == "own"), key=lambda each: each.replicates)
    rows = []
    for measurement, judgement in zip(measurements, judgements, strict=True):
        median, least, most = measurement.milliseconds
        rows.append(
            Row(
                contestant=measurement.rival.name,
                about=measurement.rival.about,
                replicates=measurement.replicates,
                compile_seconds=measurement.compile_seconds,
                run_seconds=measurement.run_seconds,
                milliseconds=median,
                least_milliseconds=least,
                most_milliseconds=most,
                throughput_ratio=median / own.milliseconds[0],
                objective_mean=_finite(judgement.mean_value),
                worst_excess=_finite(judgement.worst_excess),
                median_excess=_finite(judgement.median_excess),
                missed=judgement.missed,
                own_value_error=_finite(judgement.disagreement),
                failed=measurement.outcome.failed,
            )
        )
    return rows


def document(rows: Sequence[Row], *, machine: Mapping[str, object], options: Mapping[str, object]) -> dict[str, object]:
    """Return the JSON document, numbers at full precision; times in milliseconds are per replicate."""
    return {
        "schema_version": SCHEMA_VERSION,
        "benchmark": "bootstrap",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": dict(machine),
        "options": dict(options),
        "shared_replicates": _shared(rows),
        "results": [asdict(row) for row in rows],
    }


def show(rows: Sequence[Row], *, title: str) -> None:
    """Print the rows to stdout as a table, with the notes that it needs to be read right."""
    console = Console(width=max(Console().width, WIDTH))
    table = Table(title=title, box=box.SIMPLE, title_justify="left")
    for place, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if place else "left", no_wrap=True)
    for row in rows:
        table.add_row(
            row.contestant,
            str(row.replicates),
            _text(row.compile_seconds, ".1f"),
            f"{row.milliseconds:.3g}",
            f"{row.least_milliseconds:.3g}–{row.most_milliseconds:.3g}",
            f"{row.throughput_ratio:.3g}",
            _text(row.objective_mean, ".10e"),
            _text(row.worst_excess, ".1e"),
            str(row.missed),
            str(row.failed),
        )
    console.print(table)
    for note in NOTES:
        console.print(note.format(shared=_shared(rows)), highlight=False)


def _shared(rows: Sequence[Row]) -> int:
    return min(row.replicates for row in rows)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _text(number: float | None, style: str) -> str:
    return "–" if number is None else f"{number:{style}}"

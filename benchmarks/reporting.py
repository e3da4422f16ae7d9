"""The result of `bootstrap` as rows of one JSON document, and those rows as a table for people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from benchmarks.sheets import Sheet, text

if TYPE_CHECKING:
    from benchmarks.judging import Judgement
    from benchmarks.timing import Measurement

MISSED = 1e-6  # a replicate whose excess is larger is not at the minimum
COLUMNS = (
    "contestant",
    "replicates",
    "compile s",
    "ms/replicate",
    "min–max",
    "jaxscale ×",
    "objective, mean",
    "worst excess",
    "lead",
    "missed",
    "failed",
)
NOTES = (
    "jaxscale ×: how many replicates jaxscale solves in the time that this contestant takes for one.",
    "SciPy contestants run in one process on one thread; the others use all cores, or those that XLA takes.",
    "Objective, excess and missed: by one NumPy function, on the {shared} replicates that all contestants solved.",
    f"Excess: relative to the best value that any contestant found for the replicate; missed: above {MISSED:g}.",
    "Lead: the most by which this contestant's objective lies below jaxscale's on any replicate that both solved.",
    "Failed: what the contestant itself reports, of all replicates that it solved.",
)
ABSENT = "{contestant} is absent: {reason}."


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
    lead: float | None
    missed: int
    own_value_error: float | None
    failed: int


def own_place(measurements: Sequence[Measurement]) -> int:
    """Return which measurement is jaxscale's on all its replicates: the first of its own."""
    return next(place for place, each in enumerate(measurements) if each.rival.kind == "own")


def rows_of(measurements: Sequence[Measurement], judgements: Sequence[Judgement]) -> list[Row]:
    """Return a row for each measurement with its judgement, in order."""
    own, _, _ = measurements[own_place(measurements)].milliseconds
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
                throughput_ratio=median / own,
                objective_mean=_finite(judgement.mean_value),
                worst_excess=_finite(judgement.worst_excess),
                median_excess=_finite(judgement.median_excess),
                lead=_finite(judgement.lead),
                missed=judgement.missed,
                own_value_error=_finite(judgement.disagreement),
                failed=measurement.outcome.failed,
            )
        )
    return rows


def results_of(rows: Sequence[Row]) -> list[dict]:
    """Return the rows as the JSON document holds them."""
    return [asdict(row) for row in rows]


def sheets(document: Mapping) -> tuple[Sheet, ...]:
    """Return the table of a document, with the notes that it needs to be read right."""
    options, machine = document["options"], document["machine"]
    title = f"{options['table']}, {options['rows']} rows, {machine['backend']} with {machine['cores']} cores"
    notes = [note.format(shared=document["shared_replicates"]) for note in NOTES]
    notes += [ABSENT.format(**one) for one in document.get("absent", ())]
    return (Sheet(title, COLUMNS, tuple(_cells(row) for row in document["results"]), tuple(notes)),)


def _cells(row: Mapping) -> tuple[str, ...]:
    return (
        row["contestant"],
        str(row["replicates"]),
        text(row["compile_seconds"], ".1f"),
        text(row["milliseconds"]),
        f"{row['least_milliseconds']:.3g}–{row['most_milliseconds']:.3g}",
        text(row["throughput_ratio"]),
        text(row["objective_mean"], ".10e"),
        text(row["worst_excess"], ".1e"),
        text(row.get("lead"), ".1e"),
        str(row["missed"]),
        str(row["failed"]),
    )


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None

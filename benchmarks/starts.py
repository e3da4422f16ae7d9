"""`python -m benchmarks starts`: Hoffmann's grid of 4,500 start points, all of them fitted."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from itertools import product

import click

from benchmarks import options, records, sheets
from benchmarks.sheets import Sheet, text

GRID = {
    "e": (-1.0, -0.5, 0.0, 0.5, 1.0),
    "a": (0.0, 5.0, 10.0, 15.0, 20.0, 25.0),
    "b": (0.0, 5.0, 10.0, 15.0, 20.0, 25.0),
    "alpha": (0.0, 0.5, 1.0, 1.5, 2.0),
    "beta": (0.0, 0.5, 1.0, 1.5, 2.0),
}
"""ln E, ln A, ln B and the exponents: 4,500 points.   Source: Hoffmann et al. 2022, appendix D.2."""
NEARLY_ZERO = 0.01
"""The exponent that stands for 0 where a law admits none: positive exponents have no 0 on the real line."""
COLUMNS = ("starts", "compile s", "run s", "min–max", "agreeing", "other minima", "objective", "status")
NOTES = (
    "Run: `js.fit`, warm, the median; compile: by jaxscale's clock, in the first call.",
    "Agreeing: starts that end at the best minimum to 1e-8; other minima: their number and the starts that end there.",
    "hoffmann is the law on the real line, written as a plain function, from the grid as published; chinchilla is the "
    f"shipped law, whose exponents are positive: there {NEARLY_ZERO:g} stands for an exponent of 0.",
)


@click.command()
@options.table
@options.repeats
@options.out
def starts(table: str | None, where: tuple[str, ...], repeats: int, out: str | None) -> None:
    """Fit the Chinchilla law to TABLE from each of Hoffmann's 4,500 start points, and from the law's own grid."""
    import jaxscale as js
    from benchmarks import laws, machine

    runs = options.runs_of(table, where)
    grid = [dict(zip(GRID, point, strict=True)) for point in product(*GRID.values())]
    tasks = (
        ("hoffmann, 4,500 starts", laws.HOFFMANN, grid),
        ("chinchilla, 4,500 starts", js.LAWS.resolve("chinchilla"), [_on_the_support(point) for point in grid]),
        ("chinchilla, its own starts", js.LAWS.resolve("chinchilla"), None),
    )
    results = [{"task": name, **_measured(runs, law, points, repeats)} for name, law, points in tasks]
    document = records.document(
        "starts",
        results,
        machine=machine.describe(),
        options={"table": options.name_of(table), "rows": len(runs), "where": list(where)},
    )
    sheets.show(tabulate(document))
    click.echo(f"written to {records.write(document, out)}", err=True)


def tabulate(document: Mapping) -> tuple[Sheet, ...]:
    """Return the table of a document."""
    chosen = document["options"]
    rows = tuple(_cells(result) for result in document["results"])
    return (Sheet(f"{chosen['table']}, {chosen['rows']} rows", ("law and starts", *COLUMNS), rows, NOTES),)


def _on_the_support(point: Mapping[str, float]) -> dict[str, float]:
    """Return a point of the grid as coefs of the shipped law."""
    import math

    amplitudes = {name.upper(): math.exp(point[name]) for name in ("e", "a", "b")}
    return {**amplitudes, **{name: point[name] or NEARLY_ZERO for name in ("alpha", "beta")}}


def _measured(runs, law, points: Sequence[Mapping[str, float]] | None, repeats: int) -> dict:  # noqa: ANN001
    """Return times and certificate of a fit from these points."""
    import jaxscale as js

    first = js.fit(runs, law, starts=points)
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        fit = js.fit(runs, law, starts=points)
        seconds.append(time.perf_counter() - started)
    checked = fit.certificate
    return {
        "compile_seconds": first.provenance.compile_seconds,
        "run_seconds": seconds,
        "starts": checked.starts,
        "agreeing_starts": checked.agreeing_starts,
        "other_minima": [{"value": one.value, "starts": one.starts} for one in checked.other_minima],
        "value": fit.value,
        "status": str(fit.status),
    }


def _cells(result: Mapping) -> tuple[str, ...]:
    seconds, others = result["run_seconds"], result["other_minima"]
    return (
        result["task"],
        str(result["starts"]),
        text(result["compile_seconds"], ".1f"),
        text(statistics.median(seconds)),
        f"{min(seconds):.3g}–{max(seconds):.3g}",
        f"{result['agreeing_starts']} ({result['agreeing_starts'] / result['starts']:.1%})",
        f"{len(others)} ({sum(one['starts'] for one in others)})",
        text(result["value"], ".10e"),
        result["status"],
    )

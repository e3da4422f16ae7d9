"""`python -m benchmarks scaling`: how time and memory grow with replicates, rows, coefs, and from law to law."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping

import click

from benchmarks import options, records, sheets
from benchmarks.point import Point, measure
from benchmarks.sheets import Sheet, text

REPLICATES = 4000
CELLS = 4e7
"""Rows times replicates of one call, above which long tables get fewer replicates; never fewer than 400."""
FULL = {"replicates": 1_000_000, "rows": 100_000}
LAWS = ("chinchilla", "user-chinchilla", "chinchilla-tied", "kaplan", "power")
AXES = {
    "replicates": ("4000", "run_seconds", "By replicates: chinchilla on {table}"),
    "rows": ("240", "milliseconds", "By rows: chinchilla on simulated tables"),
    "coefs": ("5", "milliseconds", "By coefs: sums of powers, written as plain functions, on 240 simulated rows"),
    "laws": ("chinchilla", "milliseconds", "By laws: on {table}"),
}
"""Axis → the point that the others are compared with, in what, and the title of its table."""
COLUMNS = ("rows", "coefs", "replicates", "compile s", "run s", "ms/replicate", "evaluations", "peak MiB", "usable")
NOTES = (
    "Every line is a process of its own. Run: `js.bootstrap`, warm, the median; compile: the point fit's included.",
    "Peak: the largest resident memory of that process, interpreter, JAX and compiling included.",
    "×: {what} over that of the line {reference}. Evaluations: of objective and derivatives, per replicate.",
)
WHAT = {"run_seconds": "run time", "milliseconds": "time per replicate"}
_lists = {"callback": options.integers, "metavar": "LIST", "show_default": True}


@click.command()
@options.table
@click.option("--replicates", default="100,1000,4000,100000", help="Replicates on TABLE.", **_lists)
@click.option("--rows", default="30,240,1000,10000", help="Rows of simulated tables.", **_lists)
@click.option("--coefs", default="2,3,5,7,9", help="Coefs of sums of powers, some of these five.", **_lists)
@click.option("--laws", default=",".join(LAWS), metavar="LIST", show_default=True, help="Laws on TABLE.")
@click.option("--full", is_flag=True, help="Also 1,000,000 replicates and 100,000 rows: some minutes more.")
@options.repeats
@options.seed
@options.out
def scaling(
    table: str | None,
    where: tuple[str, ...],
    replicates: tuple[int, ...],
    rows: tuple[int, ...],
    coefs: tuple[int, ...],
    laws: str,
    full: bool,
    repeats: int,
    seed: int,
    out: str | None,
) -> None:
    """Measure `js.bootstrap` along four axes, each point in a fresh process, with its peak memory.

    An empty LIST leaves an axis out.
    """
    axes = {"replicates": replicates, "rows": rows, "coefs": coefs, "laws": tuple(filter(None, laws.split(",")))}
    for axis, longest in FULL.items():
        axes[axis] += (longest,) * (full and longest not in axes[axis])
    results: list[dict] = []
    known: dict[Point, dict] = {}  # axes may cross
    for axis, place, point in _points(axes, table, where, repeats=repeats, seed=seed):
        click.echo(f"{axis} {place}", err=True)
        known[point] = known.get(point) or measure(point)
        results.append({"axis": axis, "place": place, "replicates": point.replicates, **known[point]})
    from benchmarks import machine  # starts JAX in this process, which must stay small until the points are done

    document = records.document(
        "scaling",
        results,
        machine=machine.describe(),
        options={"table": options.name_of(table), "where": list(where), "seed": seed},
    )
    sheets.show(tabulate(document))
    click.echo(f"written to {records.write(document, out)}", err=True)


def tabulate(document: Mapping) -> tuple[Sheet, ...]:
    """Return one table for each axis that was measured."""
    found = []
    for axis, (reference, measure_of, title) in AXES.items():
        lines = [line for line in document["results"] if line["axis"] == axis]
        if not lines:
            continue
        compared = next((line for line in lines if line["place"] == reference and "refused" not in line), None)
        base = _number(compared, measure_of) if compared else None
        notes = [note.format(what=WHAT[measure_of], reference=reference) for note in NOTES]
        notes += [f"{line['place']} was refused: {line['refused']}" for line in lines if "refused" in line]
        columns = [column for column in COLUMNS if column != axis]
        cells = [_cells(line, base, measure_of) for line in lines]
        rows = tuple(tuple(cell.get(name, sheets.ABSENT) for name in ("place", *columns, "×")) for cell in cells)
        shown = title.format(table=document["options"]["table"])
        found.append(Sheet(shown, (axis, *columns, f"× {reference}"), rows, tuple(notes)))
    return tuple(found)


def _points(
    axes: Mapping, table: str | None, where: tuple[str, ...], *, repeats: int, seed: int
) -> Iterator[tuple[str, str, Point]]:
    """Yield (axis, place, point) for each point of each axis."""
    given, often = {"table": table, "where": where}, {"repeats": repeats, "seed": seed}
    for count in axes["replicates"]:
        yield "replicates", str(count), Point("chinchilla", count, **given, **often)
    for rows in axes["rows"]:
        replicates = max(min(REPLICATES, int(CELLS / rows)), REPLICATES // 10)
        yield "rows", str(rows), Point("chinchilla", replicates, rows=rows, **often)
    for size in axes["coefs"]:
        yield "coefs", str(size), Point(f"power-{size}", REPLICATES, rows=240, **often)
    for law in axes["laws"]:
        yield "laws", law, Point(law, REPLICATES, **given, **often)


def _number(line: Mapping, name: str) -> float:
    """Return the median run time of a line, or its milliseconds per replicate."""
    seconds = statistics.median(line["run_seconds"])
    return seconds if name == "run_seconds" else 1e3 * seconds / line["replicates"]


def _cells(line: Mapping, base: float | None, measure_of: str) -> dict[str, str]:
    """Return what a line says under each column; of one that was refused, nothing but its place."""
    if "refused" in line:
        return {"place": line["place"], "replicates": str(line["replicates"])}
    usable = sum(line["statuses"].get(name, 0) for name in ("converged", "at_bound"))
    return {
        "place": line["place"],
        "rows": str(line["rows"]),
        "coefs": str(line["coefs"]),
        "replicates": str(line["replicates"]),
        "compile s": text(line["compile_seconds"], ".1f"),
        "run s": text(_number(line, "run_seconds")),
        "ms/replicate": text(_number(line, "milliseconds")),
        "evaluations": text(line["evaluations"], ".1f"),
        "peak MiB": text(line["peak_bytes"] / 2**20, ".0f"),
        "usable": f"{usable} of {sum(line['statuses'].values())}",
        "×": text(_number(line, measure_of) / base if base else None),
    }

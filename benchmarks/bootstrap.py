"""`python -m benchmarks bootstrap`: the same resampled tables, fitted in several ways."""

from __future__ import annotations

import sys

import click

from benchmarks import options, records, sheets

ABSENT = "{name} is not installed; the contestants need: uv sync --group bench"


@click.command()
@options.table
@click.option(
    "--replicates", default=4000, show_default=True, type=options.POSITIVE, help="Tables for jaxscale and C++."
)
@click.option(
    "--batched-replicates", default=1000, show_default=True, type=options.POSITIVE, help="… optax and optimistix."
)
@click.option(
    "--rival-replicates", default=200, show_default=True, type=options.POSITIVE, help="… the SciPy contestants."
)
@click.option("--lanes", default=50, show_default=True, type=options.POSITIVE, help="Batch of those that batch.")
@options.repeats
@options.seed
@options.out
def bootstrap(
    table: str | None,
    where: tuple[str, ...],
    replicates: int,
    batched_replicates: int,
    rival_replicates: int,
    lanes: int,
    repeats: int,
    seed: int,
    out: str | None,
) -> None:
    """Bootstrap the Chinchilla law on TABLE in every way there is.

    All contestants solve the same resampled tables, each the first so many of them.
    """
    try:
        from benchmarks import drawing, judging, machine, reporting, timing
        from benchmarks.rivals import RIVALS
    except ModuleNotFoundError as missing:
        raise click.ClickException(ABSENT.format(name=missing.name)) from missing

    batched, serial = min(batched_replicates, replicates), min(rival_replicates, replicates)
    counts = {"own": replicates, "native": replicates, "batched": batched, "whole": batched, "serial": serial}
    reasons = {rival: rival.absent() for rival in RIVALS}
    present = [rival for rival in RIVALS if reasons[rival] is None]
    contest = [(rival, counts[rival.kind]) for rival in present]
    if serial < replicates:  # jaxscale once more on the small ensemble, where its batches are small too
        contest += [(rival, serial) for rival in present if rival.name == "jaxscale"]
    runs = options.runs_of(table, where)
    _tell("jaxscale: fitting, and drawing the tables")
    study = drawing.draw(runs, replicates=replicates, lanes=lanes, seed=seed)
    measurements = timing.measure(study, contest, repeats=repeats, tell=_tell)
    own = reporting.own_place(measurements)
    rows = reporting.rows_of(measurements, judging.judge(study, [each.outcome for each in measurements], own=own))
    document = records.document(
        "bootstrap",
        reporting.results_of(rows),
        machine=machine.describe(),
        options={
            "table": options.name_of(table),
            "rows": len(study.loss),
            "where": list(where),
            "replicates": counts,
            "lanes": lanes,
            "repeats": repeats,
            "seed": seed,
        },
        shared_replicates=min(row.replicates for row in rows),
        absent=[{"contestant": rival.name, "reason": why} for rival, why in reasons.items() if why],
    )
    sheets.show(reporting.sheets(document))
    click.echo(f"written to {records.write(document, out)}", err=True)


def _tell(line: str) -> None:
    """Write a line of progress for a person at a terminal."""
    if sys.stderr.isatty():
        click.echo(line, err=True)

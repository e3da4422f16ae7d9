"""`python -m benchmarks bootstrap`: the same resampled tables, fitted in several ways."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

PACKAGES = ("jaxscale", "jax", "jaxlib", "numpy", "scipy", "autograd", "optax", "optimistix", "equinox")
RESULTS = Path(__file__).parent / "results"
ABSENT = "{name} is not installed; the contestants need: uv sync --group bench"
POSITIVE = click.IntRange(1)


@click.command()
@click.argument("table", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option("--where", multiple=True, metavar="CONDITION", help="Rows of TABLE to use; repeatable.")
@click.option("--replicates", default=4000, show_default=True, type=POSITIVE, help="Tables that jaxscale solves.")
@click.option("--batched-replicates", default=1000, show_default=True, type=POSITIVE, help="… optax and optimistix.")
@click.option("--rival-replicates", default=200, show_default=True, type=POSITIVE, help="… the SciPy contestants.")
@click.option("--lanes", default=50, show_default=True, type=POSITIVE, help="Batch of optax and optimistix.")
@click.option("--repeats", default=3, show_default=True, type=POSITIVE, help="Warm runs of each contestant.")
@click.option("--seed", default=0, show_default=True, help="Seed of the draws.")
@click.option("--out", type=click.Path(dir_okay=False), help="JSON file.  [default: results/bootstrap-BACKEND.json]")
@click.option("--json", "as_json", is_flag=True, help="Print the JSON document instead of the table.")
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
    as_json: bool,
) -> None:
    """Bootstrap the Chinchilla law on TABLE, a CSV file, or on the table that ships with jaxscale.

    All contestants solve the same resampled tables, each the first so many of them.
    """
    counts = {
        "own": replicates,
        "batched": min(batched_replicates, replicates),
        "serial": min(rival_replicates, replicates),
    }
    try:
        import jaxscale as js
        from benchmarks import judging, machine, reporting, tables, timing
        from benchmarks.rivals import RIVALS
        from jaxscale.errors import JaxscaleError
    except ModuleNotFoundError as absent:
        raise click.ClickException(ABSENT.format(name=absent.name)) from absent

    contest = [(rival, counts[rival.kind]) for rival in RIVALS]
    if counts["serial"] < counts["own"]:  # jaxscale once more on the small crowd, where its batches are small too
        contest += [(rival, counts["serial"]) for rival in RIVALS if rival.kind == "own"]
    try:
        runs = js.read_runs(table, where=where) if table else js.datasets.load("simulated")
        _tell("jaxscale: drawing the tables")
        study, cold_seconds = tables.draw(runs, replicates=replicates, lanes=lanes, seed=seed)
    except JaxscaleError as refusal:
        click.echo(str(refusal), err=True)
        raise click.exceptions.Exit(refusal.exit_code) from refusal
    measurements = timing.measure(study, contest, repeats=repeats, cold_seconds=cold_seconds, tell=_tell)
    rows = reporting.rows_of(measurements, judging.judge(study, [each.outcome for each in measurements]))

    here = machine.describe(PACKAGES)
    name = Path(table).name if table else "simulated"
    source = {"table": name, "rows": len(study.loss), "where": list(where)}
    options = {"replicates": counts, "lanes": lanes, "repeats": repeats, "seed": seed}
    text = json.dumps(
        reporting.document(rows, machine=here, options=source | options), indent=1, ensure_ascii=False, allow_nan=False
    )
    target = Path(out) if out else RESULTS / f"bootstrap-{here['backend']}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text + "\n", encoding="utf-8")
    if as_json:
        click.echo(text)
    else:
        title = f"{name}, {len(study.loss)} rows, on {here['backend']} with {here['cores']} cores"
        reporting.show(rows, title=title)
    click.echo(f"written to {target}", err=True)


def _tell(line: str) -> None:
    """Write a line of progress for a person at a terminal."""
    if sys.stderr.isatty():
        click.echo(line, err=True)

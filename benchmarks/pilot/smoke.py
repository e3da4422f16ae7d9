"""Whether three small runs, trained again here, come to their committed losses within the spread between seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from benchmarks.pilot import ledger, plan
from benchmarks.pilot.text import text
from benchmarks.pilot.training import train

RUNS = 3


def again() -> bool:
    """Train them, print each loss beside the committed one, and return whether all are within the spread."""
    rows = ledger.read(ledger.FOLDER / "fit.csv")
    if not rows:
        raise click.ClickException(ledger.NOTHING_FITTED)
    spread, holds = seed_spread(rows), True
    click.echo(f"spread between seeds: {spread:.4f} nats per byte, the widest of all sizes with several")
    for row in chosen(rows):
        ended = train(ledger.settings_of(row), text())
        miss = ended.loss - float(row["loss"])
        holds &= abs(miss) <= spread
        click.echo(f"{row['run']}: {ended.loss:.6f}, committed {row['loss']}, {miss:+.6f}, in {ended.seconds:.0f} s")
    return holds


def chosen(rows: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Return the rows of the middle sizes of the smallest budget, one seed each."""
    first = [row for row in rows if float(row["budget"]) == plan.BUDGETS[0] and row["seed"] == "0"]
    first.sort(key=lambda row: int(row["params"]))
    return first[plan.SIDE - 1 : plan.SIDE - 1 + RUNS]


def seed_spread(rows: Sequence[Mapping[str, str]]) -> float:
    """Return the widest range of loss between runs that differ in their seed alone."""
    by_point: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        by_point.setdefault((row["budget"], row["params"]), []).append(float(row["loss"]))
    return max(max(losses) - min(losses) for losses in by_point.values())

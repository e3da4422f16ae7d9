"""Training a list of runs, several at once, each on a core of its own; a list that was stopped goes on."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import click

from benchmarks.pilot import ledger
from benchmarks.pilot.text import text
from benchmarks.pilot.training import Ended, Settings, train


def make(runs: Iterable[tuple[float, Settings]], *, stage: str, workers: int) -> None:
    """Train what is not in the stage's file yet, the dearest first, and write each row as its run ends."""
    path = ledger.FOLDER / f"{stage}.csv"
    done = {row["run"] for row in ledger.read(path)}
    left = [one for one in runs if ledger.name_of(one[1], one[0]) not in done]
    left.sort(key=lambda one: -one[1].flops)
    commit = _commit()
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_settle, initargs=(context.Value("i", 0),)) as pool:
        flying = {pool.submit(one_run, settings): (budget, settings) for budget, settings in left}
        for count, future in enumerate(as_completed(flying), 1):
            budget, settings = flying[future]
            ended, device = future.result()
            row = ledger.row_of(settings, ended, stage=stage, budget=budget, device=device, commit=commit)
            ledger.append(path, ledger.COLUMNS, [row])
            ledger.append(ledger.FOLDER / "curves.csv", ledger.CURVE, ledger.curve_of(settings, ended, budget))
            click.echo(f"{count} of {len(left)}: {row['run']} {row['loss']} in {row['seconds']} s", err=True)


def one_run(settings: Settings) -> tuple[Ended, str]:
    """Return how a run ended and on what, in a process of its own."""
    import jax

    return train(settings, text()), jax.default_backend()


def _settle(taken: Synchronized) -> None:
    """Give this process a core of its own, so that runs do not wait for one another."""
    own = sorted(os.sched_getaffinity(0))
    with taken.get_lock():
        os.sched_setaffinity(0, {own[taken.value % len(own)]})
        taken.value += 1


def _commit() -> str:
    """Return the commit that the code stands at, with a mark where it was changed since."""
    folder = Path(__file__).parent
    at = subprocess.run(
        ["git", "rev-parse", "--short=10", "HEAD"], cwd=folder, capture_output=True, text=True, check=True
    )
    changed = subprocess.run(
        ["git", "status", "--porcelain", "--", "benchmarks/pilot/*.py"],
        cwd=folder.parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    return at.stdout.strip() + ("+" if changed.stdout else "")

"""`python -m benchmarks cold`: what a person waits for who types a command, with compiled programs kept or not."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import click

from benchmarks import options, records, sheets
from benchmarks.sheets import Sheet, text

ROOT = Path(__file__).parents[1]
JAXSCALE = (sys.executable, "-c", "from jaxscale.cli.main import main; main()")
COLUMNS = ("wall s", "min–max", "exit codes")
NOTES = (
    "Each a process of its own, from its start to its end; files it reads have been read before.",
    "First: in a new folder with an empty compile cache; second: the same command again.",
)


@click.command()
@options.table
@click.option("--replicates", default=4000, show_default=True, type=options.POSITIVE, help="Replicates of the fit.")
@options.repeats
@options.out
def cold(table: str | None, where: tuple[str, ...], replicates: int, repeats: int, out: str | None) -> None:
    """Time `jaxscale fit TABLE` with an empty compile cache and with a full one, and `jaxscale --help`."""
    fit = [*JAXSCALE, "fit", *([table] if table else []), "--replicates", str(replicates)]
    fit += [word for condition in where for word in ("--where", condition)]
    commands = {
        "import jax": (sys.executable, "-c", "import jax"),
        "jaxscale --help": (*JAXSCALE, "--help"),
        "jaxscale fit, first": fit,
        "jaxscale fit, second": fit,
    }
    _run(commands["jaxscale --help"], Path.cwd(), "")  # from here on Python's own caches are there
    runs: dict[str, list[tuple[float, int]]] = {name: [] for name in commands}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            for name, command in commands.items():
                runs[name].append(_run(command, Path(folder), str(Path(folder) / "cache")))
    from benchmarks import machine

    document = records.document(
        "cold",
        [
            {"command": name, "seconds": [one for one, _ in each], "exit_codes": [code for _, code in each]}
            for name, each in runs.items()
        ],
        machine=machine.describe(),
        options={"table": options.name_of(table), "where": list(where), "replicates": replicates},
    )
    sheets.show(tabulate(document))
    click.echo(f"written to {records.write(document, out)}", err=True)


def tabulate(document: Mapping) -> tuple[Sheet, ...]:
    """Return the table of a document."""
    chosen = document["options"]
    title = f"{chosen['table']}, {chosen['replicates']} replicates, {document['machine']['cores']} cores"
    return (Sheet(title, ("command", *COLUMNS), tuple(_cells(result) for result in document["results"]), NOTES),)


def _run(command: tuple[str, ...] | list[str], folder: Path, cache: str) -> tuple[float, int]:
    """Return the wall seconds and the exit code of a command, run in a folder with a cache of its own."""
    environment = {name: value for name, value in os.environ.items() if name != "JAX_COMPILATION_CACHE_DIR"}
    environment |= {"JAXSCALE_CACHE_DIR": cache, "PYTHONPATH": str(ROOT)}  # the tree that this file is in
    started = time.perf_counter()
    answer = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    return time.perf_counter() - started, answer.returncode


def _cells(result: Mapping) -> tuple[str, ...]:
    seconds = result["seconds"]
    codes = ", ".join(map(str, sorted(set(result["exit_codes"]))))
    return (result["command"], text(statistics.median(seconds)), f"{min(seconds):.3g}–{max(seconds):.3g}", codes)

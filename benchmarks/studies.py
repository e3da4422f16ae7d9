"""`python -m benchmarks studies`: many tables, laws and objectives in one call, against a call for each of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from benchmarks import options, records, sheets
from benchmarks.sheets import Sheet, text
from benchmarks.tables import tables_in

if TYPE_CHECKING:
    import jaxscale as js

LAWS, OBJECTIVES = "chinchilla,chinchilla-tied,kaplan,power", "huber,squared"
WAYS = {"together": "js.studies, one call", "separate": "js.study, a call each", "by programs": "js.study, sorted"}
COLUMNS = ("way", "studies", "programs compiled", "seconds", "CPU seconds", "peak GB")
NOTES = (
    "Every line is a process of its own without a cache of compiled programs; reading the tables is not counted.",
    "A call each: table by table, law by law. Sorted: those that share programs one after the other.",
)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, resolve_path=True))
@click.option("--by", metavar="COLUMN", help="Every value of it is a table of its own, in files that have it.")
@click.option("--cuts", default="1,0.8,0.6", show_default=True, help="Shares of each table, its runs of least compute.")
@click.option("--tables", default=40, show_default=True, type=options.POSITIVE, help="The first so many of those.")
@click.option("--laws", default=LAWS, show_default=True, help="Laws.")
@click.option("--objectives", default=OBJECTIVES, show_default=True, help="Objectives.")
@click.option("--replicates", default=200, show_default=True, type=options.POSITIVE, help="Of each study.")
@click.option("--ways", default=",".join(WAYS), show_default=True, help="Which ways to measure.")
@click.option("--remark", default="", help="What else is to be known of this run, for the record.  [default: nothing]")
@options.out
def studies(
    paths: tuple[str, ...],
    by: str | None,
    cuts: str,
    tables: int,
    laws: str,
    objectives: str,
    replicates: int,
    ways: str,
    remark: str,
    out: str | None,
) -> None:
    """Make every study of the tables in PATHS in one call, and by a call each: programs compiled, and time.

    The exit code is 1 where a study of the one differs from that of the other in a single bit.
    """
    from benchmarks import machine

    asked = {"by": by, "cuts": [float(one) for one in cuts.split(",")], "tables": tables, "laws": laws.split(",")}
    asked |= {"objectives": objectives.split(","), "replicates": replicates}
    found = [_measured(way, {"paths": list(paths), **asked}) for way in ways.split(",")]
    digests = [one.pop("digests") for one in found]
    is_same = all(one == digests[0] for one in digests)
    for one in found:
        one["is_same"] = is_same
    words = {"paths": [Path(path).name for path in paths], **asked}
    document = records.document("studies", found, machine=machine.describe(), options=words, remark=remark)
    sheets.show(tabulate(document))
    click.echo(f"written to {records.write(document, out)}", err=True)
    if not is_same:
        raise click.exceptions.Exit(1)


def cuts_of(paths: Sequence[str], by: str | None, cuts: Sequence[float], most: int) -> dict[str, js.Runs]:
    """Return the first tables, each whole and cut in compute, by their names."""
    import numpy as np

    found: dict[str, js.Runs] = {}
    for name, runs in tables_in(paths, by, ()):
        order = np.argsort(runs["params"] * runs["tokens"], kind="stable")
        for share in cuts:
            rows = np.sort(order[: round(share * len(runs))])
            found[f"{name} {share:g}"] = runs if share == 1 else runs.take(rows, "cut off")
    return dict(list(found.items())[:most])


def tabulate(document: Mapping) -> tuple[Sheet, ...]:
    """Return the table of a document."""
    found, asked = document["results"], document["options"]
    rows = [
        (
            WAYS[one["way"]], str(one["studies"]), str(one["programs"]), text(one["seconds"], ".0f"),
            text(one["cpu_seconds"], ".0f"), text(one["peak_bytes"] / 1e9),
        )
        for one in found
    ]  # fmt: skip
    notes = [*NOTES, *([document["remark"]] if document["remark"] else [])]
    by_way = {one["way"]: one for one in found}
    if "together" in by_way:
        for way, one in by_way.items():
            if way != "together":
                ratio, cpu = (one[name] / by_way["together"][name] for name in ("seconds", "cpu_seconds"))
                notes.append(f"{WAYS[way]}: {ratio:.2f} × the time of one call, {cpu:.2f} × its CPU time.")
    if len(found) > 1:
        notes.append(f"Numbers of all studies: {'the same to the bit' if found[0]['is_same'] else 'NOT the same'}.")
    size = f"{asked['tables']} tables × {len(asked['laws'])} laws × {len(asked['objectives'])} objectives"
    title = f"{size}, {asked['replicates']} replicates each, of {', '.join(asked['paths'])}"
    return (Sheet(title, COLUMNS, tuple(rows), tuple(notes)),)


def _measured(way: str, asked: Mapping[str, object]) -> dict:
    """Return what one way takes: the sums over its calls, and the digests of its studies."""
    with _worker() as (ask, answers):
        first = _asked(ask, answers, asked)
        count: int = first["studies"]
        if way == "together":
            calls: Sequence[int | None] = [None]
        else:
            calls = range(count) if way == "separate" else _by_programs(first["rows"], asked)
        told: list[dict] = []
        for done, call in enumerate(calls, start=1):
            told.append(_asked(ask, answers, call))
            total = sum(one["seconds"] for one in told)
            click.echo(f"{way}: {done} of {len(calls)} calls, {total:.0f} s", err=True)
    digests = {key: digest for one in told for key, digest in one["digests"].items()}
    sums = {name: sum(one[name] for one in told) for name in ("programs", "seconds", "cpu_seconds")}
    return {"way": way, "studies": count, **sums, "peak_bytes": told[-1]["peak_bytes"], "digests": digests}


def _by_programs(rows: Sequence[int], asked: Mapping) -> list[int]:
    """Return the places of all studies, those that share programs after one another."""
    from jaxscale.engine.data import bucket

    each = len(asked["laws"]) * len(asked["objectives"])
    return sorted(range(len(rows) * each), key=lambda place: (bucket(rows[place // each]), place % each))


@contextmanager
def _worker() -> Iterator[tuple[IO[str], IO[str]]]:
    """Return where a worker is asked, and where it answers; without a cache of programs."""
    import os

    surroundings = {**os.environ, "JAXSCALE_CACHE_DIR": ""}
    surroundings.pop("JAX_COMPILATION_CACHE_DIR", None)
    words = [sys.executable, "-m", "benchmarks.studieswork"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(words, encoding="utf-8", env=surroundings, **pipes) as process:  # type: ignore[call-overload]
        yield process.stdin, process.stdout
        process.stdin.close()


def _asked(ask: IO[str], answers: IO[str], question: object) -> dict:
    """Return the answer to one question; raise ClickException where the worker has ended."""
    ask.write(json.dumps(question) + "\n")
    ask.flush()
    line = answers.readline()
    if not line:
        raise click.ClickException("the worker ended before it answered")
    found: dict = json.loads(line)
    return found

"""`python -m benchmarks large`: what parts of a large study cost, what a kill leaves, and how large a study opens."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import click

from benchmarks import options, records, sheets
from benchmarks.kills import kills as killed
from benchmarks.sheets import Sheet, text

MOST_OVERHEAD, MOST_GROWTH, MOST_PEAK, MOST_OPEN, LEAST_SPEED = 1.05, 11.0, 1.5e9, 5.0, 1.7
COLUMNS = ("study", "replicates", "seconds", "CPU seconds", "peak GB")
NOTES = (
    "Every line is a process of its own, warm: its programs were compiled before. Seconds: of the replicates, and of "
    "the bands of the coefs at their end. Peak: the largest resident memory of the process.",
)
_whole = {"callback": lambda context, parameter, given: int(float(given)), "metavar": "NUMBER", "show_default": True}


@click.command()
@options.table
@click.option("--kills", default=200, show_default=True, help="SIGKILLs of a small study, each followed by a resume.")
@click.option("--replicates", default="1e6", help="Replicates in memory and in a folder.", **_whole)
@click.option("--many", default="1e7", help="Replicates of the largest study; 0 for none.", **_whole)
@click.option("--pool", default="200000", help="Replicates with one process and with two; 0 for none.", **_whole)
@options.seed
@options.out
def large(
    table: str | None,
    where: tuple[str, ...],
    kills: int,
    replicates: int,
    many: int,
    pool: int,
    seed: int,
    out: str | None,
) -> None:
    """Measure a bootstrap in parts against one in memory, and kill it at random moments.

    The exit code is 1 where a study that was killed and resumed differs from one that was not in a single byte.
    """
    from benchmarks import machine

    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as place:
        asked = {"table": table, "where": list(where), "cache": str(Path(place) / "cache")}
        measured = {}
        for name, mode, count in (
            ("memory", "memory", replicates), ("folder", "folder", replicates), ("many", "folder", many),
        ):  # fmt: skip
            if count:
                words = {**asked, "mode": mode, "replicates": count, "folder": str(Path(place) / name)}
                measured[name] = {"replicates": count, **_run(words)}
                click.echo(f"{name}: {measured[name]}", err=True)
        for name in ("folder", "many"):
            if name in measured:
                opened = _run({**asked, "mode": "open", "folder": str(Path(place) / name)})
                measured[f"open {name}"] = {"replicates": measured[name]["replicates"], **opened}
        found["measured"] = measured
        if pool:
            found["pool"] = _pool(asked, Path(place), pool)
        if kills:
            found["kills"] = killed(Path(place), kills, random.Random(seed))
    words = {"table": options.name_of(table), "where": list(where), "kills": kills, "replicates": replicates}
    words |= {"many": many, "pool": pool, "seed": seed}
    document = records.document("large", [found], machine=machine.describe(), options=words)
    sheets.show(tabulate(document))
    click.echo(f"written to {records.write(document, out)}", err=True)
    if kills and found["kills"]["different"]:  # type: ignore[index]
        raise click.exceptions.Exit(1)


def tabulate(document: Mapping) -> tuple[Sheet, ...]:
    """Return the table of a document."""
    found, notes = document["results"][0], list(NOTES)
    measured, rows = found["measured"], []
    for name, one in measured.items():
        seconds = one.get("seconds", one.get("open_seconds"))
        cpu = text(one["cpu_seconds"], ".1f")
        rows.append((name, f"{one['replicates']:,}", text(seconds, ".1f"), cpu, text(one["peak_bytes"] / 1e9)))
    if "folder" in measured:
        ratio, cpu_ratio = (measured["folder"][name] / measured["memory"][name] for name in ("seconds", "cpu_seconds"))
        notes.append(f"In a folder: {ratio:.3f} × the time of memory (wanted: at most {MOST_OVERHEAD}), "
                     f"{cpu_ratio:.3f} × its CPU time.")  # fmt: skip
    if "many" in measured:
        growth, peak = measured["many"]["seconds"] / measured["folder"]["seconds"], measured["many"]["peak_bytes"]
        opened = measured["open many"]["open_seconds"]
        notes.append(f"The largest: {growth:.2f} × the time of the other (wanted for ten times: {MOST_GROWTH:g}).")
        notes.append(f"Its peak: {peak / 1e9:.2f} GB (wanted: {MOST_PEAK / 1e9:g}); opened in {opened:.1f} s "
                     f"(wanted: {MOST_OPEN:g}).")  # fmt: skip
    if "pool" in found:
        speed = found["pool"]["one"]["seconds"] / found["pool"]["two"]["seconds"]
        notes.append(f"Two processes, a core each: {speed:.2f} × one with a core (wanted: {LEAST_SPEED}).")
    shown = []
    if rows:
        shown.append(Sheet(f"Large studies of {document['options']['table']}", COLUMNS, tuple(rows), tuple(notes)))
    if "kills" in found:
        shown.append(_killed_sheet(found["kills"]))
    return tuple(shown)


def _killed_sheet(found: Mapping) -> Sheet:
    """Return the table of studies that were killed: at what, and how often."""
    rows = [(name, str(count)) for name, count in found["at"].items() if name != "the end"]
    notes = (
        f"A small study in eight parts, killed {found['killed']} times by SIGKILL at a random moment, and gone on with "
        f"by another process: {found['different']} finished folders differ from one that was not killed in a byte.",
        "The steps of a commit take 6 ms longer each, since kills would seldom meet them otherwise.",
    )
    return Sheet("Killed at random moments", ("killed in", "kills"), tuple(rows), notes)


def _run(asked: Mapping[str, object]) -> dict:
    """Return what one process measures."""
    words = [sys.executable, "-m", "benchmarks.largework", json.dumps(asked)]
    answer = subprocess.run(words, capture_output=True, encoding="utf-8", check=False)
    if answer.returncode:
        raise click.ClickException(answer.stderr[-2000:])
    found: dict = json.loads(answer.stdout.splitlines()[-1])
    return found


def _pool(asked: Mapping[str, object], place: Path, count: int) -> dict:
    """Return seconds of one process with one core, and of two with one core each; the second time, with warm caches."""
    found: dict = {}
    for name, executor in (("one", "processes:1"), ("two", "processes:2")):
        for turn in ("cold", "warm"):
            words = {"folder": str(place / f"{name}-{turn}"), "executor": executor, "replicates": count}
            words["part"] = 1 << 14
            cores = {"cores": [0]} if name == "one" else {}
            found[name] = _run({**asked, "mode": "folder", **words, **cores})
    return found

"""`python -m benchmarks interrupts`: Ctrl-C at random moments of commands, and what is left of them on stderr."""

from __future__ import annotations

import os
import random
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import click

from benchmarks import options, records, sheets
from benchmarks.sheets import Sheet, text

COMMANDS: Mapping[str, str] = {
    "fit": "fit pilot --law pure-power-tokens --replicates 200 --out {out}",
    "large": "fit pilot --law pure-power-tokens --replicates 1e5 --out {out}",
    "frontier": "frontier pilot --law pure-power --replicates 200",
    "approaches": "approaches pilot --replicates 50",
    "compare": "compare pilot --laws pure-power-tokens,power-tokens --replicates 50",
    "studies": "studies pilot --by stage --laws pure-power-tokens --replicates 50 --out {out}",
}
PROGRAM = "from jaxscale.cli.main import main\nmain()"
SIGNS = re.compile(r"Traceback|terminate called|Fatal Python|Check failure|Aborted|libc\+\+|core dumped|internal error")
"""What a person must not see of an interrupt."""
COLUMNS = ("command", "interrupts", "as wanted", "whole run, s", "longest answer, s", "two signals")
NOTES = (
    "Every command is a process without a compile cache, interrupted at a random moment of its run; every third one a "
    "second time, within a second. Wanted: exit code 130, one or two lines on stderr, no traceback, nothing of C++.",
    "Longest answer: from the first signal to the end of the process; where a part is made first, of one signal alone.",
)


@click.command()
@click.option("--each", default=15, show_default=True, type=options.POSITIVE, help="Interrupts of each command.")
@click.option("--commands", default=",".join(COMMANDS), show_default=True, help="Which commands.")
@options.seed
@options.out
def interrupts(each: int, commands: str, seed: int, out: str | None) -> None:
    """Interrupt commands at random moments, and look at their exit codes and at what they say.

    The exit code is 1 where one ends otherwise than it should.
    """
    from benchmarks import machine

    chance, found = random.Random(seed), []
    for name in commands.split(","):
        found.append(_interrupted(name, each, chance))
        click.echo(f"{name}: {found[-1]}", err=True)
    words = {"each": each, "commands": commands.split(","), "seed": seed}
    document = records.document("interrupts", found, machine=machine.describe(), options=words)
    sheets.show(tabulate(document))
    click.echo(f"written to {records.write(document, out)}", err=True)
    if any(one["unwanted"] for one in found):
        raise click.exceptions.Exit(1)


def tabulate(document: Mapping) -> tuple[Sheet, ...]:
    """Return the table of a document."""
    rows = [
        (
            one["command"], str(one["interrupts"]), str(one["interrupts"] - len(one["unwanted"])),
            text(one["seconds"], ".0f"), text(one["longest"], ".1f"), str(one["twice"]),
        )
        for one in document["results"]
    ]  # fmt: skip
    return (Sheet("Ctrl-C at random moments", COLUMNS, tuple(rows), NOTES),)


def _interrupted(name: str, each: int, chance: random.Random) -> dict:
    """Return how so many runs of a command ended."""
    with tempfile.TemporaryDirectory() as place:
        began = time.perf_counter()
        _run(name, Path(place) / "whole").communicate()
        took = time.perf_counter() - began
        count, twice, longest, late, unwanted = 0, 0, 0.0, 0, []
        while count < each:
            moment, second = chance.uniform(0.0, took), chance.uniform(0.0, 1.0) if count % 3 == 2 else None
            process = _run(name, Path(place) / f"{count}-{late}")
            time.sleep(moment)
            if process.poll() is not None:  # it was faster this time
                process.communicate()
                late += 1
                continue
            began = time.perf_counter()
            process.send_signal(signal.SIGINT)
            if second is not None:
                time.sleep(second)
                process.send_signal(signal.SIGINT)
            _, said = process.communicate()
            longest = max(longest, time.perf_counter() - began)
            count, twice = count + 1, twice + (second is not None)
            if process.returncode == 0 and moment > 0.9 * took:  # the answer was being written
                count, late = count - 1, late + 1
                continue
            lines = said.splitlines()
            if process.returncode != 130 or not 1 <= len(lines) <= 2 or SIGNS.search(said):
                unwanted.append({"moment": moment, "second": second, "exit_code": process.returncode, "said": said})
    return {"command": name, "interrupts": count, "twice": twice, "late": late, "seconds": took,
            "longest": longest, "unwanted": unwanted}  # fmt: skip


def _run(name: str, out: Path) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", PROGRAM, *shlex.split(COMMANDS[name].format(out=shlex.quote(str(out))))]
    surroundings = {**os.environ, "JAXSCALE_CACHE_DIR": ""}
    surroundings.pop("JAX_COMPILATION_CACHE_DIR", None)
    return subprocess.Popen(
        words, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # as at a terminal, also of a job under nohup
    )  # fmt: skip

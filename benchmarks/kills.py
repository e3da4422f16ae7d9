"""Studies that are killed by SIGKILL at random moments and gone on with: do they end in the bytes of one that was not?

Every process begins a study and is killed in it; the next one finishes that study before it begins its own.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.killswork import MOMENTS


def kills(place: Path, count: int, chance: random.Random) -> dict:
    """Return how many studies were killed, at what, and how many of them differ once they are gone on with.

    Those that had ended when they were to be killed are gone on with, too, and do not count as killed.
    """
    whole, moments = place / "whole", str(place / "moments")
    at, different = Counter[str](), 0
    with _workers(place / "programs") as workers:
        took = 0.0
        for folder in (whole, place / "again"):  # the second finds its programs, as those that are killed do
            took = workers.ended({"begin": str(folder), "moments": moments})["seconds"]
        wanted, before = content(whole), place / "again"
        while True:
            is_last, folder = at.total() - at["the end"] == count, place / f"killed-{at.total()}"
            asked = {"finish": str(before), "begin": None if is_last else str(folder), "moments": moments}
            Path(moments).unlink(missing_ok=True)
            if is_last:
                workers.ended(asked)
            else:
                at[workers.killed(asked, chance.uniform(0.0, took))] += 1
            different += content(before) != wanted
            shutil.rmtree(before)
            if is_last:
                return {"killed": count, "different": different, "at": dict(at.most_common())}
            before = folder
            click.echo(f"{at.total() - at['the end']} of {count} kills: {different} differ, {dict(at)}", err=True)


def content(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file of a study but its log."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != "log.jsonl")
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@dataclass(frozen=True)
class _Workers:
    """Begins processes, one at a time."""

    process: subprocess.Popen[str]

    def killed(self, asked: Mapping[str, object], seconds: float) -> str:
        """Kill a process so many seconds after it began its own study, and return what it was at."""
        self._ask(asked)
        number = self._told()["ready"]
        time.sleep(seconds)
        os.kill(number, signal.SIGKILL)
        while "ended" not in self._told():
            pass
        self._ask({})
        moments = Path(str(asked["moments"]))
        return MOMENTS[moments.read_bytes()[0]] if moments.exists() else MOMENTS[0]

    def ended(self, asked: Mapping[str, object]) -> dict:
        """Return what a process told last that is not killed."""
        self._ask(asked)
        told = {}
        while "ended" not in (one := self._told()):
            told = one
        self._ask({})
        if one["ended"]:
            raise click.ClickException(f"exit code {one['ended']}: {asked}")
        return told

    def _ask(self, asked: Mapping[str, object]) -> None:
        assert self.process.stdin is not None  # a pipe
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()

    def _told(self) -> dict:
        assert self.process.stdout is not None  # a pipe
        found: dict = json.loads(self.process.stdout.readline())
        return found


@contextmanager
def _workers(programs: Path) -> Iterator[_Workers]:
    """Return what begins processes, which keep compiled programs in a folder."""
    words = [sys.executable, "-m", "benchmarks.killswork"]
    surroundings = {**os.environ, "JAXSCALE_CACHE_DIR": str(programs)}
    surroundings.pop("JAX_COMPILATION_CACHE_DIR", None)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(words, encoding="utf-8", env=surroundings, **pipes) as process:  # type: ignore[call-overload]
        yield _Workers(process)
        process.stdin.close()

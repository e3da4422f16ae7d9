"""Studies that are killed by SIGKILL at random moments and gone on with: do they end in the bytes of one that was not?

Every process begins a study and is killed in it; the next one finishes that study before it begins its own.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import click

from benchmarks.killswork import MOMENTS


def kills(place: Path, count: int, chance: random.Random) -> dict:
    """Return how many studies were killed, at what, and how many of them differ once they are gone on with."""
    whole, moments = place / "whole", place / "moments"
    took = 0.0
    for turn in ("cold", "warm"):  # the second finds its programs, as those that are killed do
        folder = whole if turn == "cold" else place / "again"
        took = json.loads(_ended({"begin": str(folder), "moments": str(moments)}))["seconds"]
    wanted, before = content(whole), None
    at, different = Counter[str](), int(content(place / "again") != wanted)
    for turn in range(count + 1):
        folder = place / f"killed-{turn}" if turn < count else None
        asked = {"finish": before and str(before), "begin": folder and str(folder), "moments": str(moments)}
        if folder is None:
            _ended(asked)
        else:
            at[_killed(asked, chance.uniform(0.0, took), moments)] += 1
        if before is not None:
            different += content(before) != wanted
        before = folder
        click.echo(f"kill {min(turn + 1, count)} of {count}: {different} differ, {dict(at)}", err=True)
    return {"asked": count, "killed": count - at["the end"], "different": different, "at": dict(at.most_common())}


def content(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file of a study but its log."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != "log.jsonl")
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def _killed(asked: Mapping[str, object], seconds: float, moments: Path) -> str:
    """Kill a process so many seconds after it began its own study, and return what it was at."""
    moments.unlink(missing_ok=True)
    with _process(asked) as process:
        if process.stdout is None or process.stdout.readline() != "ready\n":
            raise click.ClickException(f"a study could not be gone on with: {asked}")
        time.sleep(seconds)
        process.kill()
    return MOMENTS[moments.read_bytes()[0]] if moments.exists() else MOMENTS[0]


def _ended(asked: Mapping[str, object]) -> str:
    """Return the last line of a process that is not killed."""
    answer, _ = (process := _process(asked)).communicate()
    if process.returncode:
        raise click.ClickException(f"exit code {process.returncode}: {asked}")
    return answer.splitlines()[-1]


def _process(asked: Mapping[str, object]) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "benchmarks.killswork", json.dumps(asked)]
    surroundings = {**os.environ, "JAXSCALE_CACHE_DIR": str(Path(str(asked["moments"])).parent / "programs")}
    return subprocess.Popen(words, stdout=subprocess.PIPE, encoding="utf-8", env=surroundings)

"""Processes that are killed: each finishes the study in which the one before it was killed, and then begins its own.

`python -m benchmarks.killswork` forks one for each line of JSON that it reads, `{"finish": …, "begin": …}`, before it
has used JAX itself: what is saved is the import. The process prints its number before it begins its own study, and the
seconds of that. How it ended is printed behind, and it is kept until another line is read.
"""

from __future__ import annotations

import json
import mmap
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPLICATES, PART = 512, 64
"""Eight parts, after a survey of 256 replicates."""
MOMENTS = (
    "between these", "the survey", "a part", "writing a file", "between write and rename", "behind a rename",
    "the manifest", "the end",
)  # fmt: skip
"""What a process may be at when it is killed, by the number in its file of moments."""
PAUSE = 0.006
"""Seconds that each step of a commit takes longer, since kills would seldom meet it otherwise."""


def main() -> None:
    """Fork a process for each line of stdin, and wait for its end."""
    import jaxscale  # noqa: F401 - every process has it then
    from jaxscale import fitting, parts, refitting  # noqa: F401

    warnings.filterwarnings("ignore", message="os.fork")  # JAX has no threads yet
    for line in sys.stdin:
        number = os.fork()
        if not number:
            _work(json.loads(line))
            sys.stdout.flush()
            os._exit(0)
        ended = os.waitid(os.P_PID, number, os.WEXITED | os.WNOWAIT)  # its number is its own while it may be killed
        print(json.dumps({"ended": 0 if ended is None else ended.si_status}), flush=True)
        sys.stdin.readline()
        os.waitpid(number, 0)


def _work(asked: dict) -> None:
    """Finish one folder and begin another, as `js.bootstrap` does for any folder."""
    import numpy as np

    import jaxscale as js

    columns = {"params": np.geomspace(1e6, 1e9, 30), "tokens": np.full(30, 1e10)}
    runs = js.simulate("pure-power-params", {"A": 30.0, "alpha": 0.12}, columns=columns, noise=0.02, seed=1)
    fit = js.fit(runs, "pure-power-params")
    if asked.get("finish"):
        js.bootstrap(fit, replicates=REPLICATES, part=PART, seed=7, folder=asked["finish"])
    print(json.dumps({"ready": os.getpid()}), flush=True)
    if asked.get("begin"):
        with _watched(Path(asked["moments"])):
            began = time.perf_counter()
            js.bootstrap(fit, replicates=REPLICATES, part=PART, seed=7, folder=asked["begin"])
        print(json.dumps({"seconds": time.perf_counter() - began}), flush=True)


@contextmanager
def _watched(path: Path) -> Iterator[None]:
    """Return a scope in which a file says what this process is at, and in which the steps of a commit take longer."""
    from jaxscale.parts import making, solving, surveying
    from jaxscale.store import beginning, commits

    path.write_bytes(b"\0")
    with open(path, "r+b") as handle, mmap.mmap(handle.fileno(), 1) as told:

        def at(moment: str) -> None:
            if MOMENTS[told[0]] != "the manifest":
                told[0] = MOMENTS.index(moment)

        def throughout(moment: str, own: Callable[..., Any]) -> Callable[..., Any]:
            def step(*given: object, **named: object) -> object:
                at(moment)
                try:
                    return own(*given, **named)
                finally:
                    told[0] = 0

            return step

        def write(handle: int, data: bytes) -> None:
            at("writing a file")
            own_write(handle, data[: len(data) // 2])
            time.sleep(PAUSE)
            own_write(handle, data[len(data) // 2 :])
            at("between write and rename")
            time.sleep(PAUSE)

        def replace(draft: Path, path: Path) -> None:
            own_replace(draft, path)
            at("behind a rename")
            time.sleep(PAUSE)

        own_write, own_replace = commits._write, os.replace
        commits._write, os.replace = write, replace  # type: ignore[assignment]
        surveying.survey_of = throughout("the survey", surveying.survey_of)
        solving.Bench.solved = throughout("a part", solving.Bench.solved)  # type: ignore[method-assign]
        for module in (making, beginning):
            module.write_manifest = throughout("the manifest", module.write_manifest)
        yield
        told[0] = MOMENTS.index("the end")


if __name__ == "__main__":
    main()

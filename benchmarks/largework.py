"""One process of `python -m benchmarks large`: a table fitted and bootstrapped, in memory or in a folder, measured.

`python -m benchmarks.largework '{"mode": "folder", …}'` prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

FLOPS = (1e22, 1e24)
"""Budgets of the frontier that is opened with a study."""


def main(asked: dict) -> dict:
    """Return seconds and peak memory of what was asked: fit, and `memory`, `folder` or `open`."""
    if asked.get("cores"):
        os.sched_setaffinity(0, asked["cores"])
    import jax

    if asked.get("cache"):
        jax.config.update("jax_compilation_cache_dir", asked["cache"])
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    import jaxscale as js
    from benchmarks import options

    measured: dict[str, object] = {}
    if asked["mode"] == "open":
        _timed(measured, "open_seconds", lambda: _opened(asked["folder"]))
    else:
        fit = js.fit(options.runs_of(asked["table"], tuple(asked["where"])))
        js.bootstrap(fit, replicates=4096, seed=1)  # every program is compiled
        folder = asked["folder"] if asked["mode"] == "folder" else None
        words = {"executor": asked.get("executor"), "part": asked.get("part")} if folder else {}

        def work() -> object:
            made = js.bootstrap(fit, replicates=asked["replicates"], folder=folder, **words)
            return [made.interval(name) for name in made.coefs]

        _timed(measured, "seconds", work)
    measured["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return measured


def _opened(folder: str) -> object:
    """Open a study and draw the bands of its coefs, and of its frontier where it has one."""
    import jaxscale as js

    study = js.load(Path(folder))
    bands: list[object] = [study.coef_band(name) for name in study.fit.coefs]
    return [*bands, *(study.frontier_band(name) for name in ("params", "tokens", "loss"))]


def _timed(measured: dict[str, object], name: str, work: Callable[[], object]) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    work()
    measured[name] = time.perf_counter() - began
    measured["cpu_seconds"] = time.process_time() - cpu


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))), flush=True)

"""One point of `scaling`, measured in a process that does nothing else: `python -m benchmarks.point SPECIFICATION`.

A process of its own is what makes its peak memory that of the point.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LONG = 20.0
"""Seconds of a run after which it is not repeated."""
REHEARSED = 4000
"""Most replicates of the untimed call that makes the next one warm."""
NOISE = 0.01
"""Standard deviation of ln loss in simulated tables."""


@dataclass(frozen=True)
class Point:
    """What is measured: a law on the rows of a table, or on so many simulated ones, and how many replicates.

    law: a name of `js.LAWS`, `user-chinchilla`, or `power-P` with P coefs.   table: a path; None for the table that
    ships.   rows: simulated rows in place of a table, None for the table.
    """

    law: str
    replicates: int
    table: str | None = None
    where: tuple[str, ...] = ()
    rows: int | None = None
    repeats: int = 3
    seed: int = 0


def measure(point: Point) -> dict:
    """Return what `measured` returns in a fresh process, or {"refused": the reason} where that process fails.

    This process must be the smaller one: on Linux a process's peak begins with that of the one that started it.
    """
    words = [sys.executable, "-m", "benchmarks.point", json.dumps(asdict(point))]
    answer = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        return {"refused": (answer.stderr.strip().splitlines() or [f"exit code {answer.returncode}"])[-1]}
    return json.loads(answer.stdout)


def measured(point: Point) -> dict:
    """Return times, evaluations, statuses and peak memory of one point, measured in this process.

    compile_seconds: of the point fit and of the bootstrap, by jaxscale's clock.   run_seconds: wall time of warm calls
    of `js.bootstrap`, repeated unless they are long; late_compile_seconds: what these compiled all the same.
    """
    import jax
    import numpy as np

    import jaxscale as js

    runs, law, starts = _task(point)
    fit = js.fit(runs, law, starts=starts)
    base = _peak_bytes()
    ensemble = js.bootstrap(fit, replicates=min(point.replicates, REHEARSED), seed=point.seed)
    compiling = fit.provenance.compile_seconds + ensemble.provenance.compile_seconds
    seconds: list[float] = []
    late = 0.0
    while len(seconds) < point.repeats and (not seconds or seconds[-1] < LONG):
        del ensemble  # two ensembles at a time are not what a user holds
        started = time.perf_counter()
        ensemble = js.bootstrap(fit, replicates=point.replicates, seed=point.seed)
        seconds.append(time.perf_counter() - started)
        late += ensemble.provenance.compile_seconds
    codes, counts = np.unique(ensemble.status, return_counts=True)
    on_device = jax.local_devices()[0].memory_stats() or {}
    return {
        "rows": len(runs),
        "coefs": len(fit.free),
        "compile_seconds": compiling,
        "late_compile_seconds": late,
        "run_seconds": seconds,
        "evaluations": float(ensemble.steps.mean()),
        "statuses": {str(js.Status(code)): int(count) for code, count in zip(codes, counts, strict=True)},
        "fit_peak_bytes": base,
        "peak_bytes": _peak_bytes(),
        "device_peak_bytes": on_device.get("peak_bytes_in_use"),
    }


def _task(point: Point):  # noqa: ANN202 - types of jaxscale, which is imported inside
    """Return the runs, the law, and the point to start from (None for the law's own grid)."""
    import numpy as np

    import jaxscale as js
    from benchmarks import laws, options

    if point.law.startswith("power-") and point.law not in js.LAWS.names:
        law, rows = laws.power(int(point.law.removeprefix("power-"))), point.rows or 240
        truth = {name: 1.5 if name == "E" else 3.0 if name[0] == "A" else 0.3 for name in law.names}
        random = np.random.default_rng(point.seed)
        columns = {name: 10 ** random.uniform(0, 4, rows) for name in law.inputs}
        return js.simulate(law, truth, columns=columns, noise=NOISE, seed=point.seed), law, truth
    law = laws.CHINCHILLA if point.law == laws.CHINCHILLA.name else js.LAWS.resolve(point.law)
    if point.rows is None:
        where = point.where
        runs = js.read_runs(point.table, where=where) if point.table else js.datasets.load(options.SHIPPED, where=where)
        return runs, law, _near(runs) if law is laws.CHINCHILLA else None
    truth = dict(zip(law.names, law.published[-1].values, strict=True))
    random = np.random.default_rng(point.seed)
    columns = {"params": 10 ** random.uniform(7, 10, point.rows), "tokens": 10 ** random.uniform(9, 11.5, point.rows)}
    return js.simulate(law, truth, columns=columns, noise=NOISE, seed=point.seed), law, truth


def _near(runs) -> dict[str, float]:  # noqa: ANN001
    """Return the shipped law's minimum, where a law without start points of its own may begin."""
    import jaxscale as js

    return dict(js.fit(runs, "chinchilla").coefs)


def _peak_bytes() -> int:
    """Return the largest resident memory that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


if __name__ == "__main__":
    json.dump(measured(Point(**json.loads(sys.argv[1]))), sys.stdout)

"""The resampled tables: drawn once by jaxscale, handed to every other contestant as weights."""

from __future__ import annotations

import time

import numpy as np

import jaxscale as js
from benchmarks.rivals.spec import DELTA, Study


def draw(runs: js.Runs, *, replicates: int, lanes: int, seed: int) -> tuple[Study, float]:
    """Return the study of a table, and the seconds that the first, still uncompiled, `js.bootstrap` took.

    runs: columns params and tokens (n,), and loss in nats per token.   The point fit is made before the clock starts.
    """
    fit = js.fit(runs, law="chinchilla", objective=js.huber(DELTA))
    started = time.perf_counter()
    crowd = js.bootstrap(fit, replicates=replicates, seed=seed)
    cold_seconds = time.perf_counter() - started
    study = Study(
        params=runs["params"],
        tokens=runs["tokens"],
        loss=runs.loss,
        weights=np.stack([crowd.weights(replicate) for replicate in range(replicates)]),
        theta=np.array([*(np.log(fit.coefs[name]) for name in ("A", "B", "E")), fit.coefs["alpha"], fit.coefs["beta"]]),
        lanes=lanes,
        fit=fit,
        seed=seed,
    )
    return study, cold_seconds

"""The resampled tables: drawn once by jaxscale, handed to every other contestant as weights."""

from __future__ import annotations

import numpy as np

import jaxscale as js
from benchmarks import laws
from benchmarks.rivals.spec import DELTA, Study
from jaxscale.resampling import SCHEMES, redraw


def draw(runs: js.Runs, *, replicates: int, lanes: int, seed: int) -> Study:
    """Return the study of a table: its point fits, and the weights that `js.bootstrap` will draw for this seed.

    runs: columns params and tokens (n,), and loss in nats per token.
    """
    fit = js.fit(runs, law="chinchilla", objective=js.huber(DELTA))
    found = js.refitting.survey(fit, seed=seed)
    minima = found.theta[found.index < 0]
    coefs = dict(
        zip(fit.law.names, (s.to_coef(t) for s, t in zip(fit.law.supports, minima.T, strict=True)), strict=True)
    )
    by_user = js.fit(runs, law=laws.CHINCHILLA, objective=js.huber(DELTA), starts=fit.coefs)
    return Study(
        params=runs["params"],
        tokens=runs["tokens"],
        loss=runs.loss,
        weights=redraw(SCHEMES.resolve("pairs"), seed, np.arange(replicates), runs.weight).weight,
        theta=np.array([*(np.log(fit.coefs[name]) for name in ("A", "B", "E")), fit.coefs["alpha"], fit.coefs["beta"]]),
        candidates=np.stack(
            [*(np.log(coefs[name]) for name in ("A", "B", "E")), coefs["alpha"], coefs["beta"]], axis=1
        ),
        lanes=lanes,
        fits={one.law.name: one for one in (fit, by_user)},
        seed=seed,
    )

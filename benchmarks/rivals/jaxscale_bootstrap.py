"""jaxscale through its public interface, drawing the tables as well as fitting them."""

from __future__ import annotations

from functools import partial

import numpy as np

import jaxscale as js
from benchmarks.rivals.spec import Outcome, Rival, Study


def solve(study: Study, *, law: str) -> Outcome:
    """Draw and fit `study.replicates` tables from a point fit of the study; one that is not usable has failed."""
    fit = study.fits[law]
    ensemble = js.bootstrap(fit, replicates=study.replicates, seed=study.seed)
    with np.errstate(divide="ignore"):  # one at its bound is zero
        amplitudes = [np.log(ensemble.coefs[name]) for name in ("A", "B", "E")]
    return Outcome(
        theta=np.stack([*amplitudes, ensemble.coefs["alpha"], ensemble.coefs["beta"]], axis=1),
        value=ensemble.value,
        failed=int(np.count_nonzero(~ensemble.usable)),
        compile_seconds=fit.provenance.compile_seconds + ensemble.provenance.compile_seconds,
    )


SHIPPED = Rival(
    "jaxscale", "js.bootstrap of the point fit, tables drawn inside the clock", "own", partial(solve, law="chinchilla")
)
USER = Rival(
    "jaxscale-user-law",
    "the same, the law written as a user would: a plain function",
    "own",
    partial(solve, law="user-chinchilla"),
)

"""jaxscale through its public interface, drawing the tables as well as fitting them."""

from __future__ import annotations

import numpy as np

import jaxscale as js
from benchmarks.rivals.spec import Outcome, Rival, Study


def solve(study: Study) -> Outcome:
    """Draw and fit `study.replicates` tables from the study's fit and seed; one that is not usable has failed."""
    crowd = js.bootstrap(study.fit, replicates=study.replicates, seed=study.seed)
    amplitudes = [np.log(crowd.coefs[name]) for name in ("A", "B", "E")]
    return Outcome(
        theta=np.stack([*amplitudes, crowd.coefs["alpha"], crowd.coefs["beta"]], axis=1),
        value=crowd.value,
        failed=int(np.count_nonzero(~crowd.usable)),
    )


RIVAL = Rival("jaxscale", "js.bootstrap of the point fit, tables drawn inside the clock", "own", solve)

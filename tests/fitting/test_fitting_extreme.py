"""Replicates whose coefs lie near the end of float64 are told of in words, without NumPy's warnings."""

from dataclasses import replace

import numpy as np

import jaxscale as js
from jaxscale.refitting.gather import findings_of_ensemble
from jaxscale.status import Status


def test_a_scale_whose_square_is_beyond_float64_raises_no_warning():
    columns = {"params": np.geomspace(1e7, 1e10, 12)}
    runs = js.simulate("pure-power-params", {"A": 100.0, "alpha": 0.3}, columns=columns, noise=0.01, seed=1)
    ensemble = js.bootstrap(js.fit(runs, "pure-power-params"), replicates=8)
    far, status = ensemble.coefs["A"].copy(), ensemble.status.copy()
    far[0], status[1] = 1e200, Status.MAX_STEPS
    (told,) = findings_of_ensemble(replace(ensemble, coefs={**ensemble.coefs, "A": far}, status=status))
    assert told.code == "replicates-failed"

"""Runs and candidates that tests of designs share."""

import numpy as np

import jaxscale as js

COEFS = {"E": 1.8172, "A": 477.8, "B": 2143.4, "alpha": 0.3473, "beta": 0.3672}
PARAMS, RATIO = (grid.ravel() for grid in np.meshgrid(np.geomspace(1e8, 1e9, 4), (8.0, 32.0, 128.0)))
POOL = {"params": PARAMS, "tokens": PARAMS * RATIO}
ASKED = {"candidates": POOL, "budget": 1e20, "target": 1e23, "criterion": "n-opt"}


def simulated_runs() -> js.Runs:
    """Return twelve runs of the law with these coefs."""
    params = np.geomspace(1e7, 1e8, 4).repeat(3)
    columns = {"params": params, "tokens": params * np.tile([10.0, 40.0, 160.0], 4)}
    return js.simulate("chinchilla", COEFS, columns=columns, noise=0.005, seed=1)

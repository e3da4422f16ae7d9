"""One table of Chinchilla's law, for all tests of comparisons."""

import numpy as np

import jaxscale as js

COEFS = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}


def table():
    """60 runs: six budgets, ten sizes each."""
    flops = np.repeat(np.geomspace(1e18, 3e21, 6), 10)
    params = 0.1 * flops**0.5 * np.tile(np.geomspace(0.2, 5, 10), 6)
    columns = {"params": params, "tokens": flops / 6 / params}
    return js.simulate("chinchilla", COEFS, columns=columns, noise=0.004, seed=3)

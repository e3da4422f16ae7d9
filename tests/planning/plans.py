"""The separable law in NumPy, and settings of it: what tests of plans are held against."""

import jaxscale as js

LAW = js.LAWS.resolve("chinchilla")
SARDANA = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.336, "beta": 0.283}
"""The coefs of Sardana et al. 2024's examples."""


def loss(params, tokens, coefs):
    return coefs["E"] + coefs["A"] * params ** -coefs["alpha"] + coefs["B"] * tokens ** -coefs["beta"]


def drawn(random):
    return {
        "E": random.uniform(0.5, 2.5),
        "A": 10 ** random.uniform(1.5, 3.5),
        "B": 10 ** random.uniform(1.5, 3.5),
        "alpha": random.uniform(0.2, 0.6),
        "beta": random.uniform(0.2, 0.6),
    }

"""Simulated designs and losses of plain counts, and what a table is told about its units."""

import numpy as np

E, A, B, ALPHA, BETA = 1.8172, 482.01, 2085.43, 0.3478, 0.3658
"""Chinchilla's law as Besiroglu et al. 2024 print it."""


def design(random, rows=30, low=18.0, high=20.5, spread=0.5):
    """Sizes around 20 tokens per param, at budgets between 10**low and 10**high FLOP."""
    flops = 10 ** random.uniform(low, high, rows)
    params = np.sqrt(flops / 120.0) * 10 ** random.normal(0.0, spread, rows)
    return params, flops / (6.0 * params)


def losses(params, tokens, random, noise=0.005):
    """Losses of the law with noise of Student's t at three degrees of freedom."""
    return (E + A / params**ALPHA + B / tokens**BETA) * np.exp(noise * random.standard_t(3, len(params)))


def told(runs, inputs=()):
    """The message about units; None where there is none."""
    return next((one.message for one in runs.check(inputs) if one.code == "units-suspect"), None)

"""Runs and coefs drawn from a law's documented range: what recovery, gradients and examples are tried on."""

from __future__ import annotations

import numpy as np

from jaxscale.laws.spec import Law


def random_coefs(law: Law, random: np.random.Generator) -> dict[str, float]:
    """Return coefs drawn from their ranges: evenly in logarithms where the range is positive, else evenly."""
    return {coef.name: float(drawn(*coef.range, random, 1)[0]) for coef in law.coefs}


def random_columns(law: Law, random: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """Return the inputs of runs (rows, …) drawn from their ranges, or as the law's own design has them."""
    if law.design is not None:
        return {name: np.asarray(column, dtype=np.float64) for name, column in law.design(random, rows).items()}
    measures = [law.input(name) for name in law.inputs]
    return {one.name: drawn(one.low, one.high, random, rows) for one in measures}


def drawn(low: float, high: float, random: np.random.Generator, count: int) -> np.ndarray:
    """Return numbers (count,) between two ends: evenly in logarithms where both have one sign, else evenly."""
    if low > 0:
        return np.exp(random.uniform(np.log(low), np.log(high), count))
    if high < 0:
        return -drawn(-high, -low, random, count)
    return random.uniform(low, high, count)

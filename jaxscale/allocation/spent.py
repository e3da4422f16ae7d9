"""What is bought at the best split of one budget, or grows between two, as functions of the coefs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from jaxscale.engine.data import fill
from jaxscale.laws import Law
from jaxscale.results import QUANTITIES

Optima = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(coefs (k, p), budgets (b,)) → params, tokens, loss and more (4, k, b)."""
OfCoefs = Callable[[Mapping[str, np.ndarray]], np.ndarray]
"""Coefs name → (k,) to a quantity (k,)."""
LENGTHS = (64, 1024)
"""Numbers of sets of coefs that share a compiled program."""


def at_budget(law: Law, optima: Optima, quantity: str, flops: float) -> OfCoefs:
    """Return one of QUANTITIES at the best split of a budget, as a function of the coefs."""

    def evaluate(coefs: Mapping[str, np.ndarray]) -> np.ndarray:
        sets = np.stack([np.asarray(coefs[name], dtype=np.float64) for name in law.names], axis=1)
        width = next((size for size in LENGTHS if size >= len(sets)), len(sets))
        found = optima(fill(sets, width), np.array([flops]))[:3, : len(sets), 0]
        every = dict(zip(QUANTITIES, (*found, found[1] / found[0]), strict=True))
        return np.asarray(every[quantity])

    evaluate.__name__ = f"{quantity} at {flops:.4g} FLOP"
    return evaluate


def between_budgets(law: Law, optima: Optima, quantity: str, least: float, most: float) -> OfCoefs:
    """Return the exponent of one of QUANTITIES between two budgets, as a function of the coefs."""
    begin, end = (at_budget(law, optima, quantity, flops) for flops in (least, most))

    def evaluate(coefs: Mapping[str, np.ndarray]) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.log(end(coefs) / begin(coefs)) / np.log(most / least))

    evaluate.__name__ = f"the exponent of {quantity}"
    return evaluate

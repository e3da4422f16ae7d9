"""Shapley effects: the variance of a table of answers, shared out among the factors that its rows differ in."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np


def shapley_effects(values: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return what each factor accounts for (k,) of the variance of values (m,), rows alike; they add up to it.

    levels: (m, k) integers, the level of every factor in every row; rows with all levels equal must not have different
    values, or what they differ by is left out. The worth of a set of factors is the variance of the mean given their
    levels, so that each factor gets its own effect and an equal part of every interaction; for factors that take their
    levels together, the part that both explain is halved.   Source: Owen 2014, SIAM/ASA Journal on Uncertainty
    Quantification 2, 245; Song, Nelson & Staum 2016, the same 4, 1060, for factors that depend on one another.
    """
    count = levels.shape[1]
    worth = {
        chosen: _explained(values, levels[:, chosen])
        for size in range(count + 1)
        for chosen in combinations(range(count), size)
    }
    effects = np.zeros(count)
    for factor in range(count):
        for chosen, before in worth.items():
            if factor in chosen:
                continue
            joined = tuple(sorted((*chosen, factor)))
            orders = factorial(len(chosen)) * factorial(count - len(chosen) - 1) / factorial(count)
            effects[factor] += orders * (worth[joined] - before)
    return effects


def _explained(values: np.ndarray, levels: np.ndarray) -> float:
    """Return the variance of the mean of values (m,) given levels (m, j)."""
    if not levels.shape[1]:
        return 0.0
    cell = np.unique(levels, axis=0, return_inverse=True)[1].reshape(-1)
    size = np.bincount(cell)
    mean = np.bincount(cell, values - values.mean()) / size
    return float(size @ mean**2) / len(values)

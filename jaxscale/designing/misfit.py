"""Departures of the truth from a law: small, smooth in the inputs, and shared by runs that are near each other.

A law that is fitted to real runs is not exact. Where it is taken to be, a few runs at the places that tell most of its
coefs seem enough, and their common departure is predicted along.   Source: DuMouchel & Jones 1994, Technometrics 36,
potential terms; Kennedy & O'Hagan 2001.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np

SIZE = 0.5
"""Standard deviation of the coef of a term, in units of the noise."""


def potential_terms(*parts: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Return the terms (n, q) of the runs of each part: the inputs, their squares and their products.

    parts: the columns of runs, one (n, …) per input. Over all parts an input runs from -1 to 1, in its logarithm where
    it is positive; one that is the same everywhere, or is no number per run, has no term. Each term is to be taken with
    a coef of mean 0 and the noise for its standard deviation.
    """
    scaled = []
    for columns in zip(*parts, strict=True):
        if columns[0].ndim != 1:
            continue
        every = np.concatenate(columns).astype(float)
        every = np.log(every) if (every > 0).all() else every
        middle, half = 0.5 * (every.max() + every.min()), 0.5 * np.ptp(every)
        if half > 0:
            scaled.append((every - middle) / half)
    products = [a * b for a, b in combinations_with_replacement(scaled, 2)]
    count = sum(len(part[0]) for part in parts)
    terms = SIZE * np.stack([*scaled, *products], axis=1) if scaled else np.zeros((count, 0))
    ends = np.cumsum([len(part[0]) for part in parts])[:-1]
    return tuple(np.split(terms, ends))

"""Start points that follow the table's own units, so that a law fits in millions as well as in ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from jaxscale.laws.spec import Coef

FLOORS = (0.1, 0.5, 0.8, 0.95)
"""Shares of the smallest loss tried as the irreducible part."""
MOST_STARTS = 256
"""Largest product of start values; of a larger one every k-th point is taken."""


def product_starts(coefs: Sequence[Coef]) -> list[dict[str, float]]:
    """Return the product of the coefs' own start values, thinned evenly."""
    points = thinned_product([coef.starts for coef in coefs], MOST_STARTS)
    return [{coef.name: value for coef, value in zip(coefs, point, strict=True)} for point in points]


def thinned_product(values: Sequence[Sequence[float]], most: int) -> list[tuple[float, ...]]:
    """Return the product of several sequences, or about `most` of its points, evenly, if it has more."""
    counts = [len(some) for some in values]
    total = math.prod(counts)
    stride = -(-total // most)
    while stride > 1 and any(count % stride == 0 for count in counts):
        stride += 1  # a stride that divides a count would never try its other values
    places = np.arange(0, total, stride)  # one by one: most points of a large product are not made
    at = np.stack(np.unravel_index(places, counts), axis=1) if counts else np.zeros((1, 0), int)
    return [tuple(some[place] for some, place in zip(values, point, strict=True)) for point in at]


def separable_starts(
    columns: Mapping[str, np.ndarray],
    target: np.ndarray,
    exponents: Sequence[Mapping[str, float]],
    names: tuple[str, str],
) -> list[dict[str, float]]:
    """Return starts for E + A N^-alpha + B D^-beta: E a share of the smallest loss, the terms equal at the centre.

    exponents: the settings tried; names: which of them N and D take.   Every start passes through the median loss at
    the geometric mean of the table.
    """
    params, tokens = (float(np.exp(np.mean(np.log(columns[name])))) for name in ("params", "tokens"))
    grid, levels = [], [floor_and_rest(target, share) for share in FLOORS]
    for setting, (floor, rest) in product(exponents, levels):
        scale = {"A": 0.5 * rest * params ** setting[names[0]], "B": 0.5 * rest * tokens ** setting[names[1]]}
        grid.append({"E": floor, **scale, **setting})
    return grid


def floor_and_rest(target: np.ndarray, share: float) -> tuple[float, float]:
    """Return a floor, as a share of the smallest loss, and what is left of the median loss above it."""
    floor = share * float(np.min(target))
    return floor, max(float(np.median(target)) - floor, 1e-3 * abs(floor))

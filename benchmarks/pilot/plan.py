"""Which runs make up the study: budgets, sizes, the learning rates that were tried, and the rule made of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from benchmarks.pilot.network import Shape
from benchmarks.pilot.training import Settings

BUDGETS = (1.5e11, 3e11, 6e11, 1.2e12, 2.4e12)
"""FLOP of a run, for the fit."""
HELD_BACK = (4.8e12, 9.6e12)
"""FLOP of the runs that are predicted before they are made."""
CENTRE = (1.9e4, 1.5e11, 0.72)
"""Where the best size was guessed from five runs at 1e11 and five at 1e12 FLOP: params, at FLOP, with this exponent."""
SPACING, SIDE = 1.6, 3
"""Factor from one size of a budget to the next, and how many lie on either side of the guess."""
SEEDS = 3
"""Seeds of the middle size of each budget; every other size has one."""

WIDTHS, DEPTHS = range(8, 257, 4), range(1, 13)
ASPECTS = (16, 48)
"""Width per layer, smallest and largest."""

TUNED = {1.5e11: (-3, 0, 3), 6e11: (-3, 0, 3), 2.4e12: (0,)}
"""Budgets at which learning rates and batches were tried, and the places of the sizes."""
RATES = (2e-3, 4e-3, 8e-3, 1.6e-2)
BATCHES = {1.5e11: (8, 16, 32), 6e11: (8, 16, 32), 2.4e12: (8, 16)}
"""Windows of a step that were tried at a budget."""


def sizes(budget: float) -> tuple[Shape, ...]:
    """Return the shapes of a budget from small to large, the guess of the best one in the middle."""
    params, at, exponent = CENTRE
    middle = params * (budget / at) ** exponent
    found = tuple(shape_of(middle * SPACING**place) for place in range(-SIDE, SIDE + 1))
    assert len(set(found)) == len(found), "two sizes of a budget are one shape"
    return found


def shape_of(params: float) -> Shape:
    """Return the shape whose parameters are nearest, in ratio, to a number, its width 16 to 48 times its layers."""
    shapes = [Shape(depth, width) for depth, width in product(DEPTHS, WIDTHS)]
    fit = [one for one in shapes if one.layers == 1 or ASPECTS[0] <= one.width / one.layers <= ASPECTS[1]]
    fit = [one for one in fit if one.width / one.layers <= ASPECTS[1]]
    return min(fit, key=lambda one: abs(np.log(one.params / params)))


def tuning() -> Iterator[tuple[float, Settings]]:
    """Yield budget and settings of the runs in which learning rates and batches are tried."""
    for budget, places in TUNED.items():
        for place, batch, rate in product(places, BATCHES[budget], RATES):
            yield budget, Settings.spending(budget, sizes(budget)[place + SIDE], batch, rate, 0)

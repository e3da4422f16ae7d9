"""The changes of a learning rate as a few nodes: what a law sums over the steps of a schedule, in tens of terms.

The multi-power law adds, over every step k up to now, drop_k · G(rate_k, sum of the rates since k). A rate that changes
at each of 70,000 steps would make as many terms. But within a piece, where the rate moves smoothly, the terms are a
smooth function of the step, with their singularities outside: where the rate would be zero, and just after now. So a
piece from step a to b is summed by the Gauss rule of the measure drop_k in u = ln((k - a + 1)/(b + 1 - k)), a variable
in which singular points beyond either end lie a distance π away, however near the end they are. A rule knows the steps
and their drops but no coef: it holds for whatever G a law has, and for every later step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jaxscale.numerics.gauss import gauss_of_masses, gauss_of_steps
from jaxscale.schedules.schedule import Schedule

NODES = 24
"""Nodes of a piece. tests/schedules hold the error of the loss against the full sum below 1e-7."""
CORNER = 1.25
"""Ratio of neighbouring drops above which a new piece begins."""
SINGLE, FINE = 8, 6
"""Steps at either end of a piece that are taken one by one, and points of each block between them."""
STENCIL = 6
"""Steps through which a polynomial gives rates between steps."""


@dataclass(frozen=True)
class Nodes:
    """What stands for the changes of the rate in some steps: each (nodes,).

    drops: by how much the rate falls.   rates: the rate after the fall.   sums_before: the sum of the rates of all
    steps before it.
    """

    drops: np.ndarray
    rates: np.ndarray
    sums_before: np.ndarray


def pieces_of(schedule: Schedule) -> list[tuple[int, int]]:
    """Return the pieces (first step, last step) in which the rate moves one way, at a pace without corners.

    The fall to a rate of zero is in none: nothing is learnt after it, so it brings nothing.
    """
    drops = schedule.drops
    moving = np.flatnonzero(drops[: schedule.last_learning + 1])
    if not moving.size:
        return []
    before, after = drops[moving[:-1]], drops[moving[1:]]
    ratio = after / before
    is_cut = (np.diff(moving) > 1) | (ratio > CORNER) | (ratio < 1.0 / CORNER)
    firsts = moving[np.concatenate([[True], is_cut])]
    lasts = moving[np.concatenate([is_cut, [True]])]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def nodes_of(schedule: Schedule, first: int, last: int, *, count: int = NODES) -> Nodes:
    """Return the nodes of one piece, or of its beginning: its steps themselves where they are no more than count."""
    before = schedule.sums - schedule.rates
    steps = np.arange(first, last + 1)
    if len(steps) <= count:
        return Nodes(schedule.drops[steps], schedule.rates[steps], before[steps])
    places, shares = _thinned(last - first + 1)
    sign = np.sign(schedule.drops[first])
    masses = shares * np.abs(_between(places, schedule.drops[steps]))
    odds = np.log((places + 1.0) / (len(steps) - places))
    odds, weights = gauss_of_masses(odds, masses, count)
    places = (len(steps) + 1.0) / (1.0 + np.exp(-odds)) - 1.0
    return Nodes(sign * weights, _between(places, schedule.rates[steps]), _between(places, before[steps]))


def _thinned(length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return places within 0 … length - 1, and weights, that sum smooth functions: blocks that double from each end."""
    half = length // 2
    sizes = [*_doubling(half), *reversed(_doubling(length - half))]
    places, shares, start = [], [], 0
    for size in sizes:
        nodes, weights = (np.arange(size), np.ones(size)) if size <= FINE else gauss_of_steps(size, FINE)
        places.append(start + nodes)
        shares.append(weights)
        start += size
    return np.concatenate(places), np.concatenate(shares)


def _doubling(length: int) -> list[int]:
    """Return the sizes of blocks that fill the length: ones, then each as long as all before it."""
    filled = min(SINGLE, length)
    sizes = [1] * filled
    while filled < length:
        sizes.append(min(filled, length - filled))
        filled += sizes[-1]
    return sizes


def _between(places: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the values at places between steps, by the polynomial through the nearest steps of the piece."""
    first = np.clip(np.floor(places).astype(int) - STENCIL // 2 + 1, 0, len(values) - STENCIL)
    steps = np.arange(STENCIL)
    away = (places - first)[:, None] - steps
    total = np.zeros(len(places))
    for j in range(STENCIL):
        others = steps != j
        total += values[first + j] * np.prod(away[:, others] / (j - steps[others]), axis=1)
    return total

"""Which runs make up the study: budgets, sizes, the learning rates that were tried, and the rule made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from benchmarks.pilot.ledger import settings_of
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
RATES = {
    1.5e11: (8e-3, 1.6e-2, 3.2e-2, 6.4e-2),
    6e11: (2e-3, 4e-3, 8e-3, 1.6e-2, 3.2e-2),
    2.4e12: (4e-3, 8e-3, 1.6e-2, 3.2e-2),
}
"""Rates that were tried at a budget. Rows of a first list, whose best was often its last, stand as well."""
BATCHES = (4, 8, 16)
"""Windows of a step that were tried. In the first list 32 was worst."""


def sizes(budget: float) -> tuple[Shape, ...]:
    """Return the shapes of a budget from small to large, the guess of the best one in the middle."""
    params, at, exponent = CENTRE
    middle = params * (budget / at) ** exponent
    found = tuple(shape_of(middle * SPACING**place) for place in range(-SIDE, SIDE + 1))
    assert len(set(found)) == len(found), "two sizes of a budget are one shape"
    return found


def shape_of(params: float) -> Shape:
    """Return the shape whose parameters are nearest, in ratio, to a number; one layer may be narrow."""
    shapes = [Shape(depth, width) for depth, width in product(DEPTHS, WIDTHS) if width <= ASPECTS[1] * depth]
    fit = [one for one in shapes if one.layers == 1 or one.width >= ASPECTS[0] * one.layers]
    return min(fit, key=lambda one: abs(np.log(one.params / params)))


def tuning() -> Iterator[tuple[float, Settings]]:
    """Yield budget and settings of the runs in which learning rates and batches are tried."""
    for budget, places in TUNED.items():
        for place, batch, rate in product(places, BATCHES, RATES[budget]):
            yield budget, Settings.spending(budget, sizes(budget)[place + SIDE], batch, rate, 0)


@dataclass(frozen=True)
class Rule:
    """What tuning came to: windows of a step, and ln of the best rate as a + b ln params + c ln steps."""

    batch: int
    coefs: tuple[float, float, float]

    def settings(self, budget: float, shape: Shape, seed: int) -> Settings:
        """Return the run of a shape that spends a budget, its learning rate to two digits, as it is written down."""
        steps = Settings.spending(budget, shape, self.batch, 1.0, seed).steps
        rate = np.exp(np.dot(self.coefs, [1.0, np.log(shape.params), np.log(steps)]))
        return Settings(shape, steps, self.batch, float(f"{rate:.2g}"), seed)


def rule_of(rows: Iterable[Mapping[str, str]]) -> Rule:
    """Return the rule that the rows of tuning support.

    The batch is the one whose best losses exceed those of the best batch least, in the mean over the tuned points that
    every batch was tried at. The rate is regressed on size and steps over all tuned points at that batch.
    """
    tried: dict[tuple[float, int], dict[int, list[tuple[Settings, float]]]] = {}
    for row in rows:
        made = settings_of(row)
        point = tried.setdefault((float(row["budget"]), made.shape.params), {})
        point.setdefault(made.batch, []).append((made, float(row["loss"])))
    lowest = [[_lowest(point[batch])[1] for batch in BATCHES] for point in tried.values() if {*BATCHES} <= {*point}]
    excess = np.mean(np.array(lowest) - np.min(lowest, axis=1, keepdims=True), axis=0)
    batch = BATCHES[int(np.argmin(excess))]
    best = [(*_lowest(point[batch]), point[batch][0][0]) for point in tried.values() if batch in point]
    sizes_and_steps = [[1.0, np.log(made.shape.params), np.log(made.steps)] for *_, made in best]
    coefs, *_ = np.linalg.lstsq(np.array(sizes_and_steps), np.array([rate for rate, *_ in best]), rcond=None)
    return Rule(batch, (float(coefs[0]), float(coefs[1]), float(coefs[2])))


def _lowest(runs: Sequence[tuple[Settings, float]]) -> tuple[float, float]:
    """Return ln of the best rate and the loss there, by a parabola through the best rate tried and its neighbours.

    Where the best is the first or the last that was tried, or diverged neighbours leave no parabola, it is the answer.
    """
    ordered = sorted((made.learning_rate, loss) for made, loss in runs if np.isfinite(loss))
    rates, losses = np.log([rate for rate, _ in ordered]), np.array([loss for _, loss in ordered])
    at = int(np.argmin(losses))
    if not 0 < at < len(losses) - 1:
        return float(rates[at]), float(losses[at])
    bend, slope, level = np.polyfit(rates[at - 1 : at + 2] - rates[at], losses[at - 1 : at + 2], 2)
    step = -slope / (2.0 * bend)
    return float(rates[at] + step), float(level + slope * step / 2.0)


def fitting(rule: Rule) -> Iterator[tuple[float, Settings]]:
    """Yield budget and settings of the runs that are fitted: every size, the middle one with every seed."""
    for budget in BUDGETS:
        for place, shape in enumerate(sizes(budget)):
            for seed in range(SEEDS if place == SIDE else 1):
                yield budget, rule.settings(budget, shape, seed)


def holding_back(rule: Rule) -> Iterator[tuple[float, Settings]]:
    """Yield budget and settings of the runs that are predicted first."""
    for budget in HELD_BACK:
        for shape in sizes(budget):
            yield budget, rule.settings(budget, shape, 0)

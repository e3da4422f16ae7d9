"""What laws of schedules take of a run: sums over its learning rates, made by `jaxscale.schedules`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jaxscale.laws.inputs import Input
from jaxscale.schedules import columns_of, constant, cosine, two_stage, wsd

RATE_SUM = Input(
    name="rate_sum",
    symbol="S1",
    unit="learning rate · steps",
    meaning="learning rate summed up to the step",
    low=0.3,
    high=30.0,
    derived_from=("step", "lr"),
)
ANNEALING = replace(
    RATE_SUM, name="annealing", symbol="S2", meaning="momentum of the rate's drops, summed", low=0.0, high=0.3
)
RATE_DROPS = Input(
    name="rate_drops",
    symbol="drop",
    unit="learning rate",
    meaning="how much the rate fell, node by node",
    low=-3e-4,
    high=3e-4,
    is_vector=True,
    derived_from=("step", "lr"),
)
RATES_AFTER = replace(RATE_DROPS, name="rates_after", symbol="eta", meaning="the rate after each drop", low=1e-6)
SUMS_SINCE = replace(
    RATE_SUM, name="sums_since", symbol="S", meaning="learning rate summed since each drop", low=1e-6, is_vector=True
)

PEAK, WARMUP, WIDTH = 3e-4, 500, 56
"""Of the schedules in designs; width: nodes of a row, so that all designs have one shape."""


def random_schedules(random: np.random.Generator, rows: int, inputs: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Return the inputs (rows, …) at as many steps of four schedules: constant, cosine, in two stages, with a decay.

    Lengths, last rates and the step of every row are drawn.
    """
    steps = [int(count) for count in random.integers(6_000, 24_000, 4)]
    low = [float(rate) for rate in np.exp(random.uniform(np.log(2e-5), np.log(1e-4), 3))]
    shapes = [
        constant(steps[0], peak=PEAK, warmup=WARMUP),
        cosine(steps[1], peak=PEAK, end=low[0], warmup=WARMUP),
        two_stage(steps[2], peak=PEAK, second=low[1], drop_at=steps[2] // 2, warmup=WARMUP),
        wsd(steps[3], peak=PEAK, end=low[2], decay_from=int(0.8 * steps[3]), warmup=WARMUP),
    ]
    drawn = [shapes[row % len(shapes)] for row in range(rows)]
    at = [int(random.integers(WARMUP + 100, schedule.steps + 1)) for schedule in drawn]
    columns = columns_of(drawn, at, width=WIDTH)
    return {name: columns[name] for name in inputs}

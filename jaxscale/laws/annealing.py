"""The law of Tissue et al.: a power of the summed learning rate, less what annealing has brought."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from jaxscale.laws.schedule_inputs import ANNEALING, RATE_SUM, random_schedules
from jaxscale.laws.spec import Coef, Law
from jaxscale.laws.starts import gridded
from jaxscale.numerics.powers import power

ALPHAS = (0.15, 0.3, 0.45, 0.6, 0.9)


def loss(rate_sum, annealing, *, L0, A, alpha, C):
    """L = L0 + A S1^-alpha - C S2, in nats per token; elementwise in S1 and S2."""
    return L0 + A * power(rate_sum, -alpha) - C * annealing


def design(random: np.random.Generator, rows: int) -> Mapping[str, np.ndarray]:
    """Return S1 and S2 of runs on four random schedules."""
    return random_schedules(random, rows, ANNEALING_LAW.inputs)


ANNEALING_LAW = Law(
    name="annealing",
    loss=loss,
    inputs=("rate_sum", "annealing"),
    coefs=(
        Coef("L0", "positive", (1.0, 2.0, 3.0), "irreducible loss at this size", "nats/token", span=(1.5, 4.0)),
        Coef("A", "positive", (0.3, 1.0), "scale of the fall with S1", "nats/token · S1^alpha", span=(0.3, 1.0)),
        Coef("alpha", "positive", ALPHAS, "exponent of the summed rate", span=(0.3, 0.7)),
        Coef("C", "positive", (0.3, 1.0, 3.0), "gain per unit of annealing", "nats/token per S2", span=(0.2, 3.0)),
    ),
    equation="L = L0 + A/S1^alpha - C*S2",
    source="Tissue et al. 2024, arXiv 2408.11029",
    starts=partial(gridded, loss, ("L0", "A", "C"), {"alpha": ALPHAS}),
    domain=(RATE_SUM, ANNEALING),
    design=design,
    frontier="none: it speaks of one size of network",
    notes=(
        "S2 sums the momentum of the drops of the rate, m = momentum · m + drop, after the warm-up; momentum is fixed,"
        " 0.999 unless told.",
        "C is per unit of learning rate: it holds for the peak it was fitted at.",
        "It rewards extreme annealing too much, and steps at a rate of zero: S2 still grows over what idles after a "
        "decay to zero, so give the run up to its last step of learning.",
    ),
)  # fmt: skip

LAWS = (ANNEALING_LAW,)

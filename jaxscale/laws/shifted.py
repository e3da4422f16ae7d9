"""The power law with a knee: below some compute already spent, more of it hardly shows."""

from __future__ import annotations

import numpy as np

from jaxscale.laws.spec import Coef, Law
from jaxscale.laws.starts import Columns, gridded
from jaxscale.numerics.powers import power

NEZHURINA = "Nezhurina et al. 2025, arXiv 2506.04598"


def loss(flops, *, E, A, alpha, C_1):
    """L(C) = E + A (C + C_1)^-alpha, in nats per token; elementwise in C."""
    return E + A * power(flops + C_1, -alpha)


def starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 16 start points: exponent and shift from a grid over the table's compute, E and A by projection."""
    flops = columns["flops"]
    shifts = np.geomspace(0.1 * float(np.min(flops)), float(np.max(flops)), 16)
    return gridded(loss, ("E", "A"), {"alpha": np.geomspace(0.03, 0.8, 12), "C_1": shifts}, columns, target)


POWER_SHIFTED = Law(
    name="power-shifted",
    loss=loss,
    inputs=("flops",),
    coefs=(
        Coef("E", "positive", (0.5, 1.0, 2.0), "irreducible loss", "nats/token", span=(0.3, 3.0)),
        Coef("A", "positive", (10.0, 1e3, 1e5), "scale of the flops term", "nats/token · FLOP^alpha", span=(50.0, 5e4)),
        Coef("alpha", "positive", (0.05, 0.1, 0.3), "exponent of C", span=(0.08, 0.3)),
        Coef("C_1", "positive", (1e17, 1e18, 1e19), "compute below which the law is flat", "FLOP", span=(1e17, 1e20)),
    ),
    equation="L = E + A/(C + C_1)^alpha",
    source=NEZHURINA,
    starts=starts,
    frontier="loss alone: the law knows compute and no split of it",
    notes=("Without runs near C_1 the shift is not identified, and with few of them it trades off with alpha.",),
)

LAWS = (POWER_SHIFTED,)

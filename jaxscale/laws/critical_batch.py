"""The critical batch size as a function of the loss reached, with and without an entropy below which no loss goes."""

from __future__ import annotations

import numpy as np

from jaxscale.laws.inputs import Input
from jaxscale.laws.kaplan_single import KAPLAN, line, scaled
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.laws.starts import Columns

LOSS_REACHED = Input("loss_reached", "L", "nats/token", "loss that the run has reached", 1.8, 8.0)
SHARES = (0.01, 0.3, 0.6, 0.8, 0.9, 0.96, 0.99)
"""Shares of the smallest loss tried as the offset."""

IN_TOKENS = (
    "The column loss holds the critical batch size, in tokens per step; the loss reached stands in loss_reached."
)


def batch(loss_reached, *, B_star, alpha_B):
    """B_crit(L) = B_star / L^(1/alpha_B), in tokens; elementwise in L."""
    return B_star * scaled(loss_reached, 1.0, 1.0 / alpha_B)


def batch_above(loss_reached, *, B_star, alpha_B, L_inf):
    """B_crit(L) = B_star / (L - L_inf)^(1/alpha_B), in tokens; elementwise in L, NaN where L is below L_inf."""
    return batch(loss_reached - L_inf, B_star=B_star, alpha_B=alpha_B)


def starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 3 start points: the straight line of least squares in logarithms, and half and twice its slope."""
    return [_on_line(columns["loss_reached"], target, factor) for factor in (0.5, 1.0, 2.0)]


def starts_above(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 7 start points: seven offsets below the smallest loss, each with its straight line in logarithms."""
    reached = columns["loss_reached"]
    offsets = [share * float(np.min(reached)) for share in SHARES]
    return [{**_on_line(reached - offset, target, 1.0), "L_inf": offset} for offset in offsets]


def _on_line(reached: np.ndarray, target: np.ndarray, factor: float) -> dict[str, float]:
    centre, level, slope = line(reached, target)
    return {"B_star": float(level * centre ** (factor * slope)), "alpha_B": 1.0 / (factor * slope)}


SCALE = Coef(
    "B_star",
    starts=(1e7, 1e8, 1e9),
    meaning="critical batch at a loss of one nat",
    unit="tokens · nats^(1/alpha_B)",
    span=(1e6, 1e10),
)
ALPHA_B = Coef("alpha_B", starts=(0.1, 0.2, 0.5), meaning="inverse exponent of the loss", span=(0.1, 0.6))
OFFSET = Coef(
    "L_inf",
    starts=(0.5, 1.0, 1.5),
    meaning="loss at which the critical batch diverges",
    unit="nats/token",
    span=(0.2, 1.6),
)

CRITICAL_BATCH = Law(
    name="critical-batch",
    loss=batch,
    inputs=("loss_reached",),
    coefs=(SCALE, ALPHA_B),
    equation="B_crit = B_star/L^(1/alpha_B)",
    source=KAPLAN + ", eq. 1.4",
    starts=starts,
    published=(Published("kaplan2020", (2.1e8, 0.21), KAPLAN + ", table 5"),),
    domain=(LOSS_REACHED,),
    notes=(
        IN_TOKENS,
        "The text at eq. 1.4 rounds B_star to 2e8.",
        "It diverges at zero loss by choice, as the entropy of text is unknown: critical-batch-offset fits that too.",
        "It depends on the loss alone and not on the size of the model.",
    ),
    target="batch size",
)

CRITICAL_BATCH_OFFSET = Law(
    name="critical-batch-offset",
    loss=batch_above,
    inputs=("loss_reached",),
    coefs=(SCALE, ALPHA_B, OFFSET),
    equation="B_crit = B_star/(L - L_inf)^(1/alpha_B)",
    source=KAPLAN + ", eq. 1.4, with the offset that §5.1 leaves out",
    starts=starts_above,
    domain=(LOSS_REACHED,),
    notes=(IN_TOKENS, "It says nothing of losses at or below L_inf."),
    target="batch size",
)

LAWS = (CRITICAL_BATCH, CRITICAL_BATCH_OFFSET)

"""The critical batch size as a function of the loss, and steps against batch size at equal loss."""

from __future__ import annotations

import numpy as np

from jaxscale.laws.inputs import Input
from jaxscale.laws.kaplan import PAPER, line, scaled_power
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
    return B_star * scaled_power(loss_reached, 1.0, 1.0 / alpha_B)


def batch_above(loss_reached, *, B_star, alpha_B, L_inf):
    """B_crit(L) = B_star / (L - L_inf)^(1/alpha_B), in tokens; elementwise in L, NaN where L is below L_inf."""
    return batch(loss_reached - L_inf, B_star=B_star, alpha_B=alpha_B)


def starts_at_zero(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
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
    "L_inf", "positive", (0.5, 1.0, 1.5), "loss at which the critical batch diverges", "nats/token", span=(0.2, 1.6)
)

CRITICAL_BATCH = Law(
    name="critical-batch",
    loss=batch,
    inputs=("loss_reached",),
    coefs=(SCALE, ALPHA_B),
    equation="B_crit = B_star/L^(1/alpha_B)",
    source=PAPER + ", eq. 1.4",
    starts=starts_at_zero,
    published=(Published("kaplan2020", (2.1e8, 0.21), PAPER + ", table 5"),),
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
    source=PAPER + ", eq. 1.4, with the offset that §5.1 leaves out",
    starts=starts_above,
    domain=(LOSS_REACHED,),
    notes=(IN_TOKENS, "It says nothing of losses at or below L_inf."),
    target="batch size",
)


BATCH = Input("batch", "B", "tokens/step", "tokens per optimiser step", 1e4, 1e7)
BEYOND = 30.0
"""How far outside the measured batches a start looks for the critical one, as a factor."""

STEPS_MIN = Coef(
    "S_min", starts=(1e3, 1e4, 1e5), meaning="fewest steps, at a batch without bound", unit="steps", span=(3e2, 3e5)
)
TOKENS_MIN = Coef(
    "E_min", starts=(1e9, 1e10, 1e11), meaning="fewest tokens, at a batch towards zero", unit="tokens", span=(1e9, 1e11)
)


def steps(batch, *, S_min, E_min):
    """S(B) = S_min + E_min/B, in steps; elementwise in B."""
    return S_min + E_min / batch


def starts_of_steps(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 7 start points: a critical batch from far below to far above those measured, through the median steps."""
    sizes = columns["batch"]
    grid = []
    for critical in np.geomspace(np.min(sizes) / BEYOND, np.max(sizes) * BEYOND, 7):
        fewest = float(np.median(target / (1.0 + critical / sizes)))
        grid.append({"S_min": fewest, "E_min": fewest * float(critical)})
    return grid


STEPS_EXAMPLES = Law(
    name="steps-examples",
    loss=steps,
    inputs=("batch",),
    coefs=(STEPS_MIN, TOKENS_MIN),
    equation="S = S_min*(1 + B_crit/B); B_crit = E_min/S_min",
    source=PAPER + ", eqs. 5.1 and 5.2; McCandlish et al. 2018, arXiv 1812.06162",
    starts=starts_of_steps,
    domain=(BATCH,),
    notes=(
        "The column loss holds the steps of each run; all runs of a table must have reached the same loss.",
        "The critical batch is E_min/S_min; there a run takes 2 S_min steps and 2 E_min tokens.",
        "The same as (S/S_min - 1)*(E/E_min - 1) = 1 with E = B*S tokens processed.",
    ),
    target="steps",
)

LAWS = (CRITICAL_BATCH, CRITICAL_BATCH_OFFSET, STEPS_EXAMPLES)

"""What a batch costs: more FLOP where it is large, more steps where it is small, by the critical batch size."""

from __future__ import annotations

from jaxscale.costs.machines import HOUR
from jaxscale.costs.spec import Amounts, Cost
from jaxscale.costs.training import training_flops

KAPLAN_BATCH = "Kaplan et al. 2020, arXiv 2001.08361, eqs. 5.1 to 5.3"
KAPLANS = (("B_star", 2.1e8), ("alpha_B", 0.21))
"""Coefs of the critical batch size, B_star / L^(1/alpha_B) tokens at a loss of L nats per token (table 5 there)."""


def critical_tokens(loss_reached: Amounts, B_star: Amounts, alpha_B: Amounts) -> Amounts:
    """Return the critical batch size, in tokens: there, twice the least steps and twice the least tokens are taken."""
    return B_star * loss_reached ** (-1.0 / alpha_B)


def batched_flops(
    params: Amounts, tokens: Amounts, *, batch_tokens: Amounts, loss_reached: Amounts, B_star: Amounts, alpha_B: Amounts
) -> Amounts:
    """Return 6 N D (1 + B/B_crit), FLOP: a large batch takes more tokens to the loss that D reach in small ones."""
    return training_flops(params, tokens) * (1.0 + batch_tokens / critical_tokens(loss_reached, B_star, alpha_B))


def batched_steps(
    params: Amounts, tokens: Amounts, *, batch_tokens: Amounts, loss_reached: Amounts, B_star: Amounts, alpha_B: Amounts
) -> Amounts:
    """Return the optimiser's steps, D/B + D/B_crit: a small batch takes more of them than a large one."""
    return tokens * (1.0 / batch_tokens + 1.0 / critical_tokens(loss_reached, B_star, alpha_B)) + 0.0 * params


def wall_clock(
    params: Amounts,
    tokens: Amounts,
    *,
    batch_tokens: Amounts,
    seconds_per_step: Amounts,
    flops_per_hour: Amounts,
    loss_reached: Amounts,
    B_star: Amounts,
    alpha_B: Amounts,
) -> Amounts:
    """Return the hours of a run: its FLOP at the rate of all devices together, and what each step takes besides.

    flops_per_hour: of all devices.   seconds_per_step: of each step, whatever the batch: latency and communication.
    """
    batch = {"batch_tokens": batch_tokens, "loss_reached": loss_reached, "B_star": B_star, "alpha_B": alpha_B}
    computing = batched_flops(params, tokens, **batch) / flops_per_hour
    return computing + batched_steps(params, tokens, **batch) * seconds_per_step / HOUR


OF_BATCH = ("batch_tokens", "loss_reached", "B_star", "alpha_B")
BATCHED = Cost("batched", batched_flops, "FLOP", KAPLAN_BATCH, OF_BATCH, KAPLANS)
STEPS = Cost("steps", batched_steps, "steps", KAPLAN_BATCH, OF_BATCH, KAPLANS)
WALL_CLOCK = Cost(
    "wall-clock",
    wall_clock,
    "hours",
    KAPLAN_BATCH,
    (OF_BATCH[0], "seconds_per_step", "flops_per_hour", *OF_BATCH[1:]),
    KAPLANS,
)

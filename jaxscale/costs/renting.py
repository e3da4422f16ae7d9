"""Hours of accelerators and what they are paid with: training and serving at rates of their own."""

from __future__ import annotations

from jaxscale.costs.serving import FLOPS_PER_SERVED_TOKEN, SARDANA
from jaxscale.costs.spec import Amounts, Cost
from jaxscale.costs.training import KAPLAN, training_flops


def hours(params: Amounts, tokens: Amounts, *, flops_per_hour: Amounts) -> Amounts:
    """Return the hours of training on one accelerator that reaches this rate (`machines.flops_of_hours` of 1)."""
    return training_flops(params, tokens) / flops_per_hour


def dollars(
    params: Amounts,
    tokens: Amounts,
    *,
    inference_tokens: Amounts,
    training_price: Amounts,
    serving_price: Amounts,
) -> Amounts:
    """Return what training and the tokens served afterwards cost, at prices in dollars per FLOP.

    A price is that of an hour over the FLOP of an hour; serving reaches a lower rate, and costs more per FLOP.
    Source: Sardana et al. 2024.
    """
    served = FLOPS_PER_SERVED_TOKEN * params * inference_tokens
    return training_price * training_flops(params, tokens) + serving_price * served


HOURS = Cost("hours", hours, "hours", KAPLAN, ("flops_per_hour",))
DOLLARS = Cost("dollars", dollars, "USD", SARDANA, ("inference_tokens", "training_price", "serving_price"))

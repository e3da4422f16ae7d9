"""The frontier of Kaplan's learning curve at the critical batch, in closed form (appendix B)."""

from __future__ import annotations

from typing import NamedTuple

from jaxscale.allocation.kaplan.exponents import compute_exponent
from jaxscale.allocation.kaplan.numbers import Coefs, Number, of_counts, values_of


class EfficientRun(NamedTuple):
    """The optimum on a budget: loss in nats per token, params, steps, tokens per step, and tokens = batch · steps."""

    loss: Number
    params: Number
    steps: Number
    batch: Number
    tokens: Number


@of_counts
def efficient_run(curve: Coefs, critical: Coefs, *, flops: Number) -> EfficientRun:
    """Return the loss, size, steps and batch that a budget is best spent on.

    curve: coefs of the law `kaplan-steps`.   critical: of `critical-batch`.   flops: C = 6 N B S in FLOP, with S the
    curve's S_min and B the critical batch of the loss reached.   The same as the frontier of the law `kaplan-compute`.
    It is consistent with itself, not with table 6, whose prefactors differ by about two.
    Source: Kaplan et al. 2020, appendix B.
    """
    N_c, S_c, alpha_N, alpha_S = values_of("kaplan-steps", curve)
    B_star, alpha_B = values_of("critical-batch", critical)
    alpha_C = compute_exponent(alpha_N=alpha_N, alpha_S=alpha_S, alpha_B=alpha_B)
    share = flops / compute_scale(curve, critical)
    above = (1.0 + alpha_N / alpha_S) ** (1.0 / alpha_N)  # in size: what the loss is above the converged one
    loss = share**-alpha_C
    params = N_c * share ** (alpha_C / alpha_N) * above
    # S = C_c/(6 N_c B_star) (1 + alpha_N/alpha_S)^(-1/alpha_N) share^(alpha_C/alpha_S), with C_c written out
    steps = S_c * ((1.0 + alpha_N / alpha_S) * alpha_S / alpha_N) ** (1.0 / alpha_S) * share ** (alpha_C / alpha_S)
    batch = B_star * share ** (alpha_C / alpha_B)
    return EfficientRun(loss, params, steps, batch, batch * steps)


def compute_scale(curve: Coefs, critical: Coefs) -> Number:
    """Return C_c in FLOP, the scale of L(C) = (C_c/C)^alpha_C on the frontier; arguments as for `efficient_run`."""
    N_c, S_c, alpha_N, alpha_S = values_of("kaplan-steps", curve)
    B_star, _ = values_of("critical-batch", critical)
    above = (1.0 + alpha_N / alpha_S) ** (1.0 / alpha_S + 1.0 / alpha_N)
    return 6.0 * N_c * B_star * S_c * above * (alpha_S / alpha_N) ** (1.0 / alpha_S)


def on_budget(curve: Coefs, critical: Coefs) -> dict[str, Number]:
    """Return the coefs of the law `kaplan-compute` that follow; arguments as for `efficient_run`."""
    N_c, S_c, alpha_N, alpha_S = values_of("kaplan-steps", curve)
    B_star, alpha_B = values_of("critical-batch", critical)
    return {"N_c": N_c, "D_c": B_star * S_c, "alpha_N": alpha_N, "alpha_S": alpha_S, "alpha_B": alpha_B}

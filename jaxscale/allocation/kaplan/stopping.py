"""When a finite dataset is used up: the earliest step at which to stop, and where two trends contradict each other."""

from __future__ import annotations

from typing import NamedTuple

from jaxscale.allocation.kaplan.fitted import Tokens, fitted_optimum, tokens_rule
from jaxscale.allocation.kaplan.numbers import Coefs, Number, closing, module_of, of_counts, values_of
from jaxscale.allocation.kaplan.overfitting import overfitting_gap
from jaxscale.counting.units import PF_DAY


class Contradiction(NamedTuple):
    """Where the loss that data allows meets that which compute promises: C_min in FLOP, N, D, nats per token."""

    flops_min: Number
    params: Number
    tokens: Number
    loss: Number


@of_counts
def early_stop_steps(joint: Coefs, curve: Coefs, *, params: Number, tokens: Number) -> Number:
    """Return the lower bound S_c / [L(N, D) - L(N, ∞)]^(1/alpha_S) on the step at which the test loss turns up.

    joint: coefs of the law `kaplan`.   curve: of `kaplan-steps`, whose S_c and alpha_S are used.   tokens: size of the
    dataset.   Source: Kaplan et al. 2020, eq. 5.7.
    """
    N_c, _, alpha_N, _ = values_of("kaplan", joint)
    _, S_c, _, alpha_S = values_of("kaplan-steps", curve)
    gap = (N_c / params) ** alpha_N * overfitting_gap(joint, params=params, tokens=tokens)
    return S_c * closing(gap, alpha_S)


@of_counts
def contradiction(data: Coefs, compute: Coefs, *, tokens_from: Tokens) -> Contradiction:
    """Return where the loss of the efficient run's data, read once, meets the loss promised for its compute.

    data: coefs of the law `kaplan-tokens`.   compute: of `kaplan-flops-min`.   tokens_from: which statement of the
    paper gives the tokens of an efficient run, as for `fitted_optimum`.   Good to an order of magnitude at best: the
    paper has 1e4 PF-days, 1e12 params, 1e12 tokens and 1.7 nats, while eq. 6.7 as printed gives 1e5 PF-days.
    Source: Kaplan et al. 2020, eq. 6.8.
    """
    D_c, alpha_D = values_of("kaplan-tokens", data)
    C_c, alpha_C = values_of("kaplan-flops-min", compute)
    data_at = tokens_rule(tokens_from)
    numpy = module_of(D_c, alpha_D, C_c, alpha_C)
    # alpha_D (ln D_c - ln prefactor - exponent ln C) = alpha_C (ln C_c - ln C), with C in PF-days
    rest = alpha_C * numpy.log(C_c / PF_DAY) - alpha_D * numpy.log(D_c / data_at.prefactor)
    days = numpy.exp(rest / (alpha_C - alpha_D * data_at.exponent))
    there = fitted_optimum(flops=days * PF_DAY, flops_are="C_min", tokens_from=tokens_from)
    return Contradiction(there.flops_min, there.params, there.tokens, (D_c / there.tokens) ** alpha_D)

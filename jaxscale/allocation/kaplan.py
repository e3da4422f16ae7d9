"""Kaplan's algebra of allocation: the frontier at the critical batch, table 6, and how much data a size needs."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias, TypeVar

from jaxscale.allocation.kaplan_training import Coefs, Number, closing, module_of, of_counts, values_of
from jaxscale.costs.training import FLOPS_PER_PARAM_TOKEN
from jaxscale.counting.units import PF_DAY
from jaxscale.errors import UsageError
from jaxscale.registry import unknown


class RunExponents(NamedTuple):
    """RunExponents of compute: the loss falls as C^-loss, the others grow as C^params, C^batch, C^steps, C^tokens."""

    loss: Number
    params: Number
    batch: Number
    steps: Number
    tokens: Number


@of_counts
def compute_exponent(*, alpha_N: Number, alpha_S: Number, alpha_B: Number) -> Number:
    """Return 1/(1/alpha_S + 1/alpha_B + 1/alpha_N), the exponent with which the loss falls on the frontier.

    With the published exponents it is 0.0520 (alpha_N = 0.076) or 0.0525 (0.077); eq. 6.4 prints about 0.054.
    Source: Kaplan et al. 2020, eq. 1.8.
    """
    return 1.0 / (1.0 / alpha_S + 1.0 / alpha_B + 1.0 / alpha_N)


@of_counts
def allocation_exponents(
    *, alpha_N: Number, alpha_S: Number, alpha_B: Number, alpha_C: Number | None = None
) -> RunExponents:
    """Return the exponents alpha_C/alpha_N of size, alpha_C/alpha_B of the batch, alpha_C/alpha_S of the steps.

    alpha_C: the exponent of the loss, None for `compute_exponent`; with that of a fit, size, batch and steps need not
    add up to one.   Tokens are batch times steps.   Source: Kaplan et al. 2020, eq. 1.7.
    """
    if alpha_C is None:
        alpha_C = compute_exponent(alpha_N=alpha_N, alpha_S=alpha_S, alpha_B=alpha_B)
    batch, steps = alpha_C / alpha_B, alpha_C / alpha_S
    return RunExponents(loss=alpha_C, params=alpha_C / alpha_N, batch=batch, steps=steps, tokens=batch + steps)


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
    return FLOPS_PER_PARAM_TOKEN * N_c * B_star * S_c * above * (alpha_S / alpha_N) ** (1.0 / alpha_S)


def on_budget(curve: Coefs, critical: Coefs) -> dict[str, Number]:
    """Return the coefs of the law `kaplan-compute` that follow; arguments as for `efficient_run`."""
    N_c, S_c, alpha_N, alpha_S = values_of("kaplan-steps", curve)
    B_star, alpha_B = values_of("critical-batch", critical)
    return {"N_c": N_c, "D_c": B_star * S_c, "alpha_N": alpha_N, "alpha_S": alpha_S, "alpha_B": alpha_B}


Compute: TypeAlias = Literal["C", "C_min"]
"""C is compute spent at the critical batch, twice C_min, that of a batch far below it."""

Tokens: TypeAlias = Literal["table 6", "equation 6.7", "batch times steps"]
"""2e10 C_min^0.27; 4e10 C_min^0.26; B S_min of table 6, about half of its tokens: they are those of 2 C_min."""

COSTS: dict[Compute, float] = {"C": 2.0, "C_min": 1.0}
"""What flops are to C_min.   Source: Kaplan et al. 2020, eq. 5.5 at B = B_crit."""


class PowerRule(NamedTuple):
    """prefactor · x^exponent."""

    prefactor: Number
    exponent: Number


TABLE_6 = {
    "params": PowerRule(1.3e9, 0.73),
    "batch": PowerRule(2.0e6, 0.24),
    "steps_min": PowerRule(5.4e3, 0.03),
    "tokens": PowerRule(2e10, 0.27),
}
"""Of C_min in PF-days.   Source: Kaplan et al. 2020, arXiv 2001.08361, table 6."""

EQUATION_6_7 = PowerRule(4e10, 0.26)
"""Tokens, of C_min in PF-days.   Source: Kaplan et al. 2020, arXiv 2001.08361, eq. 6.7."""


class FittedOptimum(NamedTuple):
    """C_min in FLOP, params, critical batch in tokens, the lower bound on steps, and tokens."""

    flops_min: Number
    params: Number
    batch: Number
    steps_min: Number
    tokens: Number


T = TypeVar("T", bound=str)


@of_counts
def fitted_optimum(*, flops: Number, flops_are: Compute, tokens_from: Tokens) -> FittedOptimum:
    """Return what table 6 calls optimal for a budget.

    flops: FLOP, which are C or C_min, as `flops_are` says.   tokens_from: which of three statements of the paper gives
    the tokens; they differ by factors of two and four.   Raises UsageError for other words.
    """
    flops_min = flops / COSTS[_known("flops_are =", flops_are, tuple(COSTS))]
    days = flops_min / PF_DAY
    rules = (TABLE_6["params"], TABLE_6["batch"], TABLE_6["steps_min"], tokens_rule(tokens_from))
    return FittedOptimum(flops_min, *(rule.prefactor * days**rule.exponent for rule in rules))


def tokens_rule(tokens_from: Tokens) -> PowerRule:
    """Return tokens as a power of C_min in PF-days; raise UsageError for a word that is no statement of the paper."""
    batch, steps = TABLE_6["batch"], TABLE_6["steps_min"]
    known: dict[Tokens, PowerRule] = {
        "table 6": TABLE_6["tokens"],
        "equation 6.7": EQUATION_6_7,
        "batch times steps": PowerRule(batch.prefactor * steps.prefactor, batch.exponent + steps.exponent),
    }
    return known[_known("tokens_from =", tokens_from, tuple(known))]


def _known(kind: str, word: T, words: tuple[T, ...]) -> T:
    if word not in words:
        raise UsageError(unknown(kind, str(word), words))
    return word


@of_counts
def overfitting_gap(coefs: Coefs, *, params: Number, tokens: Number) -> Number:
    """Return L(N, D)/L(N, ∞) - 1, dimensionless.

    coefs: of the law `kaplan`.   tokens: size of the dataset.   Source: Kaplan et al. 2020, eqs. 4.2 and 4.3.
    """
    N_c, D_c, alpha_N, alpha_D = values_of("kaplan", coefs)
    crowding = (params / N_c) ** (alpha_N / alpha_D) * D_c / tokens
    numpy = module_of(crowding, alpha_D)
    gap: Number = numpy.expm1(alpha_D * numpy.log1p(crowding))
    return gap


@of_counts
def data_requirement(coefs: Coefs, *, params: Number, tolerance: Number) -> Number:
    """Return the size of the dataset, in tokens, at which the overfitting gap is the tolerance.

    coefs: of the law `kaplan`.   tolerance: relative, > 0: 0.02 in the paper, where it is the spread of losses over
    seeds.   Source: Kaplan et al. 2020, eqs. 4.3 and 4.4.
    """
    rule = data_rule(coefs, tolerance=tolerance)
    return rule.prefactor * params**rule.exponent


@of_counts
def data_rule(coefs: Coefs, *, tolerance: Number) -> PowerRule:
    """Return the data requirement as D = prefactor · N^exponent; the paper rounds it to 5e3 N^0.74 at 0.02.

    coefs: of the law `kaplan`.   tolerance: relative; NaN where it is not positive.   Source: Kaplan et al. 2020,
    eq. 4.4.
    """
    N_c, D_c, alpha_N, alpha_D = values_of("kaplan", coefs)
    exponent = alpha_N / alpha_D
    numpy = module_of(tolerance, alpha_D)
    crowding = numpy.expm1(numpy.log1p(tolerance) / alpha_D)
    is_open = numpy.asarray(crowding) > 0
    return PowerRule(D_c / (N_c**exponent * numpy.where(is_open, crowding, numpy.nan)[()]), exponent)


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

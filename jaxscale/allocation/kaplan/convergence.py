"""Why convergence is inefficient: what other sizes, and other stops, cost for the same loss."""

from __future__ import annotations

from typing import NamedTuple

from jaxscale.allocation.kaplan.batches import critical_batch
from jaxscale.allocation.kaplan.numbers import Coefs, Number, closing, of_counts, values_of


class Comparison(NamedTuple):
    """One run over another that reaches the same loss: ratios of params, steps and FLOP."""

    params: Number
    steps: Number
    flops: Number


class Overhead(NamedTuple):
    """A size over the efficient one, at the same loss: ratios of FLOP and of steps."""

    flops: Number
    steps: Number


def convergence_factor(curve: Coefs) -> Number:
    """Return f = alpha_N/alpha_S: an efficient run stops at 1 + f times the loss that its size converges to.

    curve: coefs of the law `kaplan-steps`.   Source: Kaplan et al. 2020, appendix B.3.
    """
    _, _, alpha_N, alpha_S = values_of("kaplan-steps", curve)
    return alpha_N / alpha_S


@of_counts
def compare_convergence(curve: Coefs, *, factor: Number, other: Number) -> Comparison:
    """Return a run that stops at 1 + factor times its converged loss, over one that stops at 1 + other times its own.

    curve: coefs of the law `kaplan-steps`.   Both reach the same loss, so at the same batch.
    Source: Kaplan et al. 2020, appendix B.3.
    """
    _, _, alpha_N, alpha_S = values_of("kaplan-steps", curve)
    params = ((1.0 + factor) / (1.0 + other)) ** (1.0 / alpha_N)
    steps = ((1.0 + 1.0 / factor) / (1.0 + 1.0 / other)) ** (1.0 / alpha_S)
    return Comparison(params, steps, params * steps)


@of_counts
def off_optimal(curve: Coefs, *, size_ratio: Number) -> Overhead:
    """Return what a size costs, over the efficient size for the same loss; infinite where it never reaches that loss.

    curve: coefs of the law `kaplan-steps`.   size_ratio: N over the efficient N.   Source: Kaplan et al. 2020,
    appendix B.4.
    """
    _, _, alpha_N, alpha_S = values_of("kaplan-steps", curve)
    steps = closing(1.0 + alpha_S / alpha_N * (1.0 - size_ratio**-alpha_N), alpha_S)
    return Overhead(size_ratio * steps, steps)


@of_counts
def steps_to_reach(curve: Coefs, *, params: Number, loss: Number) -> Number:
    """Return S_min, the steps in which a size reaches a loss; infinite at or below the loss that it converges to.

    curve: coefs of the law `kaplan-steps`.   Source: Kaplan et al. 2020, eq. 1.6 solved for S_min.
    """
    N_c, S_c, alpha_N, alpha_S = values_of("kaplan-steps", curve)
    return S_c * closing(loss - (N_c / params) ** alpha_N, alpha_S)


@of_counts
def tokens_to_reach(curve: Coefs, critical: Coefs, *, params: Number, loss: Number) -> Number:
    """Return E_min = B_crit S_min, the tokens in which a size reaches a loss at a small batch.

    critical: coefs as for `critical_batch`.   The rest as for `steps_to_reach`; `tokens_at` gives those at a batch.
    """
    return critical_batch(critical, loss=loss) * steps_to_reach(curve, params=params, loss=loss)

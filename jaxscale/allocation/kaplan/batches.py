"""Steps, tokens and compute at a batch size, and what they would be far from the critical one.

(S/S_min - 1)(E/E_min - 1) = 1 with E = B S: a batch far above the critical one saves steps, one far below saves tokens
and compute. The critical batch is that of the loss which the run has reached, so every run brings its own.
Source of all: Kaplan et al. 2020, eqs. 5.1 to 5.5; McCandlish et al. 2018.
"""

from __future__ import annotations

from jaxscale.allocation.kaplan.numbers import Coefs, Number, module_of, of_counts, values_of


@of_counts
def critical_batch(coefs: Coefs, *, loss: Number) -> Number:
    """Return B_crit(L), tokens per step.

    coefs: of the law `critical-batch`, or, where they hold L_inf, of `critical-batch-offset`.   loss: nats per token,
    above L_inf: infinite at it, and NaN below, which no run reaches.   Source: Kaplan et al. 2020, eq. 1.4.
    """
    if isinstance(coefs, str) or "L_inf" not in coefs:
        B_star, alpha_B = values_of("critical-batch", coefs)
        return B_star / loss ** (1.0 / alpha_B)
    B_star, alpha_B, L_inf = values_of("critical-batch-offset", coefs)
    gap, numpy = loss - L_inf, module_of(loss, L_inf)
    return B_star / numpy.where(numpy.asarray(gap) >= 0, gap, numpy.nan)[()] ** (1.0 / alpha_B)


@of_counts
def steps_min(coefs: Coefs, *, steps: Number, batch: Number, loss: Number) -> Number:
    """Return S_min = S / (1 + B_crit(L)/B): the steps that a batch without bound would have needed.

    coefs: as for `critical_batch`.   batch: tokens per step.   loss: that the run reached.
    """
    return steps / (1.0 + critical_batch(coefs, loss=loss) / batch)


@of_counts
def steps_at(coefs: Coefs, *, steps_min: Number, batch: Number, loss: Number) -> Number:
    """Return S = S_min (1 + B_crit(L)/B): the steps at a batch; arguments as for `steps_min`."""
    return steps_min * (1.0 + critical_batch(coefs, loss=loss) / batch)


@of_counts
def tokens_min(coefs: Coefs, *, tokens: Number, batch: Number, loss: Number) -> Number:
    """Return E_min = E / (1 + B/B_crit(L)): the tokens that a batch towards zero would have processed.

    tokens: E = B S, processed.   The rest as for `steps_min`.
    """
    return tokens / (1.0 + batch / critical_batch(coefs, loss=loss))


@of_counts
def tokens_at(coefs: Coefs, *, tokens_min: Number, batch: Number, loss: Number) -> Number:
    """Return E = E_min (1 + B/B_crit(L)): the tokens processed at a batch; arguments as for `tokens_min`."""
    return tokens_min * (1.0 + batch / critical_batch(coefs, loss=loss))


@of_counts
def flops_min(coefs: Coefs, *, flops: Number, batch: Number, loss: Number) -> Number:
    """Return C_min = C / (1 + B/B_crit(L)): the compute that a batch towards zero would have cost.

    flops: C = 6 N B S, spent.   The rest as for `steps_min`.
    """
    return flops / (1.0 + batch / critical_batch(coefs, loss=loss))


@of_counts
def flops_at(coefs: Coefs, *, flops_min: Number, batch: Number, loss: Number) -> Number:
    """Return C = C_min (1 + B/B_crit(L)): the compute at a batch; arguments as for `flops_min`."""
    return flops_min * (1.0 + batch / critical_batch(coefs, loss=loss))

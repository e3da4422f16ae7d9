"""Kaplan's algebra of training: steps, tokens and compute at a batch size, and what stopping early or late costs.

(S/S_min - 1)(E/E_min - 1) = 1 with E = B S: a batch far above the critical one saves steps, one far below saves tokens
and compute. The critical batch is that of the loss which the run has reached, so every run brings its own.
Source: Kaplan et al. 2020, eqs. 5.1 to 5.5; McCandlish et al. 2018.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import wraps
from types import ModuleType
from typing import NamedTuple, ParamSpec, TypeAlias, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.laws import LAWS
from jaxscale.precision import as_arrays

P = ParamSpec("P")
T = TypeVar("T")
Number: TypeAlias = float | np.ndarray | jax.Array
"""A number or an array. The answer is of the same kind and in the same precision, and JAX's derivatives pass."""

Coefs: TypeAlias = Mapping[str, Number] | str
"""The coefs of a law, name → number or array, or the name of one of its published sets."""


def values_of(law: str, coefs: Coefs) -> tuple[Number, ...]:
    """Return coefs in the order of the law of that name, NaN where they are not positive, as all of these laws' are.

    Raises UsageError for missing or unknown names.
    """
    found = LAWS.resolve(law)
    given: Mapping[str, Number] = {**found.constants(coefs)} if isinstance(coefs, str) else coefs
    found.check_names(given)
    return tuple(_where(operator.gt, given[name]) for name in found.names)


def of_counts(function: Callable[P, T]) -> Callable[P, T]:
    """Return a closed form as `as_arrays` does, without a value, NaN, where an argument by name is negative.

    Every number that a closed form takes by name counts something. At zero it has the limit there.
    """

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        numbers = (int, float, np.ndarray, np.generic, jax.Array)
        taken = {name: _where(operator.ge, one) if isinstance(one, numbers) else one for name, one in kwargs.items()}  # type: ignore
        return function(*args, **taken)  # type: ignore

    return as_arrays(called)


def module_of(*values: Number) -> ModuleType:
    """Return jax.numpy where one of the values is JAX's, traced or not, else numpy."""
    return jnp if any(isinstance(value, jax.Array) for value in values) else np


def closing(gap: Number, exponent: Number) -> Number:
    """Return gap^(-1/exponent), infinite where the gap is zero or less, as no effort closes it; NaN of NaN."""
    numpy = module_of(gap, exponent)
    width = numpy.asarray(gap)
    is_open = width > 0
    effort = numpy.where(is_open, numpy.where(is_open, width, 1.0) ** (-1.0 / exponent), numpy.inf)
    found: Number = numpy.where(numpy.isnan(width) | numpy.isnan(exponent), numpy.nan, effort)[()]
    return found


def _where(compare: Callable[[Number, float], Number], value: Number) -> Number:
    """Return numbers (…), NaN where the comparison with zero does not hold."""
    numpy = module_of(value)
    found: Number = numpy.where(compare(numpy.asarray(value), 0), value, numpy.nan)[()]
    return found


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


class ConvergenceComparison(NamedTuple):
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
def compare_convergence(curve: Coefs, *, factor: Number, other: Number) -> ConvergenceComparison:
    """Return a run that stops at 1 + factor times its converged loss, over one that stops at 1 + other times its own.

    curve: coefs of the law `kaplan-steps`.   Both reach the same loss, so at the same batch.
    Source: Kaplan et al. 2020, appendix B.3.
    """
    _, _, alpha_N, alpha_S = values_of("kaplan-steps", curve)
    params = ((1.0 + factor) / (1.0 + other)) ** (1.0 / alpha_N)
    steps = ((1.0 + 1.0 / factor) / (1.0 + 1.0 / other)) ** (1.0 / alpha_S)
    return ConvergenceComparison(params, steps, params * steps)


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
def tokens_min_to_reach(curve: Coefs, critical: Coefs, *, params: Number, loss: Number) -> Number:
    """Return E_min = B_crit S_min, the tokens in which a size reaches a loss at a small batch.

    critical: coefs as for `critical_batch`.   The rest as for `steps_to_reach`; `tokens_at` gives those at a batch.
    """
    return critical_batch(critical, loss=loss) * steps_to_reach(curve, params=params, loss=loss)

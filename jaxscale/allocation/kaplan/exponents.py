"""How size, batch, steps and tokens grow with compute: the exponents that follow from those of the loss."""

from __future__ import annotations

from typing import NamedTuple

from jaxscale.allocation.kaplan.numbers import Number, of_counts


class Exponents(NamedTuple):
    """Exponents of compute: the loss falls as C^-loss, the others grow as C^params, C^batch, C^steps, C^tokens."""

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
) -> Exponents:
    """Return the exponents alpha_C/alpha_N of size, alpha_C/alpha_B of the batch, alpha_C/alpha_S of the steps.

    alpha_C: the exponent of the loss, None for `compute_exponent`; with that of a fit, size, batch and steps need not
    add up to one.   Tokens are batch times steps.   Source: Kaplan et al. 2020, eq. 1.7.
    """
    if alpha_C is None:
        alpha_C = compute_exponent(alpha_N=alpha_N, alpha_S=alpha_S, alpha_B=alpha_B)
    batch, steps = alpha_C / alpha_B, alpha_C / alpha_S
    return Exponents(loss=alpha_C, params=alpha_C / alpha_N, batch=batch, steps=steps, tokens=batch + steps)

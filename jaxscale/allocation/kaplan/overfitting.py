"""How far a finite dataset falls short of one without end, and how much data keeps that within a tolerance."""

from __future__ import annotations

from jaxscale.allocation.kaplan.fitted import PowerRule
from jaxscale.allocation.kaplan.numbers import Coefs, Number, module_of, of_counts, values_of


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

"""Approach 3: the separable law fitted to all losses at once; its frontier is a pair of power laws, exactly.

Compute is the table's own, as it is for the other approaches.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jax.typing import ArrayLike

from jaxscale import precision
from jaxscale.allocation import separable
from jaxscale.approaches.powers import PowerLaw
from jaxscale.approaches.prices import price_of
from jaxscale.approaches.trend import Trend
from jaxscale.costs.training import SIX, Price
from jaxscale.results import Ensemble, Fit


def fit_trend(fit: Fit, price: Price | None = None) -> Trend:
    """Return N* and D* as powers of C; raise UsageError for a law that is not separable.

    price: by default that of the fit's runs.
    """
    separable.check_separable(fit.law)
    return trend_of(fit.coefs, price_of(fit.runs) if price is None else price)


def ensemble_trend(ensemble: Ensemble, price: Price | None = None) -> Trend:
    """Return those of every replicate (R,), NaN where one is not usable; raise UsageError for another law."""
    separable.check_separable(ensemble.fit.law)
    if price is None:
        price = price_of(ensemble.fit.runs)
    return trend_of({name: ensemble.samples(name) for name in ensemble.coefs}, price)


def trend_of(coefs: Mapping[str, ArrayLike], price: Price = SIX) -> Trend:
    """Return N* and D* as powers of C = k N^u D, elementwise in coefs; for C = 6 N D these are N* = G (C/6)^a and
    D* = (C/6)^b / G.   Source: Hoffmann et al. 2022, eq. 4.
    """
    with precision.float64():
        rate = separable.exponents(coefs, price)
        at_one = separable.optimum(coefs, 1.0, price)
        numbers = (rate.params, at_one.params, rate.tokens, at_one.tokens)
        a, size, b, data = (np.asarray(number, dtype=np.float64) for number in numbers)
    return Trend(PowerLaw(a, size), PowerLaw(b, data))

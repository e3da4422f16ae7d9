"""The best params and tokens as powers of compute: lines through optima, and those of the separable law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jax.typing import ArrayLike

from jaxscale import precision
from jaxscale.allocation import separable
from jaxscale.costs.training import FLOPS_PER_PARAM_TOKEN, SIX, Price, price_through
from jaxscale.finding import Finding
from jaxscale.intervals import Band, band
from jaxscale.results import Ensemble, Fit
from jaxscale.runs import Runs

BELOW = (
    "the table's price, C = {k:.3g} N^{u:.3f} D, is a power law through its runs; at {flops:.3g} FLOP it has fallen to "
    "{cost:.3g} per param and token, below the 6 that a network costs at least: sizes there are too large"
)


@dataclass(frozen=True)
class PowerLaw:
    """y = scale C^exponent: floats for one, (R,) each for an ensemble, NaN where fewer than two budgets were left."""

    exponent: np.ndarray
    scale: np.ndarray

    def at(self, flops: np.ndarray) -> np.ndarray:
        """Return y at budgets (b,): (b,), or (R, b) for an ensemble."""
        with np.errstate(over="ignore", invalid="ignore"):  # a line through two close budgets may be steep
            return np.asarray(self.scale)[..., None] * np.asarray(flops) ** np.asarray(self.exponent)[..., None]

    def interval(self, level: float = 0.95) -> Band:
        """Return the percentile band of the exponents of an ensemble."""
        return band(np.atleast_1d(self.exponent), level=level)


def power_law(flops: np.ndarray, values: np.ndarray, weight: np.ndarray | None = None) -> PowerLaw:
    """Return the weighted least-squares line of ln values (…, b) on ln flops (b,) or (…, b).

    weight: ≥ 0, of the values' shape or (b,), equal without it; values that are NaN have none.
    """
    x, y = np.broadcast_arrays(np.log(flops), np.log(values))
    w = np.where(np.isfinite(y), 1.0 if weight is None else weight, 0.0)
    y = np.where(w > 0, y, 0.0)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        total = w.sum(-1)
        x_mean, y_mean = (w * x).sum(-1) / total, (w * y).sum(-1) / total
        away = np.where(w > 0, x - x_mean[..., None], 0.0)
        square = (w * away**2).sum(-1)
        slope = np.where(square > 1e-12 * total, (w * away * y).sum(-1) / square, np.nan)
        return PowerLaw(slope, np.exp(y_mean - slope * x_mean))


@dataclass(frozen=True)
class Trend:
    """N* and D* as powers of C: of one table, or of R resampled ones."""

    params: PowerLaw
    tokens: PowerLaw

    @classmethod
    def through(
        cls, flops: np.ndarray, params: np.ndarray, tokens: np.ndarray, weight: np.ndarray | None = None
    ) -> Trend:
        """Return the lines through the optima (…, b) of budgets (b,); budgets at which they are NaN do not count."""
        return cls(power_law(flops, params, weight), power_law(flops, tokens, weight))

    @property
    def is_known(self) -> np.ndarray:
        """Whether there is a line: (R,) for an ensemble."""
        return np.isfinite(self.params.exponent) & np.isfinite(self.tokens.exponent)


def fit_trend(fit: Fit, price: Price | None = None) -> Trend:
    """Return N* and D* as powers of C; raise UsageError for a law that is not separable.

    price: by default that of the fit's runs.
    """
    separable.check_separable(fit.law)
    return trend_of(fit.coefs, price_of(fit.runs) if price is None else price)


def ensemble_trend(ensemble: Ensemble, price: Price | None = None) -> Trend:
    """Return those of every replicate (R,), NaN where one is not usable; raise UsageError for another law."""
    separable.check_separable(ensemble.fit.law)
    samples = {name: ensemble.samples(name) for name in ensemble.coefs}
    return trend_of(samples, price_of(ensemble.fit.runs) if price is None else price)


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


def price_of(runs: Runs, budget: str | None = None) -> Price:
    """Return the price C = k N^u D nearest, in ln C, to the table's own FLOP; 6 N D where it says nothing else.

    budget: column of FLOP in place of `flops`.
    """
    flops, tokens = runs.columns.get(budget or "flops"), runs.columns.get("tokens")
    if flops is None or tokens is None:
        return SIX
    return price_through(runs.columns["params"], tokens, flops, runs.weight)


def below_six(price: Price, trend: Trend, flops: np.ndarray) -> tuple[Finding, ...]:
    """Return what to say where the price at the best sizes (b,) of budgets (b,) has fallen below 6 N D; or nothing."""
    cost = float(price.k) * trend.params.at(flops) ** (float(price.u) - 1.0)
    if price == SIX or not np.nanmin(cost, initial=np.inf) < FLOPS_PER_PARAM_TOKEN:
        return ()
    at = int(np.nanargmin(cost))
    said = {"k": float(price.k), "u": float(price.u), "flops": float(flops[at]), "cost": float(cost[at])}
    return (Finding("price-extrapolated", BELOW.format(**said)),)

"""What an IsoFLOP procedure would find on a surface whose optimum is known: its bias, without any noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jaxscale import precision
from jaxscale.allocation import separable
from jaxscale.approaches.minima import Method, minima
from jaxscale.approaches.powers import PowerLaw, power_law
from jaxscale.approaches.prices import cost_of
from jaxscale.approaches.profiles import Profile
from jaxscale.costs.training import SIX, Price
from jaxscale.laws import LAWS, predict_with
from jaxscale.runs import Runs


@dataclass(frozen=True)
class Bias:
    """How far a procedure misses the best size of a surface on the very runs of a table, freed of their noise.

    flops: (b,) the budgets.   params: (b,) N found over N_opt of the surface, less 1; NaN where nothing is found.
    law: the line through what is found.   exponent: its exponent less the surface's.   coefs: of the surface.
    price: of the table.
    """

    flops: np.ndarray
    params: np.ndarray
    law: PowerLaw
    exponent: float
    coefs: Mapping[str, float]
    price: Price = SIX

    def at(self, flops: np.ndarray) -> np.ndarray:
        """Return N of the line over N_opt of the surface, less 1, at budgets (b,) for the table's price."""
        with precision.float64():
            best = np.asarray(separable.optimum(self.coefs, flops, self.price).params)
        ratio: np.ndarray = self.law.at(flops) / best - 1.0
        return ratio


def bias_of(
    runs: Runs, profiles: Sequence[Profile], method: Method, coefs: Mapping[str, float], price: Price = SIX
) -> Bias:
    """Return the bias of a method on the surface with these coefs (E, A, B, alpha and, unless tied, beta).

    N_opt is that of C = k N^u D with u of the table's price and k of each profile.
    """
    law = LAWS.resolve("chinchilla" if "beta" in coefs else "chinchilla-tied")
    params, tokens = runs.columns["params"], runs.columns["tokens"]
    loss = predict_with(law, coefs, {"params": params, "tokens": tokens})
    found, best, flops = [], [], np.array([profile.flops for profile in profiles])
    for profile in profiles:
        rows = profile.rows
        place, _ = minima(np.log(params[rows]), loss[None, rows], runs.weight[None, rows], method)
        found.append(float(np.exp(place[0])))
        with precision.float64():
            own = price._replace(k=cost_of(runs, profile, float(price.u)))
            best.append(float(separable.optimum(coefs, profile.flops, own).params))
    with precision.float64():
        exponent = float(separable.exponents(coefs, price).params)
    line = power_law(flops, np.array(found))
    ratio = np.array(found) / np.array(best) - 1.0
    return Bias(flops, ratio, line, float(line.exponent) - exponent, dict(coefs), price)

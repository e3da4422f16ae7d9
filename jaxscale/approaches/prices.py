"""What the runs of a table cost, where it says so itself and not by C = 6 N D."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jaxscale.approaches.profiles import Profile
from jaxscale.approaches.trend import Trend
from jaxscale.costs.training import FLOPS_PER_PARAM_TOKEN, SIX, Price, price_through
from jaxscale.finding import Finding
from jaxscale.runs import Runs

BELOW = (
    "the table's price, C = {k:.3g} N^{u:.3f} D, is a power law through its runs; at {flops:.3g} FLOP it has fallen to "
    "{cost:.3g} per param and token, below the 6 that a network costs at least: sizes there are too large"
)


def price_of(runs: Runs, budget: str | None = None) -> Price:
    """Return the price C = k N^u D nearest, in ln C, to the table's own FLOP; 6 N D where it says nothing else.

    budget: column of FLOP in place of `flops`.
    """
    flops, tokens = runs.columns.get(budget or "flops"), runs.columns.get("tokens")
    if flops is None or tokens is None:
        return SIX
    return price_through(runs.columns["params"], tokens, flops, runs.weight)


def cost_of(runs: Runs, profile: Profile, u: float) -> float:
    """Return k of C = k N^u D in a profile: the geometric mean over its runs of the budget by N^u D."""
    rows = profile.rows
    product = u * np.log(runs.columns["params"][rows]) + np.log(runs.columns["tokens"][rows])
    return float(np.exp(np.mean(np.log(profile.flops) - product)))


def tokens_of(runs: Runs, profiles: Sequence[Profile], params: np.ndarray, price: Price) -> np.ndarray:
    """Return the tokens (…, b) that sizes (…, b) have on the budgets of profiles, at their own k and the table's u."""
    u = float(price.u)
    costs = np.array([cost_of(runs, profile, u) for profile in profiles])
    tokens: np.ndarray = np.array([profile.flops for profile in profiles]) / (costs * params**u)
    return tokens


def below_six(price: Price, trend: Trend, flops: np.ndarray) -> tuple[Finding, ...]:
    """Return what to say where the price at the best sizes (b,) of budgets (b,) has fallen below 6 N D; or nothing."""
    cost = float(price.k) * trend.params.at(flops) ** (float(price.u) - 1.0)
    if price == SIX or not np.nanmin(cost, initial=np.inf) < FLOPS_PER_PARAM_TOKEN:
        return ()
    at = int(np.nanargmin(cost))
    said = {"k": float(price.k), "u": float(price.u), "flops": float(flops[at]), "cost": float(cost[at])}
    return (Finding("price-extrapolated", BELOW.format(**said)),)

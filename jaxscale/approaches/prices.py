"""What the runs of a table cost, where it says so itself and not by C = 6 N D."""

from __future__ import annotations

import numpy as np

from jaxscale.allocation.separable import FLOPS_PER_PARAM_TOKEN, SIX, Price
from jaxscale.approaches.profiles import Profile
from jaxscale.runs import Runs

WRITTEN = 5e-3
"""Relative difference from 6 N D that numbers of three digits have."""


def price_of(runs: Runs) -> Price:
    """Return the price C = k N^u D nearest, in ln C, to the table's own FLOP; 6 N D where it says nothing else.

    A size has a price of its own per token: 6 per parameter, and what attention and the head add. Tables of one size
    leave u at 1.
    """
    if "flops" not in runs.columns or "tokens" not in runs.columns:
        return SIX
    params, tokens, flops = (np.log(runs.columns[name]) for name in ("params", "tokens", "flops"))
    cost = flops - params - tokens
    if (np.abs(cost - np.log(FLOPS_PER_PARAM_TOKEN)) <= WRITTEN).all():
        return SIX
    middle = params - np.average(params, weights=runs.weight)
    spread = np.sum(runs.weight * middle**2)
    slope = np.sum(runs.weight * middle * cost) / spread if spread > 0 else 0.0
    level = np.average(cost - slope * params, weights=runs.weight)
    return Price(k=float(np.exp(level)), u=1.0 + float(slope))


def cost_of(runs: Runs, profile: Profile, u: float = 1.0) -> float:
    """Return k of C = k N^u D in a profile: the geometric mean over its runs of the budget by N^u D."""
    rows = profile.rows
    product = u * np.log(runs.columns["params"][rows]) + np.log(runs.columns["tokens"][rows])
    return float(np.exp(np.mean(np.log(profile.flops) - product)))

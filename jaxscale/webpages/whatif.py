"""What a budget buys under caps on params and tokens: plans on a grid, of the fit and of stored replicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from jaxscale.errors import IntervalError, JaxscaleError
from jaxscale.figures.axes import LEADS
from jaxscale.intervals import band
from jaxscale.planning import at_most, plan
from jaxscale.results import Frontier, Plan, Study
from jaxscale.text import Json
from jaxscale.webpages.thinning import SEED, thinned

DRAWS = 400
"""Replicates whose plans are made for every combination of the sliders: ten lie beyond each end of a 95 % band."""
BUDGETS, CAPS = 21, 8
"""Steps of the slider of budgets besides those that were asked for, and round caps at most."""
REACH = 10.0
"""A single budget is varied by this factor either way."""
NO_CAP = 1e30
"""Params or tokens that no plan reaches."""
SPENT = "flops"
"""What a plan spends of its budget: less where both caps bind."""
QUANTITIES = ("params", "tokens", "tokens_per_param", "loss", SPENT)
WRITTEN = 6
"""Significant digits of a number in the page."""
NO_SPLIT = "the law does not split a budget between params and tokens"


@dataclass(frozen=True)
class WhatIf:
    """Plans for every combination of a budget, a cap on params and a cap on tokens.

    flops: (b,).   params, tokens: caps, the last of them infinite.   values: quantity → (3, k, m, b), the plan of the
    fit and the limits of its band, NaN where there is none; (1, k, m, b) without replicates, and of what is spent.
    level: of the percentile bands.   draws, total: replicates that they rest on, of how many.
    """

    flops: np.ndarray
    params: np.ndarray
    tokens: np.ndarray
    values: dict[str, np.ndarray]
    level: float
    draws: int
    total: int

    def written(self) -> dict[str, Json]:
        """Return the grid for the page, numbers to six digits, null for no cap and for what does not exist."""
        steps = {name: _listed(getattr(self, name)) for name in ("flops", "params", "tokens")}
        return {"steps": steps, "values": {name: _listed(one) for name, one in self.values.items()}}

    def stated(self) -> str:
        """Return what the bands rest on."""
        if not self.draws:
            return "There are no replicates, so these plans have no bands."
        drawn = f", drawn with seed {SEED}" if self.draws < self.total else ""
        return f"Bands: {100.0 * self.level:g} % percentile of {self.draws:,} of the {self.total:,} replicates{drawn}."


def what_if(study: Study) -> WhatIf | str:
    """Return the plans of a study with a frontier, or in words why there are none.

    Each is what `js.plan` says of that budget within those caps, of the fit and of each replicate.
    """
    frontier = study.frontier
    assert frontier is not None  # the page asks for no other
    if not np.isfinite(frontier.point.params).any():
        return NO_SPLIT
    draws = None if study.ensemble is None or not study.has_bands else thinned(study.ensemble, DRAWS)
    budgets = slider_budgets(frontier)
    params, tokens = (_caps(study, name) for name in ("params", "tokens"))
    shape = (1 if draws is None else 3, len(params), len(tokens), len(budgets))
    values = {name: np.full(shape if name != SPENT else (1, *shape[1:]), np.nan) for name in QUANTITIES}
    try:
        for at, most in zip(product(range(len(params)), range(len(tokens))), product(params, tokens), strict=True):
            caps = (min(one, NO_CAP) for one in most)
            limits = [at_most(name, cap) for name, cap in zip(("params", "tokens"), caps, strict=True)]
            found = plan(draws or study.fit, flops=budgets, limits=limits, fixed=frontier.fixed)
            for name in QUANTITIES:
                values[name][:, *at] = _limited(found, name, study.level)
    except JaxscaleError as error:  # a scheme whose replicates are no draws, a law of which there is no plan
        return str(error)
    total = 0 if study.ensemble is None else len(study.ensemble)
    return WhatIf(budgets, params, tokens, values, study.level, 0 if draws is None else len(draws), total)


def slider_budgets(frontier: Frontier) -> np.ndarray:
    """Return the steps of the slider of budgets: evenly spaced in logarithms, those of the frontier among them."""
    flops = np.unique(frontier.flops)
    low, high = (flops[0], flops[-1]) if len(flops) > 1 else (flops[0] / REACH, flops[0] * REACH)
    even = np.geomspace(low, high, BUDGETS)
    far = np.abs(np.log(even[:, None] / flops)).min(axis=1) > 0.25 * np.log(high / low) / BUDGETS
    return np.sort(np.concatenate([even[far], flops]))


def _caps(study: Study, name: str) -> np.ndarray:
    """Return round caps around the frontier's sizes, and no cap last."""
    assert study.frontier is not None
    sizes = getattr(study.frontier.point, name)
    sizes = sizes[np.isfinite(sizes)]
    low, high = float(sizes.min()) / 2.0, float(sizes.max()) * 1.5
    decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1.0)
    finest = np.empty(0)
    for leads in LEADS:  # the roundest first
        every = np.outer(decades, leads).ravel()
        inside = every[(every >= low) & (every <= high)]
        if len(inside) <= CAPS:
            finest = inside
    return np.append(finest, np.inf)


def _limited(found: Plan, name: str, level: float) -> np.ndarray:
    """Return the value of each budget, and the limits of its band where there are replicates: (1 or 3, b)."""
    point = _of(found.point, name)
    if not found.is_ensemble or name == SPENT:
        return point[None]
    try:
        limits = band(_of(found, name), level=level)
    except IntervalError:
        return np.stack([point, np.full_like(point, np.nan), np.full_like(point, np.nan)])
    return np.stack([point, np.asarray(limits.lower), np.asarray(limits.upper)])


def _of(found: Plan, name: str) -> np.ndarray:
    if name == "tokens_per_param":
        return found.tokens / found.params
    return next(iter(found.spent.values())) if name == SPENT else np.asarray(getattr(found, name))


def _listed(values: np.ndarray) -> Sequence[Json]:
    """Return nested lists of numbers to WRITTEN digits, None for those that are not finite."""
    if values.ndim > 1:
        return [_listed(one) for one in values]
    return [float(f"{one:.{WRITTEN - 1}e}") if np.isfinite(one) else None for one in values.tolist()]

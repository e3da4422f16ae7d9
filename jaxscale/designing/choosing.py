"""A set of runs within a budget: by gain per cost, then by exchange, with what runs share paid once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from jaxscale.designing.factors import Factors

POWERS = (1.0, 0.5, 0.0)
"""Powers of the cost by which a gain is divided: of the sets that each leads to, the best is kept."""
EXCHANGES = 4
"""Rounds of exchange at most."""
ADDED = 12
"""Runs for which others are given up, in each round those that tell most beside the set."""
WITHIN = 1.0 + 1e-9
"""Of a budget, by rounding."""
BETTER = 1e-9
"""Relative fall of the criterion below which an exchange is none."""


@dataclass(frozen=True)
class Prices:
    """What candidates cost, (n,) each, in one unit.

    shared: the part that is paid once for all runs of a trunk, up to the longest.   trunk: (n,) whole numbers; -1 for a
    run of its own.
    """

    cost: np.ndarray
    shared: np.ndarray
    trunk: np.ndarray

    def marginal(self, paid: np.ndarray) -> np.ndarray:
        """Return what each candidate costs where of each trunk a part (t,) is paid."""
        of_each = np.where(self.trunk >= 0, paid[self.trunk], 0.0)
        return self.cost - np.minimum(self.shared, of_each)

    def paid(self, places: Sequence[int]) -> np.ndarray:
        """Return what of each trunk (t,) is paid by these candidates."""
        paid = np.zeros(int(self.trunk.max(initial=-1)) + 2)
        for place in places:
            if self.trunk[place] >= 0:
                paid[self.trunk[place]] = max(paid[self.trunk[place]], self.shared[place])
        return paid

    def total(self, places: Sequence[int]) -> float:
        """Return the cost of these candidates together."""
        own = self.cost[list(places)] - self.shared[list(places)] * (self.trunk[list(places)] >= 0)
        return float(own.sum() + self.paid(places).sum())


class Purchases(NamedTuple):
    """Candidates in the order of purchase, what each costs then, and the criterion before and after each (k + 1,)."""

    places: list[int]
    costs: list[float]
    path: list[float]


def chosen_set(factors: Factors, prices: Prices, budget: float) -> Purchases:
    """Return the set within a budget that lowers the criterion most, as far as greedy steps and exchanges find it."""
    found = [_greedy(factors, prices, budget, power) for power in POWERS]
    values = [factors.criterion(factors.after(places)) for places in found]
    best = found[int(np.argmin(values))]
    return ordered(factors, prices, _exchanged(factors, prices, budget, best))


def ordered(factors: Factors, prices: Prices, places: Sequence[int]) -> Purchases:
    """Return candidates in the order of gain per cost."""
    left, taken, covariance, paid = list(places), [], factors.start(), prices.paid([])
    costs, path = [], [factors.criterion(covariance)]
    while left:
        gain = factors.falls(covariance)[left] / np.maximum(prices.marginal(paid)[left], 1e-300)
        place = left.pop(int(np.argmax(gain)))
        costs.append(float(prices.marginal(paid)[place]))
        taken.append(place)
        covariance, paid = factors.observed(covariance, place), prices.paid(taken)
        path.append(factors.criterion(covariance))
    return Purchases(taken, costs, path)


def _greedy(
    factors: Factors, prices: Prices, budget: float, power: float, taken: Sequence[int] = (), banned: int = -1
) -> list[int]:
    """Return candidates bought one by one, each the most gain per power of its cost, until none fits the budget.

    A trunk that is not paid yet is considered with the runs of it that make most of it.
    """
    chosen = list(taken)
    covariance = factors.after(chosen) if chosen else factors.start()
    spent = prices.total(chosen)
    has_trunks = bool((prices.trunk >= 0).any())
    while True:
        paid = prices.paid(chosen)
        cost = prices.marginal(paid)
        fits = spent + cost <= budget * WITHIN
        fits[chosen] = False
        if banned >= 0:
            fits[banned] = False
        if not fits.any():
            return chosen
        falls = factors.falls(covariance)
        score = np.where(fits, falls / np.maximum(cost, 1e-300) ** power, -np.inf)
        bundle = [int(np.argmax(score))]
        if has_trunks:
            bundle = _bundle(factors, prices, covariance, chosen, fits, budget - spent, power, bundle, score.max())
        if not score.max() > 0:
            return chosen
        for place in bundle:
            covariance = factors.observed(covariance, place)
        chosen += bundle
        spent = prices.total(chosen)


def _bundle(
    factors: Factors,
    prices: Prices,
    covariance: np.ndarray,
    chosen: list[int],
    fits: np.ndarray,
    budget: float,
    power: float,
    best: list[int],
    score: float,
) -> list[int]:
    """Return the runs of one trunk that together gain more per power of their cost than the best single run."""
    before, already = factors.criterion(covariance), prices.total(chosen)
    for trunk in np.unique(prices.trunk[fits & (prices.trunk >= 0)]):
        members = np.flatnonzero(fits & (prices.trunk == trunk))
        some, after = [], covariance
        while len(members):
            falls = factors.falls(after)[members]
            some.append(int(members[np.argmax(falls)]))
            members = members[members != some[-1]]
            cost = prices.total([*chosen, *some]) - already
            if cost > budget * WITHIN:
                some.pop()
                continue
            after = factors.observed(after, some[-1])
            reached = (before - factors.criterion(after)) / max(cost, 1e-300) ** power
            if reached > score:
                score, best = reached, list(some)
    return best


def _exchanged(factors: Factors, prices: Prices, budget: float, places: list[int]) -> list[int]:
    """Return a set that no exchange improves, or not within EXCHANGES rounds.

    One run is given up for others; or one is added, and those that tell least for their cost are given up for it.
    """
    best, value = places, factors.criterion(factors.after(places)) if places else np.inf
    for _ in range(EXCHANGES):
        before = value
        for begun, power, banned in _neighbours(factors, prices, budget, best):
            tried = _greedy(factors, prices, budget, power, begun, banned)
            reached = factors.criterion(factors.after(tried)) if tried else np.inf
            if reached < value - BETTER * abs(value):
                best, value = tried, reached
        if not value < before:
            break
    return best


def _neighbours(
    factors: Factors, prices: Prices, budget: float, places: list[int]
) -> Iterator[tuple[list[int], float, int]]:
    """Yield parts of other sets, the power of the cost by which each is to be filled, and a run to leave out."""
    for place in places:
        kept = [one for one in places if one != place]
        yield kept, 1.0, place
        yield kept, 0.0, place
    falls = factors.falls(factors.after(places)) if places else factors.falls(factors.start())
    falls[places] = -np.inf
    falls[prices.cost > budget * WITHIN] = -np.inf
    for place in (int(one) for one in np.argsort(-falls)[:ADDED] if np.isfinite(falls[one])):
        kept = [*places, place]
        while prices.total(kept) > budget * WITHIN:
            saved = [prices.total(kept) - prices.total([one for one in kept if one != other]) for other in kept[:-1]]
            lost = factors.rises(factors.after(kept), kept[:-1]) / np.maximum(saved, 1e-300)
            kept.pop(int(np.argmin(lost)))
        yield kept, 1.0, -1

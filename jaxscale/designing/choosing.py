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
GIVEN_UP, ADDED = 12, 12
"""Runs that are given up for others, in each round those that tell least for their cost; and runs for which others are
given up, those that tell most beside the set."""
SHORT = 256
"""Candidates whose gain is computed at each purchase, those of the largest gains when all were last computed: of fewer,
the gains of all."""
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
        some = self._of_trunks(places)
        np.maximum.at(paid, self.trunk[some], self.shared[some])
        return paid

    def total(self, places: Sequence[int]) -> float:
        """Return the cost of these candidates together."""
        return float(self._own(places).sum() + self.paid(places).sum())

    def saved(self, places: Sequence[int]) -> np.ndarray:
        """Return by how much each of these candidates makes them dearer together (k,)."""
        saved = self._own(places)
        some = self._of_trunks(places)
        if len(some):
            at = np.flatnonzero(self.trunk[list(places)] >= 0)
            order = np.lexsort((-self.shared[some], self.trunk[some]))
            trunk, shared = self.trunk[some][order], self.shared[some][order]
            is_longest = np.append(True, trunk[1:] != trunk[:-1])
            has_next = np.append(trunk[1:] == trunk[:-1], False)
            second = np.where(has_next, np.append(shared[1:], 0.0), 0.0)
            saved[at[order]] += np.where(is_longest, shared - second, 0.0)
        return saved

    def _own(self, places: Sequence[int]) -> np.ndarray:
        some = np.asarray(places, dtype=np.intp)
        return self.cost[some] - self.shared[some] * (self.trunk[some] >= 0)

    def _of_trunks(self, places: Sequence[int]) -> np.ndarray:
        some = np.asarray(places, dtype=np.intp)
        return some[self.trunk[some] >= 0]


class Purchases(NamedTuple):
    """Candidates in the order of purchase, what each costs then, and the criterion before and after each (k + 1,)."""

    places: list[int]
    costs: list[float]
    path: list[float]


def chosen_set(factors: Factors, prices: Prices, budget: float) -> Purchases:
    """Return the set within a budget that lowers the criterion most, as far as greedy steps and exchanges find it."""
    found = [greedy_set(factors, prices, budget, power) for power in POWERS]
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


def greedy_set(
    factors: Factors, prices: Prices, budget: float, power: float, taken: Sequence[int] = (), banned: int = -1
) -> list[int]:
    """Return candidates bought one by one, each the most gain per power of its cost, until none fits the budget.

    A trunk that is not paid yet is considered with the runs of it that make most of it.
    """
    chosen = list(taken)
    covariance = factors.after(chosen) if chosen else factors.start()
    spent = prices.total(chosen)
    has_trunks = bool((prices.trunk >= 0).any())
    is_free = np.ones(len(prices.cost), dtype=bool)
    is_free[chosen] = False
    if banned >= 0:
        is_free[banned] = False
    known = np.full(len(prices.cost), np.inf)
    while True:
        cost = prices.marginal(prices.paid(chosen)) if has_trunks else prices.cost
        fits = is_free & (spent + cost <= budget * WITHIN)
        if not fits.any():
            return chosen
        price = np.maximum(cost, 1e-300) ** power
        best, gain, known = _most(factors, covariance, fits, price, known)
        bundle = [best]
        if has_trunks:
            bundle = _bundle(factors, prices, covariance, chosen, fits, budget - spent, power, bundle, gain)
        if not gain > 0:
            return chosen
        for place in bundle:
            covariance = factors.observed(covariance, place)
        is_free[bundle] = False
        chosen += bundle
        spent = prices.total(chosen) if has_trunks else spent + float(prices.cost[best])


def _most(
    factors: Factors, covariance: np.ndarray, fits: np.ndarray, price: np.ndarray, known: np.ndarray
) -> tuple[int, float, np.ndarray]:
    """Return the candidate of the largest fall per price, that ratio, and the falls (n,) that are known now.

    A fall of a determinant never grows with what is bought, and that of a variance seldom does, so that of many
    candidates one whose fall was less than the best of now is not computed again.   Source: Minoux 1978, accelerated
    greedy algorithms.
    """
    known = known.copy()
    places = np.flatnonzero(fits)
    if len(places) > SHORT and np.isfinite(known[places]).all():
        worth = known[places] / price[places]
        some = places[np.argpartition(-worth, SHORT)[:SHORT]]
        known[some] = factors.falls(covariance, some)
        best = int(some[np.argmax(known[some] / price[some])])
        rest = np.delete(worth, np.searchsorted(places, np.sort(some)))
        if known[best] / price[best] >= rest.max():
            return best, float(known[best] / price[best]), known
    known[places] = factors.falls(covariance, places)
    best = int(places[np.argmax(known[places] / price[places])])
    return best, float(known[best] / price[best]), known


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
            tried = greedy_set(factors, prices, budget, power, begun, banned)
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
    after = factors.after(places) if places else factors.start()
    if places:
        ratio = factors.rises(after, places) / np.maximum(prices.saved(places), 1e-300)
        for place in (places[at] for at in np.argsort(ratio)[:GIVEN_UP]):
            kept = [one for one in places if one != place]
            yield kept, 1.0, place
            yield kept, 0.0, place
    falls = factors.falls(after)
    falls[places] = -np.inf
    falls[prices.cost > budget * WITHIN] = -np.inf
    for place in (int(one) for one in np.argsort(-falls)[:ADDED] if np.isfinite(falls[one])):
        kept, left = [*places, place], factors.observed(after, place)
        while prices.total(kept) > budget * WITHIN:
            lost = factors.rises(left, kept[:-1]) / np.maximum(prices.saved(kept)[:-1], 1e-300)
            left = factors.removed(left, kept.pop(int(np.argmin(lost))))
        yield kept, 1.0, -1

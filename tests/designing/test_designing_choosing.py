"""Sets of runs: information by plain NumPy, exhaustive search, and trunks that are paid once."""

from itertools import chain, combinations

import numpy as np
import pytest

from jaxscale.designing.choosing import Prices, chosen_set, greedy_set, ordered
from jaxscale.designing.factors import linearised, regressed

NOISE = 0.3


def problem(seed, rows=10, size=3, targets=2):
    """Return rows of a linear law, what is wanted of its coefs, a prior covariance, and costs."""
    random = np.random.default_rng(seed)
    root = random.standard_normal((size, size))
    return (
        random.standard_normal((1, rows, size)),
        random.standard_normal((1, targets, size)),
        root @ root.T + np.eye(size),
        np.exp(random.uniform(0.0, 1.5, rows)),
    )


def left_of(rows, targets, covariance, places):
    """Return the summed posterior variance of linear targets (Gauss and Markov, with a prior)."""
    some = rows[0, list(places)]
    information = np.linalg.inv(covariance) + some.T @ some / NOISE**2
    return float(np.trace(targets[0] @ np.linalg.inv(information) @ targets[0].T))


def alone(cost):
    return Prices(cost, np.zeros(len(cost)), np.full(len(cost), -1))


@pytest.mark.parametrize("places", [(), (2,), (1, 4, 7)])
def test_what_is_left_is_the_variance_of_a_linear_law(places):
    rows, targets, covariance, _ = problem(0)
    factors = linearised(rows, targets, covariance, NOISE)
    expected = left_of(rows, targets, covariance, places)
    assert factors.criterion(factors.after(places)) == pytest.approx(expected, rel=1e-6)  # the root is lifted by 1e-9
    one_by_one = factors.start()
    for place in places:
        one_by_one = factors.observed(one_by_one, place)
    np.testing.assert_allclose(one_by_one, factors.after(places), rtol=1e-8, atol=1e-12)


def test_the_fall_of_each_candidate_is_the_difference():
    rows, targets, covariance, _ = problem(1)
    for wanted in (targets, targets[:, :0]):
        factors = linearised(rows, wanted, covariance, NOISE)
        start = factors.after([3])
        falls = [factors.criterion(start) - factors.criterion(factors.after([3, place])) for place in range(10)]
        np.testing.assert_allclose(factors.falls(start), falls, rtol=1e-8)
        both = factors.after([3, 6])
        rises = [factors.criterion(factors.after([place])) - factors.criterion(both) for place in (6, 3)]
        np.testing.assert_allclose(factors.rises(both, [3, 6]), rises, rtol=1e-7)


@pytest.mark.parametrize("seed", range(12))
def test_no_set_of_ten_is_much_better(seed):
    """By exhaustive search; greedy steps with exchanges need not find the best, but come near it."""
    rows, targets, covariance, cost = problem(seed)
    budget = 0.35 * cost.sum()
    factors = linearised(rows, targets, covariance, NOISE)
    chosen = chosen_set(factors, alone(cost), budget)
    every = chain.from_iterable(combinations(range(10), count) for count in range(1, 11))
    affordable = [places for places in every if cost[list(places)].sum() <= budget]
    best = min(left_of(rows, targets, covariance, places) for places in affordable)
    assert sum(chosen.costs) <= budget * (1 + 1e-9)
    assert best * (1 - 1e-6) <= chosen.path[-1] <= 1.05 * best


def test_regression_on_draws_of_a_linear_law_is_the_delta_method():
    rows, targets, covariance, _ = problem(3)
    draws = np.random.default_rng(0).multivariate_normal(np.zeros(3), covariance, 200)
    found = regressed(draws @ rows[0].T, draws @ targets[0].T, draws, NOISE)
    exact = linearised(rows, targets, np.cov(draws, rowvar=False), NOISE)
    for places in ((), (0, 5), (1, 2, 8)):
        left = found.criterion(found.after(places)), exact.criterion(exact.after(places))
        assert left[0] == pytest.approx(left[1], rel=1e-6)


def test_a_trunk_is_paid_once():
    prices = Prices(np.array([10.0, 12.0, 5.0]), np.array([8.0, 9.0, 0.0]), np.array([0, 0, 1]))
    assert prices.total([0]) == 10.0
    assert prices.total([1]) == 12.0
    assert prices.total([0, 1]) == 2.0 + 3.0 + 9.0  # both cooldowns, and the longer trunk
    assert prices.total([0, 1, 2]) == 19.0
    np.testing.assert_allclose(prices.marginal(prices.paid([1])), [2.0, 3.0, 5.0])
    np.testing.assert_allclose(prices.marginal(prices.paid([0])), [2.0, 4.0, 5.0])


@pytest.mark.parametrize("seed", range(4))
def test_what_a_run_makes_dearer_is_the_difference_of_totals(seed):
    random = np.random.default_rng(seed)
    cost = random.uniform(1.0, 2.0, 12)
    prices = Prices(cost, cost * random.uniform(0.0, 1.0, 12), random.integers(-1, 3, 12))
    places = random.permutation(12)[:7].tolist()
    apart = [prices.total(places) - prices.total([one for one in places if one != place]) for place in places]
    np.testing.assert_allclose(prices.saved(places), apart, atol=1e-12)


@pytest.mark.parametrize("targets", [0, 3])
def test_of_many_candidates_not_all_gains_are_computed_and_little_is_missed(targets):
    """Of 700, beside purchases of the largest gain per cost of all: the same for a determinant, which is submodular."""
    random = np.random.default_rng(5)
    rows, wanted = random.standard_normal((1, 700, 4)), random.standard_normal((1, targets, 4))
    cost = np.exp(random.uniform(0.0, 3.0, 700))
    factors = linearised(rows, wanted, np.eye(4), NOISE)
    covariance, left, spent, expected = factors.start(), 0.02 * cost.sum(), 0.0, []
    while True:
        fits = (spent + cost <= left) & ~np.isin(np.arange(700), expected)
        if not fits.any():
            break
        expected.append(int(np.argmax(np.where(fits, factors.falls(covariance) / cost, -np.inf))))
        covariance, spent = factors.observed(covariance, expected[-1]), spent + cost[expected[-1]]
    found = greedy_set(factors, alone(cost), left, 1.0)
    assert len(expected) > 20
    if targets:
        assert factors.criterion(factors.after(found)) <= 1.02 * factors.criterion(covariance)
    else:
        assert found == expected


def test_a_run_that_is_given_up_takes_its_information_along():
    rows, targets, covariance, _ = problem(2)
    factors = linearised(rows, targets, covariance, NOISE)
    left = factors.removed(factors.after([1, 4, 7]), 4)
    np.testing.assert_allclose(left, factors.after([1, 7]), rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_costs_in_the_order_of_purchase_add_up_where_trunks_are_shared(seed):
    rows, targets, covariance, cost = problem(seed)
    prices = Prices(cost, 0.8 * cost, np.arange(10) // 4)
    factors = linearised(rows, targets, covariance, NOISE)
    chosen = chosen_set(factors, prices, 0.3 * cost.sum())
    assert sum(chosen.costs) == pytest.approx(prices.total(chosen.places))
    assert sum(chosen.costs) <= 0.3 * cost.sum() * (1 + 1e-9)
    apart = chosen_set(factors, alone(cost), 0.3 * cost.sum())
    assert chosen.path[-1] <= apart.path[-1] * 1.05  # what is shared buys more, up to what greedy steps miss


def test_a_trunk_is_bought_for_the_sake_of_its_cooldowns():
    """Alone each cooldown is dearer than the run beside it; together they tell more for the same money."""
    rows = np.eye(5)[None]
    factors = linearised(rows, np.eye(5)[None], np.eye(5), 0.1)
    prices = Prices(np.array([9.0, 9.0, 9.0, 9.0, 8.0]), np.array([8.5] * 4 + [0.0]), np.array([0, 0, 0, 0, 1]))
    assert sorted(chosen_set(factors, prices, 11.0).places) == [0, 1, 2, 3]


def test_the_order_is_by_gain_per_cost():
    factors = linearised(np.eye(3)[None], np.diag([1.0, 2.0, 3.0])[None], np.eye(3), 1e-3)
    found = ordered(factors, alone(np.array([1.0, 1.0, 100.0])), [0, 1, 2])
    assert found.places == [1, 0, 2]
    np.testing.assert_allclose(found.path, [14.0, 10.0, 9.0, 0.0], atol=1e-4)

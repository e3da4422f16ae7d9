"""What runs and knowledge are worth: the closed forms of normal distributions, and orders that must hold."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plans import LAW

import jaxscale as js
from jaxscale.planning.sampling import gaussian_worth, simulated_worth
from jaxscale.results.information import cases_of, worth_of_knowing
from jaxscale.results.regret import RegretCurve

BEND, NOISE, DRAWS = 0.3, 0.4, 8_000
HOW = np.array([0.5, -0.2])
"""The best ln N is HOW · theta, with theta standard normal; regret is BEND/2 times the square of the distance."""
RUNS = np.array([[1.0, 0.3], [0.2, 0.8], [0.5, -0.5]])
"""What a run shows is a row of RUNS · theta, and noise."""


@pytest.fixture(scope="module")
def theta():
    """Draws with the mean and the covariance of the standard normal distribution, exactly."""
    drawn = np.random.default_rng(0).standard_normal((DRAWS, 2))
    drawn -= drawn.mean(axis=0)
    return drawn @ np.linalg.inv(np.linalg.cholesky(drawn.T @ drawn / DRAWS)).T


@pytest.fixture(scope="module")
def curve(theta):
    sizes = np.linspace(-3.0, 3.0, 61)
    nats = 0.5 * BEND * (sizes - (theta @ HOW)[:, None]) ** 2
    return RegretCurve(np.exp(sizes), np.exp(-sizes), nats)


def closed(runs):
    """Return BEND/2 times what the variance of HOW · theta falls by."""
    left = np.linalg.inv(np.eye(2) + runs.T @ runs / NOISE**2)
    return 0.5 * BEND * (HOW @ HOW - HOW @ left @ HOW)


ALIKE = np.full(DRAWS, 1.0 / DRAWS)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_runs_of_a_linear_law_are_worth_what_the_closed_form_says(theta, curve, count):
    told = theta @ RUNS[:count].T
    assert gaussian_worth(curve, theta @ HOW, told, ALIKE, NOISE) == pytest.approx(closed(RUNS[:count]), rel=1e-6)
    random = np.random.default_rng(1)
    value, error, effective = simulated_worth(curve, told, ALIKE, NOISE, 1_000, random)
    assert abs(value - closed(RUNS[:count])) <= 3.0 * error
    assert error < 0.1 * closed(RUNS[:count])
    assert effective > 100


def test_results_that_say_nothing_gain_nothing_from_the_draws_that_choose(theta, curve):
    """Draws that chose a size would be glad of it: others judge it, and find it no better than one chosen by all."""
    few = slice(0, 100)
    some = RegretCurve(curve.params, curve.tokens, curve.nats[few])
    alike, nothing = np.full(100, 0.01), np.zeros((100, 1))
    assert simulated_worth(some, nothing, alike, NOISE, 500, np.random.default_rng(3))[0] < 0.0


@pytest.mark.slow
def test_more_runs_are_worth_more_and_never_more_than_perfect_information(theta, curve):
    perfect = 0.5 * BEND * HOW @ HOW
    values = [closed(RUNS[:count]) for count in (1, 2, 3)]
    found = [
        simulated_worth(curve, theta @ RUNS[:count].T, ALIKE, NOISE, 2_000, np.random.default_rng(2))
        for count in (1, 2, 3)
    ]
    assert values == sorted(values)
    assert [value for value, _, _ in found] == sorted(value for value, _, _ in found)
    assert all(value <= perfect + 3.0 * error for value, error, _ in found)


@pytest.mark.parametrize("at", [0, 1])
def test_one_coef_is_worth_its_part_of_the_variance(theta, curve, at):
    value, error = worth_of_knowing(curve.nats, ALIKE, cases_of(theta[:, at], ALIKE))
    assert abs(value - 0.5 * BEND * HOW[at] ** 2) <= 3.0 * error + 0.02 * 0.5 * BEND * HOW @ HOW
    assert value <= 0.5 * BEND * HOW @ HOW


@given(st.integers(0, 10_000), st.integers(2, 60), st.integers(3, 9), st.integers(1, 6))
def test_knowing_more_is_worth_more_and_at_most_the_least_expected_regret(seed, draws, sizes, cases):
    """For any regrets: two cases in place of one, and so on, to one for each draw."""
    random = np.random.default_rng(seed)
    best = random.uniform(0, sizes - 1, draws)
    nats = random.uniform(0.1, 2.0, draws)[:, None] * (np.arange(sizes) - best[:, None]) ** 2
    weight = random.dirichlet(np.ones(draws))
    coarse = random.integers(0, cases, draws)
    fine = coarse * 2 + random.integers(0, 2, draws)
    values = [worth_of_knowing(nats, weight, one)[0] for one in (np.zeros(draws, int), coarse, fine, np.arange(draws))]
    least = (weight @ nats).min()
    assert values[0] == pytest.approx(0.0, abs=1e-12)
    assert all(value <= least + 1e-12 for value in values)
    assert all(after >= before - 1e-9 for before, after in pairwise(values))


@pytest.fixture(scope="module")
def asked():
    """As of the tests of decisions, so that programs are shared."""
    random, centre = np.random.default_rng(5), LAW.constants("besiroglu2024")
    spread = {"E": 0.02, "A": 0.2, "B": 0.2, "alpha": 0.06, "beta": 0.06}
    coefs = {name: centre[name] * np.exp(spread[name] * random.standard_normal(256)) for name in LAW.names}
    return {"law": LAW, "coefs": coefs, "flops": 1e24}


def test_a_decision_says_what_each_coef_is_worth(asked):
    found = js.decide(**asked)
    assert set(found.evppi) == set(LAW.names)
    assert all(0.0 <= value <= found.evpi[0] * 1.01 for value, _ in found.evppi.values())


def test_runs_that_show_nothing_are_worth_nothing_and_precise_ones_most(asked):
    runs = {"params": [1e9, 1e10], "tokens": [1e11, 1e11]}
    blind = js.planning.sample_worth(runs=runs, noise=100.0, **asked)
    rough = js.planning.sample_worth(runs=runs, noise=0.05, **asked)
    assert blind.gaussian == pytest.approx(0.0, abs=1e-8)
    assert abs(blind.value) <= 3.0 * blind.error
    assert blind.gaussian < rough.gaussian <= rough.evpi * 1.1
    assert rough.net(cost=1.0, worth=2.0) == 2.0 * rough.value - 1.0


def test_runs_that_tell_too_much_for_so_few_draws_have_no_value_but_a_reason(asked):
    found = js.planning.sample_worth(runs={"params": [1e9], "tokens": [1e11]}, noise=1e-5, **asked)
    assert np.isnan(found.value)
    assert "draws" in found.status
    assert found.gaussian > 0


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"noise": 0.0}, "noise = 0.0"),
        ({"noise": np.nan}, "noise = nan"),
        ({"runs": {"params": [1e9]}}, "params and tokens"),
        ({"runs": {"params": [1e9], "tokens": [-1.0]}}, "not positive"),
        ({"runs": {"params": [1e9, 2e9], "tokens": [1e10]}}, "shape"),
        ({"simulations": 1}, "simulations = 1"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(asked, changed, told):
    with pytest.raises(js.UsageError, match=told):
        js.planning.sample_worth(**{"runs": {"params": [1e9], "tokens": [1e10]}, "noise": 0.1, **asked, **changed})

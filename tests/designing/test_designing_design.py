"""`js.design`: derivatives against closed forms, the posterior of a linear law, stopping, and refusals."""

import numpy as np
import pytest
from designed import ASKED, COEFS, POOL, simulated_runs

import jaxscale as js
from jaxscale.allocation.uncertainty import excess_loss_near, gradient_of_log_params
from jaxscale.designing.posterior import Evidence, Prior, posterior
from jaxscale.designing.targets import best_sizes

KNOWN = {"law": "chinchilla", "coefs": COEFS}


@pytest.fixture(scope="module")
def runs():
    return simulated_runs()


def test_the_best_size_moves_as_the_closed_form_says():
    law, flops = js.LAWS.resolve("chinchilla"), np.array([1e22, 1e24])
    found = best_sizes(law, law.theta(COEFS)[None], flops, {})
    by_log = gradient_of_log_params(COEFS, flops)  # in ln A, ln B, ln E, alpha, beta
    scale = np.array([1.0, 1.0, 1.0, COEFS["alpha"], COEFS["beta"]])  # theta holds ln alpha and ln beta
    expected = (by_log * scale)[:, [2, 0, 1, 3, 4]]
    np.testing.assert_allclose(found.slope[0], expected, rtol=1e-7, atol=1e-9)
    per_square = excess_loss_near(COEFS, flops, ratio=np.e)
    np.testing.assert_allclose(0.5 * found.bend[0], per_square, rtol=1e-7)


def linear(x, *, a, b):
    """L = a + b x."""
    return a + b * x


def test_draws_of_a_linear_law_have_the_posterior_of_least_squares():
    law = js.Law("linear", linear, ("x",), (js.Coef("a", "real", (0.0, 4.0)), js.Coef("b", "real", (0.0, 4.0))))
    x = np.linspace(0.5, 2.0, 12)
    target = 1.0 + 2.0 * x + 0.1 * np.random.default_rng(0).standard_normal(12)
    prior = Prior(np.array([0.5, 1.0]), np.array([0.7, 0.6]))
    found = posterior(law, Evidence((x,), target, np.ones(12)), prior, space="linear", noise=0.1, draws=512, seed=2)
    design = np.stack([np.ones(12), x], axis=1)
    information = design.T @ design / 0.1**2 + np.diag(prior.std**-2.0)
    covariance = np.linalg.inv(information)
    mean = covariance @ (design.T @ target / 0.1**2 + prior.mean / prior.std**2)
    np.testing.assert_allclose(found.point, mean, rtol=1e-6)
    # 512 draws: a mean to 5 standard errors, a covariance to 5 times sqrt(2/512)
    np.testing.assert_array_less(np.abs(found.draws.mean(axis=0) - mean), 5 * np.sqrt(np.diag(covariance) / 512))
    np.testing.assert_allclose(np.cov(found.draws, rowvar=False), covariance, rtol=0.32)


@pytest.mark.parametrize("criterion", js.designing.CRITERIA)
def test_every_criterion_keeps_to_the_budget_and_lowers_what_it_reports(runs, criterion):
    target = {"params": [1e10], "tokens": [2e11]} if criterion == "prediction" else 1e23
    found = js.design(runs, law="chinchilla", **{**ASKED, "criterion": criterion, "target": target})
    assert 0 < found.cost <= 1e20 * (1 + 1e-9)
    assert len(set(found.rows)) == len(found.rows) == len(found.costs) == len(found.path) - 1
    assert found.after < found.before
    np.testing.assert_allclose(found.costs, 6 * (POOL["params"] * POOL["tokens"])[found.rows])
    assert found.to_frame()["cost"].sum() == pytest.approx(found.cost)


def test_a_fit_and_its_runs_lead_to_the_same_set(runs):
    fit = js.fit(runs, "chinchilla", objective=js.squared(space="log"))
    of_fit = js.design(fit, **ASKED)
    of_runs = js.design(runs, law="chinchilla", **ASKED)
    assert set(of_fit.rows) == set(of_runs.rows)


def test_the_default_is_judged_by_simulated_refits(runs):
    found = js.design(runs, law="chinchilla", **{**ASKED, "criterion": None})
    assert found.criterion == "regret"
    assert found.unit == "nats per token"
    assert found.judged[found.proposal] <= found.judged["regret"]
    assert np.isfinite(found.worth)


def test_a_run_that_tells_less_than_it_costs_is_not_bought(runs):
    asked = {**ASKED, "criterion": "regret"}
    whole = js.design(runs, law="chinchilla", **asked, worth=np.inf)
    nothing = js.design(runs, law="chinchilla", **asked, worth=0.0)
    assert len(nothing.rows) == 0
    assert "worth" in nothing.stopped
    half = js.design(runs, law="chinchilla", **asked, worth=3.0 * whole.cost / (whole.before - whole.after))
    gained = half.worth * (half.before - np.array(half.path)) - np.concatenate([[0.0], np.cumsum(half.costs)])
    assert np.argmax(gained) == len(half.rows)


def test_the_cooldowns_of_a_trunk_are_paid_with_one_trunk():
    trunk = {"trunk": np.array([f"N{place}" for place in np.arange(12) % 4])}
    cost = 6 * POOL["params"] * POOL["tokens"]
    pool = {**POOL, **trunk, "shared": 0.8 * cost}
    found = js.design(**KNOWN, **{**ASKED, "candidates": pool}, trunk="trunk", trunk_costs="shared")
    rows, own = found.rows, float(np.sum(0.2 * cost[found.rows]))
    names = trunk["trunk"][rows]
    trunks = sum(0.8 * cost[rows][names == name].max() for name in set(names))
    assert found.cost == pytest.approx(own + trunks)
    assert len(rows) >= len(js.design(**KNOWN, **ASKED).rows)


def test_the_same_seed_gives_the_same_design():
    one, two = (js.design(**KNOWN, **ASKED) for _ in range(2))
    np.testing.assert_array_equal(one.rows, two.rows)
    np.testing.assert_array_equal(one.path, two.path)


WRONG = [
    ({"budget": 0.0}, "budget = 0.0"),
    ({"budget": float("nan")}, "budget = nan"),
    ({"budget": 1.0}, "buys none of the candidates"),
    ({"target": None}, "needs target="),
    ({"target": -1e23}, "target:"),
    ({"target": float("nan")}, "target = nan"),
    ({"criterion": "best"}, "unknown criterion"),
    ({"criterion": "regret", "target": {"params": [1e9], "tokens": [1e10]}}, "not a region"),
    ({"costs": -1.0 * POOL["params"]}, "costs: "),
    ({"costs": np.full(12, np.nan)}, "costs = nan"),
    ({"costs": np.ones(3)}, "3 numbers for 12 candidates"),
    ({"costs": "price"}, "no column 'price'"),
    ({"noise": 0.0}, "noise = 0.0"),
    ({"spread": -1.0}, "spread = -1.0"),
    ({"worth": -1.0}, "worth = -1.0"),
    ({"seed": -1}, "seed = -1"),
    ({"trunk": "tokens"}, "trunk_costs="),
    ({"trunk": "tokens", "trunk_costs": np.full(12, 1e30)}, "more than the whole run costs"),
    ({"candidates": {"params": [1e8]}}, "tokens"),
    ({"candidates": {"params": [-1e8], "tokens": [1e10]}}, "params"),
    ({"candidates": {"params": [], "tokens": []}}, "there are none"),
    ({"law": None}, "law="),
    ({"coefs": None}, "coefs="),
]


@pytest.mark.parametrize(("changed", "told"), WRONG, ids=lambda one: str(one)[:40])
def test_what_is_invalid_is_refused_by_name(changed, told):
    with pytest.raises(js.UsageError) as refusal:
        js.design(**{**KNOWN, **ASKED, **changed})
    assert told.lower() in str(refusal.value).lower()


@pytest.mark.parametrize("criterion", ["n-opt", "regret"])
def test_budgets_at_which_the_law_has_no_optimum_are_refused(criterion):
    """Three FLOP do not train one param on one token."""
    candidates = {"params": np.geomspace(1e8, 1e9, 6), "tokens": np.full(6, 1e10)}
    known = {"law": "chinchilla", "coefs": "besiroglu2024", "criterion": criterion}
    with pytest.raises(js.UsageError, match="an optimum inside"):
        js.design(candidates=candidates, budget=5e19, target=3.0, **known)

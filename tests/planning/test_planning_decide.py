"""Decisions: dense searches over plans as witnesses of every risk, closed forms of what is wasted, and refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plans import LAW, loss
from scipy.optimize import minimize_scalar

import jaxscale as js
from jaxscale.planning import at_most
from jaxscale.planning.risk import tail_weights

FLOPS, DRAWS = 1e24, 256


@pytest.fixture(scope="module")
def coefs():
    """Draws wide enough that the plan of their mean is not the best one."""
    random, centre = np.random.default_rng(5), LAW.constants("besiroglu2024")
    spread = {"E": 0.02, "A": 0.2, "B": 0.2, "alpha": 0.06, "beta": 0.06}
    return {name: centre[name] * np.exp(spread[name] * random.standard_normal(DRAWS)) for name in LAW.names}


@pytest.fixture(scope="module")
def decision(coefs):
    return js.decide(
        law=LAW, coefs=coefs, flops=FLOPS, dollars_per_flop=1e-18, plans={"1e11": 1e11, "early": (1e11, 1e12)}
    )


def closed(flops, coefs):
    """Return N and D of the least loss on 6 N D (Hoffmann et al. 2022, eq. 4)."""
    total = coefs["alpha"] + coefs["beta"]
    ratio = coefs["alpha"] * coefs["A"] / (coefs["beta"] * coefs["B"])
    params = ratio ** (1 / total) * (flops / 6) ** (coefs["beta"] / total)
    return params, flops / 6 / params


def regret(params, coefs, flops=FLOPS):
    """Return the regret (R,) of a size on a budget, in NumPy."""
    return loss(params, flops / 6 / params, coefs) - loss(*closed(flops, coefs), coefs)


def test_the_plan_of_least_expected_regret_is_that_of_a_scalar_search(decision, coefs):
    found = minimize_scalar(
        lambda log_params: loss(np.exp(log_params), FLOPS / 6 / np.exp(log_params), coefs).mean(),
        bounds=np.log([1e9, 1e13]),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert np.log(decision.params) == pytest.approx(found.x, abs=1e-6)
    assert decision.best.loss.mean() <= found.fun * (1 + 1e-12)
    assert decision.risk == pytest.approx(regret(decision.params, coefs).mean(), abs=1e-12)
    assert decision.evpi[0] == decision.risk
    assert decision.evpi[1] == pytest.approx(regret(decision.params, coefs).std() / DRAWS**0.5)


@pytest.mark.parametrize("tail", [0.1, 0.0])
def test_the_worst_share_is_that_of_a_dense_search(coefs, tail):
    """The mean of the 25.6 worst draws of 256, and the worst one."""
    found = js.decide(law=LAW, coefs=coefs, flops=FLOPS, tail=tail)

    def risk(params):
        ordered = np.sort(regret(params, coefs))[::-1]
        taken = np.clip(max(tail * DRAWS, 1.0) - np.arange(DRAWS), 0.0, 1.0)
        return taken @ ordered / taken.sum()

    low, high = np.log([1e10, 1e12])
    for _ in range(5):
        grid = np.linspace(low, high, 401)
        values = [risk(params) for params in np.exp(grid)]
        at = int(np.argmin(values))
        low, high = grid[max(at - 1, 0)], grid[min(at + 1, 400)]
    assert found.risk == pytest.approx(min(values), abs=1e-9)
    assert found.risk == pytest.approx(risk(found.params), abs=1e-12)
    assert found.gap <= 1e-8
    assert found.evpi[0] < found.risk


def test_what_is_wasted_is_the_budget_less_one_that_reaches_the_same_loss(decision, coefs):
    for one in decision.regrets.values():
        spent = 6 * one.params * one.tokens
        enough = spent - one.flops
        np.testing.assert_allclose(loss(*closed(enough, coefs), coefs), loss(one.params, one.tokens, coefs), rtol=1e-9)
        np.testing.assert_array_equal(one.dollars, 1e-18 * one.flops)
    assert decision.regrets["1e11"].tokens == pytest.approx(FLOPS / 6 / 1e11, rel=1e-9)  # the most that are left


def test_shares_of_draws_and_the_curve_are_those_of_the_law(decision, coefs):
    share, error = decision.best.beats(decision.regrets["1e11"])
    is_better = regret(decision.params, coefs) < regret(1e11, coefs)
    assert (share, error) == pytest.approx((is_better.mean(), is_better.std() / DRAWS**0.5))
    np.testing.assert_allclose(decision.curve.nats[:, 7], regret(decision.curve.params[7], coefs), atol=1e-9)
    assert decision.binding == {"6nd at most": 1.0}
    ends = decision.best.interval("nats", level=0.9)
    np.testing.assert_array_equal(ends, np.quantile(decision.best.nats, [0.05, 0.95], method="inverted_cdf"))


def test_the_plan_is_better_than_the_plug_in_plan_on_draws_that_it_has_not_seen(decision):
    random, centre = np.random.default_rng(6), LAW.constants("besiroglu2024")
    spread = {"E": 0.02, "A": 0.2, "B": 0.2, "alpha": 0.06, "beta": 0.06}
    fresh = {name: centre[name] * np.exp(spread[name] * random.standard_normal(20_000)) for name in LAW.names}
    gain = regret(decision.regrets["plug-in"].params, fresh) - regret(decision.params, fresh)
    assert gain.mean() > 4 * gain.std() / len(gain) ** 0.5


def test_limits_hold_for_the_plan_and_say_how_often_they_bind(coefs):
    limits = [at_most("params", 5e10), at_most("tokens", 3e12)]
    found = js.decide(law=LAW, coefs=coefs, flops=FLOPS, limits=limits, plans={"too large": (1e11, 1e12)})
    assert found.params <= 5e10 * (1 + 1e-9)
    assert found.tokens <= 3e12 * (1 + 1e-9)
    assert found.regrets["too large"].exceeded == ("params at most",)
    own = closed(FLOPS, coefs)[0]
    assert found.binding["params at most"] >= (own > 5e10).mean()


@pytest.mark.parametrize("cap", [10.0, 1e3, 1e5, 1e8])
def test_a_cap_far_below_every_best_size_is_the_plan(coefs, cap):
    """Down to a loss of hundreds of nats: within a cap below every draw's own size each of them takes it all."""
    limits = [at_most("params", cap), at_most("tokens", 1e30)]
    found = js.decide(law=LAW, coefs=coefs, flops=FLOPS, limits=limits)
    assert (found.params, found.tokens) == pytest.approx((cap, FLOPS / 6 / cap), rel=1e-8)
    assert found.binding["params at most"] == 1.0


@pytest.mark.slow
def test_laws_count_by_their_weights(coefs):
    """With all the weight on one law the plan is that law's; with draws of both, the cheapest on average."""
    runs = js.simulate("chinchilla", LAW.constants("besiroglu2024"), columns=_grid(), noise=0.01, seed=1)
    first = js.bootstrap(js.fit(runs, "chinchilla"), replicates=64, seed=1)
    second = js.bootstrap(js.fit(runs, "chinchilla-tied"), replicates=64, seed=1)
    alone = js.decide(first, flops=FLOPS)
    both = js.decide([first, second], flops=FLOPS)
    np.testing.assert_allclose(js.decide([first, second], flops=FLOPS, weights=[1, 0]).params, alone.params, rtol=1e-6)
    assert tuple(one.name for one in both.laws) == ("chinchilla", "chinchilla-tied")
    assert both.best.nats @ both.best.weight <= alone.best.nats.mean() * 0.5 + _regret_of(second, alone.params) * 0.5
    assert both.evpi[0] > 0


def _grid():
    params, ratio = np.meshgrid(np.geomspace(1e7, 1e10, 6), np.geomspace(2, 200, 5))
    return {"params": params.ravel(), "tokens": (params * ratio).ravel()}


def _regret_of(ensemble, params):
    return js.decide(ensemble, flops=FLOPS, plans={"it": params}).regrets["it"].expected()[0]


@given(
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20),
    st.just(0.0) | st.floats(1e-6, 1.0),
    st.integers(min_value=0, max_value=99),
)
def test_the_weights_of_the_worst_share_give_its_mean(values, tail, seed):
    """Largest among all weightings of at most 1/tail times the draws' own (Rockafellar & Uryasev 2000)."""
    values = np.array(values)
    own = np.random.default_rng(seed).dirichlet(np.ones(len(values)))
    found = tail_weights(values, own, tail)
    assert found.sum() == pytest.approx(1.0)
    assert (found >= 0).all()
    assert tail == 0.0 or (found <= own / tail + 1e-12).all()
    levels = np.append(values, values.max())
    if tail:
        dual = min(level + own @ np.maximum(values - level, 0.0) / tail for level in levels)
        assert found @ values == pytest.approx(dual, abs=1e-9)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"tail": 1.5}, "tail = 1.5"),
        ({"tail": np.nan}, "tail = nan"),
        ({"dollars_per_flop": -1.0}, "dollars_per_flop = -1.0"),
        ({"flops": [1e20, 1e21]}, "one budget"),
        ({"flops": -1.0}, "flops = -1.0"),
        ({"plans": {"it": 0.0}}, "plans: 'it' = 0.0"),
        ({"plans": {"it": (1e9, np.nan)}}, "plans: 'it'"),
        ({"plans": {"best": 1e9}}, "plans: 'best'"),
        ({"plans": {"it": 1e30}}, "no amount of tokens keeps 1e\\+30 params"),
        ({"weights": [1.0, 1.0]}, "weights = "),
        ({"limits": [at_most("params", 1e6), js.planning.at_least("params", 1e8)]}, "no draw has a best plan"),
    ],
)
def test_what_cannot_be_decided_is_refused_by_name(coefs, asked, told):
    with pytest.raises(js.UsageError, match=told):
        js.decide(law=LAW, coefs=coefs, **{"flops": FLOPS, **asked})


def test_draws_are_arrays_of_one_length(coefs):
    with pytest.raises(js.UsageError, match=r"E has the shape \(3,\)"):
        js.decide(law=LAW, coefs={**coefs, "E": np.ones(3)}, flops=FLOPS)
    with pytest.raises(js.UsageError, match="arrays"):
        js.decide(flops=FLOPS)

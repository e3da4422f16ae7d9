"""Tables whose compute is not 6 N D: every approach spends what the table says."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from surfaces import PRINTED, profiles_on

import jaxscale as js
from jaxscale.approaches import agreement, fit_trend, isoflop, trend_of
from jaxscale.approaches.lines import below_six, price_of
from jaxscale.costs.training import SIX, Price

K, U = 30.0, 0.95
BUDGETS = np.array([6e18, 1e20, 3e21])


def best_of(flops):
    """The size with the lowest loss on C = 30 N^0.95 D, by SciPy."""

    def loss(log_params):
        tokens = flops / (K * np.exp(U * log_params))
        return sum(PRINTED[s] * np.exp(-PRINTED[e] * x) for s, e, x in
                   (("A", "alpha", log_params), ("B", "beta", np.log(tokens))))  # fmt: skip

    return np.exp(
        minimize_scalar(loss, bounds=(np.log(1e6), np.log(1e12)), method="bounded", options={"xatol": 1e-10}).x
    )


@pytest.fixture(scope="module")
def dear():
    params = np.concatenate([best_of(flops) * np.geomspace(0.5, 2.0, 15) for flops in BUDGETS])
    flops = np.repeat(BUDGETS, 15)
    columns = {"params": params, "tokens": flops / (K * params**U), "flops": flops, "budget": flops}
    return js.simulate("chinchilla", PRINTED, columns=columns)


def test_the_price_of_a_table_is_read_off_it(dear):
    price = price_of(dear)
    np.testing.assert_allclose([price.k, price.u], [K, U], rtol=1e-9)


def test_six_params_tokens_stays_exactly_that():
    runs = profiles_on(PRINTED, 4)
    written = js.Runs.from_arrays(
        params=runs["params"], tokens=runs["tokens"], loss=runs.loss,
        flops=np.array([float(f"{one:.3g}") for one in runs["flops"]]),
    )  # fmt: skip
    assert price_of(runs) == price_of(written) == SIX
    assert price_of(js.Runs.from_arrays(params=runs["params"], tokens=runs["tokens"], loss=runs.loss)) == SIX


def test_rows_without_a_number_or_a_weight_have_no_say_in_the_price(dear):
    columns = {name: np.array(dear[name]) for name in ("params", "tokens", "flops")}
    columns["flops"][3] = np.nan
    columns["flops"][5] *= 100.0
    weight = np.ones(len(dear))
    weight[5] = 0.0
    runs = replace(dear, columns={**dear.columns, **columns}, weight=weight)
    np.testing.assert_allclose(price_of(runs), [K, U, 1.0], rtol=1e-9)


def test_a_column_of_budgets_is_the_price_where_it_is_named():
    runs = profiles_on(PRINTED, 4)
    columns = {name: runs[name] for name in ("params", "tokens")}
    dear = js.Runs.from_arrays(loss=runs.loss, budget=9.0 * runs["params"] * runs["tokens"], **columns)
    assert price_of(dear) == SIX
    np.testing.assert_allclose(price_of(dear, "budget"), [9.0, 1.0, 1.0], rtol=1e-9)


def test_profiles_off_their_centre_buy_tokens_at_the_price_of_their_best_size():
    """The same sizes at every budget of C = 30 N^0.9 D: tokens grow as C^(1 - 0.9 a), not C^(1 - a)."""
    budgets, sizes = np.geomspace(1e19, 1e22, 4), np.geomspace(5e7, 2e10, 25)
    params, flops = np.tile(sizes, 4), np.repeat(budgets, 25)
    columns = {"params": params, "tokens": flops / (30.0 * params**0.9), "flops": flops}
    runs = js.simulate("chinchilla", PRINTED, columns=columns)
    found = isoflop(runs, method="akima")
    np.testing.assert_allclose(found.tokens, found.flops / (30.0 * found.params**0.9), rtol=1e-9)
    exponent = float(found.trend.params.exponent)
    np.testing.assert_allclose(float(found.trend.tokens.exponent), 1.0 - 0.9 * exponent, rtol=1e-6)


def test_a_price_that_has_fallen_below_six_is_named(dear):
    trend = trend_of(PRINTED, price_of(dear))
    assert below_six(price_of(dear), trend, np.array([1e20])) == ()  # 30 N^-0.05 is 11 at 3e8 params
    (finding,) = below_six(Price(k=16.2, u=0.938), trend_of(PRINTED, Price(k=16.2, u=0.938)), np.array([1e13, 1e22]))
    assert finding.code == "price-extrapolated"
    assert "at 1e+22 FLOP" in finding.message
    assert below_six(SIX, trend_of(PRINTED), np.array([1e30])) == ()


def test_a_table_of_one_size_has_no_exponent_of_size():
    tokens = np.geomspace(1e9, 1e11, 9)
    price = price_of(
        js.Runs.from_arrays(params=np.full(9, 1e8), tokens=tokens, flops=8e8 * tokens, loss=2 + 1 / tokens)
    )
    assert price.u == 1.0
    np.testing.assert_allclose(price.k, 8.0, rtol=1e-12)


@pytest.mark.slow
def test_the_fit_finds_the_best_size_at_the_tables_own_price(dear):
    at = np.array([1e21, 5.76e23])
    trend = fit_trend(js.fit(dear))
    best = np.array([best_of(flops) for flops in at])
    np.testing.assert_allclose(trend.params.at(at), best, rtol=1e-6)
    np.testing.assert_allclose(trend.tokens.at(at), at / (K * best**U), rtol=1e-6)


@pytest.mark.slow
def test_profiles_and_fit_agree_where_compute_is_not_six_params_tokens(dear):
    """A cubic through sizes within a factor of two misses by less than 0.1 %; at 6 N D it would be a third and more."""
    found = agreement(dear, flops=1e20, budget="budget", method="cubic", replicates=30)
    (difference,) = found.differences()
    np.testing.assert_allclose(difference.params, 1.0, atol=1e-3)
    np.testing.assert_allclose(found.approaches[0].bias.at(np.array([1e20])), 0.0, atol=1e-3)

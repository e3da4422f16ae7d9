"""The separable law's algebra against argmin, finite differences and the general search. Formulas: laws.md C0."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

import jaxscale as js
from jaxscale.allocation import allocate, separable, uncertainty
from jaxscale.costs.training import Price
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS

CHINCHILLA, TIED = LAWS.resolve("chinchilla"), LAWS.resolve("chinchilla-tied")
REFIT = CHINCHILLA.constants("besiroglu2024")
SIZED = Price(k=2.0, u=1.3, v=0.8)

law_coefs = st.fixed_dictionaries(
    {
        "E": st.floats(0.1, 3.0),
        "A": st.floats(10.0, 1e4),
        "B": st.floats(10.0, 1e4),
        "alpha": st.floats(0.15, 0.7),
        "beta": st.floats(0.15, 0.7),
    }
)
prices = st.builds(Price, k=st.floats(1.0, 10.0), u=st.floats(0.6, 1.6), v=st.floats(0.6, 1.6))
budgets = st.floats(20.0, 26.0).map(lambda power: 10.0**power)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def loss_of(coefs, params, tokens):
    beta = coefs.get("beta", coefs["alpha"])
    return coefs["E"] + coefs["A"] * params ** -coefs["alpha"] + coefs["B"] * tokens**-beta


def loss_on(coefs, flops, price, log_params):
    params = np.exp(log_params)
    tokens = (flops / price.k * params**-price.u) ** (1 / price.v)
    return loss_of(coefs, params, tokens)


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("besiroglu2024", {"params": 7.2248703e10, "tokens": 1.3287436e12, "loss": 1.9744411, "scale": 0.11962985}),
        ("hoffmann2022-tex", {"params": 4.0360938e10}),
        ("hoffmann2022", {"params": 3.2189859e10}),
    ],
)
def test_the_self_checks_6_and_7_of_the_reference_hold(name, want):
    """laws.md (c), rows 6 and 7, at 5.76e23 FLOP."""
    best = separable.optimum(CHINCHILLA.constants(name), 5.76e23)
    for field, value in want.items():
        assert float(getattr(best, field)) == pytest.approx(value, rel=1e-7 if field == "loss" else 1e-6), field
    ratio = {"besiroglu2024": 18.391245, "hoffmann2022-tex": 58.931667, "hoffmann2022": 92.647367}[name]
    assert float(best.tokens / best.params) == pytest.approx(ratio, rel=1e-6)


@settings(deadline=None, max_examples=30)
@given(coefs=law_coefs, price=prices, flops=budgets)
def test_the_optimum_is_the_argmin_on_every_price(coefs, price, flops):
    best = separable.optimum(coefs, flops, price)
    place = float(np.log(best.params))
    reducible = {**coefs, "E": 0.0}  # the floor would drown it in rounding
    found = minimize_scalar(
        lambda x: loss_on(reducible, flops, price, x), bracket=(place - 1, place + 0.3), options={"xtol": 1e-9}
    )
    assert found.x == pytest.approx(place, abs=1e-6)  # a minimum is known to the root of rounding
    assert float(price.k * best.params**price.u * best.tokens**price.v) == pytest.approx(flops, rel=1e-12)
    assert float(best.loss) == pytest.approx(loss_of(coefs, float(best.params), float(best.tokens)), rel=1e-12)
    terms = (
        coefs["A"] * float(best.params) ** -coefs["alpha"],
        loss_of({**reducible, "A": 0.0}, 1.0, float(best.tokens)),
    )
    assert float(best.share) == pytest.approx(
        terms[0] / sum(terms), rel=1e-9
    )  # of the loss itself the floor takes digits


@pytest.mark.parametrize("law", [CHINCHILLA, TIED], ids=lambda law: law.name)
def test_the_closed_form_is_what_the_general_search_finds(law):
    for one in law.published:
        coefs = law.constants(one.name)
        found, best = allocate(law, coefs, flops=1e22), separable.optimum(coefs, 1e22)
        np.testing.assert_allclose([best.params, best.tokens, best.loss], found[1:4], rtol=1e-9)


def test_the_least_compute_for_a_loss_is_the_inverse_of_the_frontier():
    flops = np.geomspace(1e18, 1e26, 9)
    for price in (separable.SIX, SIZED):
        loss = separable.optimum(REFIT, flops, price).loss
        np.testing.assert_allclose(separable.flops_to_reach(REFIT, loss, price), flops, rtol=1e-9)
    assert np.isnan(separable.flops_to_reach(REFIT, REFIT["E"] - 0.01))
    assert np.isinf(separable.flops_to_reach(REFIT, REFIT["E"]))


def test_the_contour_is_the_isoloss_of_the_verb_and_ends_at_its_limits():
    sizes = np.geomspace(2e9, 1e12, 5)
    tokens = np.asarray(separable.tokens_to_reach(REFIT, 2.1, params=sizes))
    np.testing.assert_allclose(tokens, js.isoloss(law=CHINCHILLA, coefs=REFIT, loss=2.1, params=sizes)[0], rtol=1e-9)
    np.testing.assert_allclose(loss_of(REFIT, sizes, tokens), 2.1, rtol=1e-13)
    least = float(separable.least_params(REFIT, 2.1))
    assert np.isnan(separable.tokens_to_reach(REFIT, 2.1, params=0.999 * least))
    assert separable.tokens_to_reach(REFIT, 2.1, params=1.000001 * least) > 1e20
    assert loss_of(REFIT, least, 1e60) == pytest.approx(2.1, rel=1e-9)
    assert loss_of(REFIT, 1e60, float(separable.least_tokens(REFIT, 2.1))) == pytest.approx(2.1, rel=1e-9)


@settings(deadline=None, max_examples=30)
@given(coefs=law_coefs, price=prices, flops=budgets, ratio=st.floats(0.9, 8.0))
def test_the_overhead_of_another_size_is_what_the_contour_costs(coefs, price, flops, ratio):
    best = separable.optimum(coefs, flops, price)
    if ratio <= float(uncertainty.least_ratio(coefs, price)) * 1.05:
        return
    params = ratio * best.params
    tokens = separable.tokens_to_reach(coefs, best.loss, params=params)
    spent = price.k * params**price.u * tokens**price.v
    assert float(uncertainty.overhead(coefs, ratio, price)) == pytest.approx(float(spent / flops), rel=1e-6)
    tokens = (flops / price.k * params**-price.u) ** (1 / price.v)
    excess = loss_of(coefs, float(params), float(tokens)) - float(best.loss)
    found = uncertainty.excess_loss(coefs, flops, ratio=ratio, price=price)
    assert float(found) == pytest.approx(excess, rel=1e-6, abs=1e-13)


@pytest.mark.parametrize("price", [separable.SIX, SIZED])
def test_second_order_is_the_curvature_of_the_exact_overheads(price):
    def of_loss(x):
        return jnp.log(uncertainty.overhead(REFIT, jnp.exp(x), price))

    def of_compute(x):
        return uncertainty.excess_loss(REFIT, 1e22, ratio=jnp.exp(x), price=price)

    near = uncertainty.overhead_near(REFIT, jnp.e, price)
    near_loss = uncertainty.excess_loss_near(REFIT, 1e22, ratio=jnp.e, price=price)
    for exact, second in zip((of_loss, of_compute), (near, near_loss), strict=True):
        assert float(jax.grad(exact)(0.0)) == pytest.approx(0.0, abs=1e-12)
        assert float(jax.grad(jax.grad(exact))(0.0)) == pytest.approx(2 * float(second), rel=1e-10)
    if price == separable.SIX:
        s = REFIT["alpha"] + REFIT["beta"]
        assert float(near) == pytest.approx(s / 2, rel=1e-12)


def test_below_the_least_ratio_no_compute_suffices():
    least = float(uncertainty.least_ratio(REFIT))
    assert least == pytest.approx((REFIT["beta"] / (REFIT["alpha"] + REFIT["beta"])) ** (1 / REFIT["alpha"]), rel=1e-12)
    assert np.isnan(uncertainty.overhead(REFIT, 0.999 * least))
    assert uncertainty.overhead(REFIT, 1.001 * least) > 100


def test_the_elasticity_of_substitution_is_that_of_the_contour():
    """sigma = -d ln(N/D) / d ln((dL/dN)/(dL/dD)) along the contour, by central differences."""
    params, tokens = 3e9, 4e10
    level = loss_of(REFIT, params, tokens)

    def logs(x):
        size = np.exp(x)
        data = brentq(lambda d: loss_of(REFIT, size, np.exp(d)) - level, 15, 40, xtol=1e-14)
        slopes = jax.grad(lambda n, d: loss_of(REFIT, n, d), argnums=(0, 1))(size, np.exp(data))
        return x - data, float(np.log(slopes[0] / slopes[1]))

    (ratio_low, slope_low), (ratio_high, slope_high) = (logs(np.log(params) + h) for h in (-1e-3, 1e-3))
    want = -(ratio_high - ratio_low) / (slope_high - slope_low)
    assert float(uncertainty.substitution(REFIT, params=params, tokens=tokens)) == pytest.approx(want, rel=1e-5)
    best = separable.optimum(REFIT, 1e22)
    on = float(uncertainty.substitution(REFIT, params=best.params, tokens=best.tokens))
    assert on == pytest.approx(2 / (REFIT["alpha"] + REFIT["beta"] + 2), rel=1e-12)


def by_theta(coefs, theta, flops):
    names = ("A", "B", "E", "alpha", "beta")[: len(theta)]
    values = [jnp.exp(one) if name in "ABE" else one for name, one in zip(names, theta, strict=True)]
    return jnp.log(separable.optimum(dict(zip(names, values, strict=True)), flops).params)


@pytest.mark.parametrize("law", [CHINCHILLA, TIED], ids=lambda law: law.name)
def test_the_gradient_of_the_best_size_is_that_of_the_closed_form(law):
    coefs = law.constants(law.published[-1].name)
    theta = jnp.array([np.log(coefs[n]) if n in "ABE" else coefs[n] for n in ("A", "B", "E", "alpha", "beta")
                       if n in coefs])  # fmt: skip
    for flops in (1e18, 1e21, 1e25):
        got = uncertainty.gradient_of_log_params(coefs, flops)
        np.testing.assert_allclose(
            got, jax.grad(lambda t, C=flops: by_theta(coefs, t, C))(theta), rtol=1e-9, atol=1e-12
        )


def test_the_pivot_is_where_the_variance_is_smallest():
    random = np.random.default_rng(3)
    root = random.normal(size=(5, 5)) * np.array([0.3, 0.4, 0.02, 0.02, 0.02])[:, None]
    covariance = root @ root.T
    found = minimize_scalar(
        lambda x: float(uncertainty.variance_of_log_params(REFIT, covariance, np.exp(x))), bracket=(40.0, 50.0)
    )
    assert np.log(float(uncertainty.pivot_flops(REFIT, covariance))) == pytest.approx(found.x, abs=1e-4)


def test_the_expected_waste_is_the_mean_overhead_of_sizes_that_miss():
    miss = 0.05 * np.random.default_rng(1).standard_normal(20_000)
    wasted = float(np.mean(np.log(uncertainty.overhead(REFIT, np.exp(miss)))))
    assert float(uncertainty.expected_waste(REFIT, 0.05**2)) == pytest.approx(
        wasted, rel=0.05
    )  # third order, and 1 % noise


def test_coefs_may_be_named_and_none_is_put_in_the_place_of_another():
    named, given = separable.optimum("besiroglu2024", 1e22), separable.optimum(REFIT, 1e22)
    assert float(named.params) == pytest.approx(float(given.params), rel=1e-14)
    assert float(separable.exponents("muennighoff2023").params) == 0.5  # tied
    with pytest.raises(UsageError, match="missing: A, B"):
        separable.exponents({"E": 1.7, "alpha": 0.3, "beta": 0.3})
    with pytest.raises(UsageError, match="besiroglu2024"):
        separable.optimum("besiroglu2025", 1e22)


def test_plain_numbers_are_computed_in_float64_whatever_the_callers_settings():
    with jax.enable_x64(False):
        for found in (separable.optimum(REFIT, 1e39), uncertainty.excess_loss(REFIT, 1e21, ratio=1.001)):
            assert all(np.asarray(number).dtype == np.float64 for number in jax.tree.leaves(found))
        assert allocate("chinchilla", REFIT, flops=10**40).params.dtype == np.float64
        assert separable.optimum(REFIT, jnp.float32(1e22)).params.dtype == jnp.float32
    assert separable.optimum(REFIT, jnp.float32(1e22)).params.dtype == jnp.float32


@pytest.mark.parametrize("step", [1e-3, 1e-6, 1e-8])
def test_the_excess_beside_the_optimum_is_of_second_order(step):
    """Both terms are one at the optimum: their difference must not be taken from numbers near one."""
    found = float(uncertainty.excess_loss(REFIT, 1e21, ratio=1.0 + step))
    near = float(uncertainty.excess_loss_near(REFIT, 1e21, ratio=1.0 + step))
    assert found == pytest.approx(near, rel=max(step, 1e-7))

"""The numerical optimum against the closed form of the separable law, and its derivatives against the analytic ones.

laws.md C0: G = (alpha A / (beta B))^(1/s), s = alpha + beta;   N = G (C/6)^(beta/s),   D = (C/6)^(alpha/s) / G,
L = E + (A G^-alpha + B G^beta) (C/6)^(-alpha beta / s).
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jaxscale as js
from jaxscale import precision
from jaxscale.allocation import allocate
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS

CHINCHILLA = LAWS.resolve("chinchilla")
PRINTED = {one.name: dict(zip(CHINCHILLA.names, one.values, strict=True)) for one in CHINCHILLA.published}
REFIT = PRINTED["besiroglu2024"]
BUDGETS = np.geomspace(1e18, 1e26, 9)

coefs_of_the_law = st.fixed_dictionaries(
    {
        "E": st.floats(0.01, 3.0),
        "A": st.floats(10.0, 1e4),
        "B": st.floats(10.0, 1e4),
        "alpha": st.floats(0.15, 0.7),
        "beta": st.floats(0.15, 0.7),
    }
)


def closed_form(coefs, flops):
    E, A, B, alpha, beta = (coefs[name] for name in ("E", "A", "B", "alpha", "beta"))
    s, product = alpha + beta, np.asarray(flops) / 6
    G = (alpha * A / (beta * B)) ** (1 / s)
    loss = E + (A * G**-alpha + B * G**beta) * product ** (-alpha * beta / s)
    return G * product ** (beta / s), product ** (alpha / s) / G, loss


def gradient_of_log_params(coefs, flops):
    A, B, alpha, beta = (coefs[name] for name in ("A", "B", "alpha", "beta"))
    s, q = alpha + beta, np.log(flops / 6)
    g = np.log(alpha * A / (beta * B)) / s
    return {
        "E": 0.0,
        "A": 1 / (s * A),
        "B": -1 / (s * B),
        "alpha": 1 / (alpha * s) - g / s - beta * q / s**2,
        "beta": -1 / (beta * s) - g / s + alpha * q / s**2,
    }


@settings(deadline=None, max_examples=60)
@given(coefs=coefs_of_the_law)
def test_the_frontier_is_the_closed_form(coefs):
    front = js.frontier(law="chinchilla", coefs=coefs, flops=BUDGETS)
    params, tokens, loss = closed_form(coefs, BUDGETS)
    is_inside = (params > 10) & (tokens > 10)  # between one param and one token: elsewhere the frontier is silent
    np.testing.assert_allclose(front.params[is_inside], params[is_inside], rtol=1e-9)
    np.testing.assert_allclose(front.tokens[is_inside], tokens[is_inside], rtol=1e-9)
    np.testing.assert_allclose(front.loss[is_inside], loss[is_inside], rtol=1e-12)


def test_the_self_checks_of_the_reference_hold():
    """laws.md (c) 6 and 7, at Chinchilla's compute."""
    refit, tex, rounded = (
        js.frontier(law="chinchilla", coefs=PRINTED[name], flops=5.76e23)
        for name in ("besiroglu2024", "hoffmann2022-tex", "hoffmann2022")
    )
    close = {"rel": 1e-6}
    assert refit.params[0] == pytest.approx(7.2248703e10, **close)
    assert refit.tokens[0] == pytest.approx(1.3287436e12, **close)
    assert refit.tokens_per_param[0] == pytest.approx(18.391245, **close)
    assert refit.loss[0] == pytest.approx(1.9744411, **close)
    assert tex.params[0] == pytest.approx(4.0360938e10, **close)
    assert tex.tokens_per_param[0] == pytest.approx(58.931667, **close)
    assert rounded.params[0] == pytest.approx(3.2189859e10, **close)
    assert rounded.tokens_per_param[0] == pytest.approx(92.647367, **close)
    G = refit.params[0] / (5.76e23 / 6) ** (REFIT["beta"] / (REFIT["alpha"] + REFIT["beta"]))
    assert pytest.approx(0.11962985, **close) == G


def test_the_budget_is_spent_exactly():
    front = js.frontier(law="kaplan", coefs=KAPLAN, flops=BUDGETS)
    np.testing.assert_allclose(6 * front.params * front.tokens, BUDGETS, rtol=1e-13)


@pytest.fixture(scope="module")
def log_params():
    """ln N and its gradient, compiled once: jit around grad around allocate, as a caller writes it."""
    return jax.jit(jax.value_and_grad(lambda coefs, flops: allocate("chinchilla", coefs, flops=flops).log_params))


@settings(deadline=None, max_examples=60)
@given(coefs=coefs_of_the_law, decades=st.floats(20, 26))
def test_the_gradient_of_ln_params_is_the_analytic_one(log_params, coefs, decades):
    flops = 10.0**decades
    params, tokens, _ = closed_form(coefs, flops)
    if min(params, tokens) < 10:
        return
    with jax.enable_x64(True):
        value, slopes = log_params(coefs, flops)
    assert float(value) == pytest.approx(np.log(params), rel=1e-9)
    want = gradient_of_log_params(coefs, flops)
    scale = max(abs(coefs[name] * want[name]) for name in want)
    for name, slope in slopes.items():
        assert coefs[name] * float(slope) == pytest.approx(coefs[name] * want[name], rel=1e-9, abs=1e-9 * scale), name


def test_ln_params_grows_with_ln_compute_at_the_published_rate():
    with jax.enable_x64(True):
        rate = jax.grad(lambda x: allocate(CHINCHILLA, REFIT, flops=jnp.exp(x)).log_params)(np.log(5.76e23))
    assert float(rate) == pytest.approx(REFIT["beta"] / (REFIT["alpha"] + REFIT["beta"]), rel=1e-9)


def test_the_loss_falls_with_compute_as_the_envelope_theorem_says():
    """dL*/d ln C = -gamma (L* - E), gamma = alpha beta / s; and dL*/dcoef is the partial derivative at the optimum."""
    with jax.enable_x64(True):
        slope = jax.grad(lambda x: allocate(CHINCHILLA, REFIT, flops=jnp.exp(x)).loss)(np.log(1e22))
        of_coefs = jax.grad(lambda coefs: allocate(CHINCHILLA, coefs, flops=1e22).loss)(REFIT)
    params, tokens, loss = closed_form(REFIT, 1e22)
    gamma = REFIT["alpha"] * REFIT["beta"] / (REFIT["alpha"] + REFIT["beta"])
    assert float(slope) == pytest.approx(-gamma * (loss - REFIT["E"]), rel=1e-9)
    assert float(of_coefs["E"]) == pytest.approx(1.0, rel=1e-12)
    assert float(of_coefs["A"]) == pytest.approx(params ** -REFIT["alpha"], rel=1e-9)
    assert float(of_coefs["beta"]) == pytest.approx(-REFIT["B"] * np.log(tokens) * tokens ** -REFIT["beta"], rel=1e-9)


def test_second_derivatives_exist_and_are_right():
    with jax.enable_x64(True):
        bend = jax.hessian(lambda a: allocate(CHINCHILLA, {**REFIT, "A": a}, flops=1e22).log_params)(REFIT["A"])
    s = REFIT["alpha"] + REFIT["beta"]
    assert float(bend) == pytest.approx(-1 / (s * REFIT["A"] ** 2), rel=1e-9)


def test_allocate_works_under_jit_vmap_and_in_single_precision():
    many = jax.jit(jax.vmap(lambda flops: allocate(CHINCHILLA, REFIT, flops=flops)))
    with jax.enable_x64(True):
        found = many(jnp.asarray(BUDGETS))
    np.testing.assert_allclose(found.params, closed_form(REFIT, BUDGETS)[0], rtol=1e-9)
    single = many(jnp.asarray(BUDGETS, jnp.float32))
    assert single.log_params.dtype == np.float32
    np.testing.assert_allclose(single.loss, closed_form(REFIT, BUDGETS)[2], rtol=1e-5)
    # a loss flat to eps within sqrt(eps) of its minimum, but the root of its slope is sharper
    np.testing.assert_allclose(single.log_params, np.log(closed_form(REFIT, BUDGETS)[0]), rtol=1e-5)


KAPLAN = {"N_c": 6.4e13, "D_c": 1.8e13, "alpha_N": 0.076, "alpha_D": 0.103}


def test_kaplans_optimum_is_stationary_and_grows_with_the_exponent_of_the_reference():
    """laws.md K5: N ∝ C^(1/(1 + alpha_N/alpha_D)) on C = 6 N D, 0.575 with table 2."""
    front = js.frontier(law="kaplan", coefs=KAPLAN, flops=BUDGETS)
    ratio = KAPLAN["alpha_N"] / KAPLAN["alpha_D"]
    size_term, data_term = (KAPLAN["N_c"] / front.params) ** ratio, KAPLAN["D_c"] / front.tokens
    np.testing.assert_allclose(ratio * size_term, data_term, rtol=1e-9)  # d/d ln N of the bracket is zero
    rates = np.diff(np.log(front.params)) / np.diff(np.log(BUDGETS))
    np.testing.assert_allclose(rates, 1 / (1 + ratio), rtol=1e-9)
    assert rates[0] == pytest.approx(0.575, abs=5e-4)


def test_the_optimum_of_a_tied_law_keeps_tokens_per_param_constant():
    coefs = {"E": 1.87, "A": 520.8, "B": 1487.6, "alpha": 0.3527}
    front = js.frontier(law="chinchilla-tied", coefs=coefs, flops=BUDGETS)
    np.testing.assert_allclose(front.tokens_per_param, (1487.6 / 520.8) ** (1 / 0.3527), rtol=1e-8)


def pooled(params, tokens, flops, *, a, b):
    """A law that wants all three, with N / D = (a / b)^2 at the optimum whatever C: a / N^½ + b / D^½ plus f(C)."""
    return a * params**-0.5 + b * tokens**-0.5 + 1e10 * flops**-0.5


def test_a_users_law_is_allocated_like_any_other():
    law = js.Law("pooled", pooled, ("params", "tokens", "flops"), (js.Coef("a"), js.Coef("b")))
    front = js.frontier(law=law, coefs={"a": 3.0, "b": 1.0}, flops=[1e12, 1e20])
    np.testing.assert_allclose(front.params / front.tokens, 9.0, rtol=1e-8)


def test_a_missing_coef_is_refused_by_name():
    with pytest.raises(UsageError, match="missing: alpha, beta"):
        allocate("chinchilla", {"E": 1.0, "A": 1.0, "B": 1.0}, flops=1e20)


def test_a_budget_may_be_a_whole_number():
    with precision.float64():
        params = float(allocate(CHINCHILLA, REFIT, flops=10**24).params)
    assert params == pytest.approx(closed_form(REFIT, 1e24)[0], rel=1e-9)


@pytest.mark.parametrize("name", ["pure-power-params", "power", "power-tokens"])
def test_a_law_without_a_trade_off_cannot_be_allocated(name):
    with pytest.raises(UsageError, match=f"law '{name}' takes .*are traded in it"):
        allocate(name, {}, flops=1e20)

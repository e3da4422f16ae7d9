"""The descendants of the separable law: their identities, their limits, and the numbers of the reference."""

import jax
import numpy as np
import pytest

import jaxscale as js
from jaxscale import precision
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS, Input
from jaxscale.laws.broken import broken, broken_once
from jaxscale.laws.chinchilla import optimal_tokens_per_param, under_chance
from jaxscale.laws.embeddings import OMEGA, non_embedding_params, total_params
from jaxscale.laws.predicting import random_coefs
from jaxscale.laws.repeated import decayed, effective, fed_params
from jaxscale.laws.transfer import transferred

RANDOM = np.random.default_rng(4)
PARAMS, TOKENS = np.exp(RANDOM.uniform(16, 24, 40)), np.exp(RANDOM.uniform(19, 28, 40))
TIED = LAWS.resolve("chinchilla-tied").constants("muennighoff2023")
REPEATED = LAWS.resolve("data-constrained").constants("muennighoff2023")
BASE = {name: REPEATED[name] for name in ("A", "B", "alpha", "beta")}


@pytest.fixture(autouse=True)
def in_float64():
    with precision.float64():
        yield


def test_params_without_embeddings_are_the_inverse_of_total_ones():
    params = np.geomspace(1e2, 1e13, 60)
    for omega in (1e3, OMEGA, 1e6):
        np.testing.assert_allclose(non_embedding_params(total_params(params, omega), omega), params, rtol=1e-13)


def test_the_slopes_of_the_map_and_of_its_inverse_are_reciprocal():
    for params in (1e3, 1e7, 1e11):
        there = jax.grad(total_params)(params)
        back = jax.grad(non_embedding_params)(total_params(params))
        assert float(there) == pytest.approx(1 + OMEGA / 3 * params ** (-2 / 3), rel=1e-13)
        assert float(there * back) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize(("constants", "exponent"), [("pearce2024-besiroglu", 0.78), ("pearce2024-hoffmann", 0.74)])
def test_the_exponent_of_kaplan_appears_over_the_sizes_that_kaplan_trained(constants, exponent):
    """Pearce & Song: 100 budgets from 10^12.95 to 10^20.7 FLOP, which want 790 to 1.58e9 params, as in their code."""
    budgets = np.logspace(12.95, 20.7, 100)
    front = js.frontier(law="pearce", coefs=constants, flops=budgets)
    slope = np.polyfit(np.log(budgets), np.log(front.params), 1)[0]
    assert slope == pytest.approx(exponent, abs=0.01)


def test_the_local_exponent_is_that_of_the_paper():
    """Pearce & Song, eq. 13: 1/g = d ln C / d ln N, from differentiating the optimum by hand."""
    coefs = LAWS.resolve("pearce").constants("pearce2024-besiroglu")
    alpha, beta = coefs["alpha"], coefs["beta"]
    for budget in (1e13, 1e18, 1e22):
        near = js.frontier(law="pearce", coefs=coefs, flops=[budget / 1.001, budget, budget * 1.001])
        local = np.log(near.params[2] / near.params[0]) / (2 * np.log(1.001))
        x = near.params[1] ** (2 / 3)
        inverse = 1 - (x + OMEGA / 9) / (x + OMEGA / 3) / beta + (alpha + 1) / beta * (x + OMEGA / 3) / (x + OMEGA)
        assert local == pytest.approx(1 / inverse, rel=1e-5)


def test_over_training_is_the_separable_law_with_one_exponent():
    """laws.md (c) 14: the constants of Muennighoff et al. at C = 1e21 and M = 20 in both forms, and M*."""
    eta = TIED["alpha"] / 2
    coefs = {"E": TIED["E"], "a": TIED["A"] * 6**eta, "b": TIED["B"] * 6**eta, "eta": eta}
    here = float(js.predict("overtraining", coefs, flops=1e21, tokens_per_param=20.0))
    params = np.sqrt(1e21 / 120)
    assert here == pytest.approx(2.3476900, rel=1e-7)
    assert here == pytest.approx(
        float(js.predict("chinchilla-tied", TIED, params=params, tokens=20 * params)), rel=1e-14
    )
    best = optimal_tokens_per_param(a=coefs["a"], b=coefs["b"], eta=eta)
    assert float(best) == pytest.approx(19.613028, rel=1e-7)
    front = js.frontier(law="overtraining", coefs=coefs, flops=[1e19, 1e25])
    np.testing.assert_allclose(front.tokens_per_param, float(best), rtol=1e-7)


@pytest.mark.parametrize(("epochs", "worth"), [(4, 3.7256731), (16, 10.5824570), (40, 15.1674648)])
def test_repeated_epochs_are_worth_what_the_reference_says(epochs, worth):
    """laws.md (c) 11: D'/U with R_D* = 15.387756."""
    assert float(decayed(epochs * 25e9, 25e9, REPEATED["R_D"])) / 25e9 == pytest.approx(worth, rel=1e-7)


def test_repeated_data_reproduces_the_self_check_of_the_reference():
    """laws.md (c) 11: U_N / U_D, and D' and the loss at N = 1e9, D = 1e11, U = 25e9."""
    assert float(fed_params(1.0, **BASE)) == pytest.approx(0.05098652, rel=1e-6)
    rates = {name: REPEATED[name] for name in ("R_N", "R_D")}
    assert float(effective(1e9, 1e11, 25e9, **BASE, **rates).tokens) == pytest.approx(9.3141828e10, rel=1e-7)
    loss = js.predict("data-constrained", REPEATED, params=1e9, tokens=1e11, unique_tokens=25e9)
    assert float(loss) == pytest.approx(2.4195275, rel=1e-7)


def test_without_repetition_or_excess_params_the_law_is_the_separable_one():
    unique = 2.0 * TOKENS
    few = np.minimum(PARAMS, 0.9 * np.asarray(fed_params(TOKENS, **BASE)))
    loss = js.predict("data-constrained", REPEATED, params=few, tokens=TOKENS, unique_tokens=unique)
    np.testing.assert_allclose(loss, js.predict("chinchilla-tied", TIED, params=few, tokens=TOKENS), rtol=1e-14)


@pytest.mark.parametrize("tokens", [25e9, 1e11])
def test_derivatives_are_finite_and_two_sided_at_the_kinks(tokens):
    """At D = U and at N = U_N the law is smooth once: its slopes are those of either side, and no NaN anywhere."""
    law = LAWS.resolve("data-constrained")
    kink = float(fed_params(min(tokens, 25e9), **BASE))

    def loss(params, tokens, coefs):
        return law.loss(params, tokens, 25e9, **coefs)

    slope, bend = jax.grad(loss, argnums=(0, 1, 2)), jax.hessian(loss, argnums=2)
    at, below, above = (slope(kink * factor, tokens * factor, REPEATED) for factor in (1.0, 1 - 1e-7, 1 + 1e-7))
    for side in (below, above):
        np.testing.assert_allclose(jax.tree.leaves(at), jax.tree.leaves(side), rtol=1e-5, atol=1e-12)
    assert np.isfinite(jax.tree.leaves(bend(kink, tokens, REPEATED))).all()


def test_the_frontier_of_repeated_data_leaves_chinchillas_where_the_data_runs_out():
    """laws.md (c) 11: C_thr(25e9) = 1.9119944e20; beyond it the optimum is that of a dense grid of sizes."""
    unique, s, alpha = 25e9, 2 * TIED["alpha"], TIED["alpha"]
    balance = (TIED["A"] / TIED["B"]) ** (1 / s)
    threshold = 6 * (balance * unique) ** (s / alpha)
    assert threshold == pytest.approx(1.9119944e20, rel=1e-7)
    budgets = threshold * np.array([0.01, 0.5, 0.99, 1.01, 5.0, 100.0])
    front = js.frontier(law="data-constrained", coefs=REPEATED, flops=budgets, fixed={"unique_tokens": unique})
    plain = js.frontier(law="chinchilla-tied", coefs=TIED, flops=budgets)
    np.testing.assert_allclose(front.params[:3], plain.params[:3], rtol=1e-7)
    assert (front.loss[3:] > plain.loss[3:]).all()
    assert (front.params[3:] < plain.params[3:]).all()  # with these constants epochs decay more slowly than params
    for budget, params, loss in zip(budgets, front.params, front.loss, strict=True):
        sizes = params * np.exp(np.linspace(-3, 3, 4001))
        tried = js.predict(
            "data-constrained", REPEATED, params=sizes, tokens=budget / (6 * sizes), unique_tokens=unique
        )
        assert loss <= tried.min() * (1 + 1e-14)
        assert abs(np.log(sizes[np.argmin(tried)] / params)) < 0.01


def test_the_family_holds_chinchillas_law_at_one():
    coefs = LAWS.resolve("chinchilla").constants("besiroglu2024")
    for name in ("q", "gamma"):
        loss = js.predict(f"nested-{name}", {**coefs, name: 1.0}, params=PARAMS, tokens=TOKENS)
        np.testing.assert_allclose(loss, js.predict("chinchilla", coefs, params=PARAMS, tokens=TOKENS), rtol=1e-14)


def test_the_family_holds_kaplans_law_without_a_floor():
    of = LAWS.resolve("kaplan").constants("kaplan2020")
    coefs = {"E": 0.0, "A": of["N_c"] ** of["alpha_N"], "B": of["D_c"] ** of["alpha_D"], "alpha": of["alpha_N"]}
    loss = js.predict("nested-q", {**coefs, "beta": of["alpha_D"], "q": of["alpha_D"]}, params=PARAMS, tokens=TOKENS)
    np.testing.assert_allclose(loss, js.predict("kaplan", of, params=PARAMS, tokens=TOKENS), rtol=1e-13)


def test_both_families_are_one_in_other_coefs():
    q = {"E": 1.2, "A": 300.0, "B": 900.0, "alpha": 0.3, "beta": 0.35, "q": 0.45}
    gamma = {"E": 1.2, "A": 300 ** (1 / 0.45), "B": 900 ** (1 / 0.45), "alpha": 0.3 / 0.45, "beta": 0.35 / 0.45}
    here = js.predict("nested-gamma", {**gamma, "gamma": 0.45}, params=PARAMS, tokens=TOKENS)
    np.testing.assert_allclose(here, js.predict("nested-q", q, params=PARAMS, tokens=TOKENS), rtol=1e-13)


def test_a_bend_near_zero_is_a_bottleneck():
    coefs = {"E": 1.0, "A": 300.0, "B": 900.0, "alpha": 0.3, "beta": 0.35, "q": 1e-4}
    loss = js.predict("nested-q", coefs, params=PARAMS, tokens=TOKENS)
    np.testing.assert_allclose(loss, 1 + np.maximum(300 * PARAMS**-0.3, 900 * TOKENS**-0.35), rtol=1e-4)


@pytest.mark.parametrize("family", ["nested-gamma", "rosenfeld"])
def test_what_rises_with_the_separable_law_splits_a_budget_as_it_does(family):
    coefs = LAWS.resolve("chinchilla").constants("besiroglu2024")
    more = {"nested-gamma": {"gamma": 0.45}, "rosenfeld": {"chance": 10.0}}[family]
    front = js.frontier(law=family, coefs={**coefs, **more}, flops=[1e20, 1e24])
    np.testing.assert_allclose(
        front.params, js.frontier(law="chinchilla", coefs=coefs, flops=[1e20, 1e24]).params, rtol=1e-6
    )


def test_the_envelope_is_the_modulus_that_rosenfeld_writes():
    inner = np.geomspace(0.1, 1e4, 30)
    np.testing.assert_allclose(under_chance(inner, 10.8), 10.8 * np.abs(inner / (inner - 10.8j)), rtol=1e-14)


def test_a_broken_power_law_has_its_two_slopes_and_the_value_of_the_printed_product():
    coefs = {"E": 0.0, "A": 50.0, "c_0": 0.05, "c_1": 0.1, "d_1": 1e20, "f_1": 0.3}
    for flops, slope in ((1e15, 0.05), (1e25, 0.15)):
        two = js.predict("broken-1", coefs, flops=[flops, flops * np.e])
        assert -np.log(two[1] / two[0]) == pytest.approx(slope, rel=1e-8)
    far = js.predict("broken-1", coefs, flops=1e200)  # (C/d)^(1/f) is beyond the largest float64
    assert float(far) == pytest.approx(50 * 1e200**-0.05 * 1e180**-0.1, rel=1e-12)


def test_a_second_break_of_no_strength_is_none():
    one = random_coefs(LAWS.resolve("broken-1"), np.random.default_rng(1))
    flops = np.geomspace(1e17, 1e23, 20)
    two = js.predict("broken-2", {**one, "c_2": 0.0, "gap": 3.0, "f_2": 0.4}, flops=flops)
    np.testing.assert_allclose(two, js.predict("broken-1", one, flops=flops), rtol=1e-14)


def test_the_bend_is_smooth_at_the_break_itself():
    coefs = {"E": 1.0, "A": 50.0, "c_0": 0.05, "c_1": 0.1, "f_1": 0.3}
    bends = [jax.grad(jax.grad(lambda d, x=x: broken_once(x, d_1=d, **coefs)))(2.0) for x in (2.0, 2.0 + 1e-9)]
    assert float(bends[0]) == pytest.approx(float(bends[1]), rel=1e-6)


def test_a_broken_law_of_another_input_is_the_same_curve():
    steps = Input("steps", "S", "steps", "optimiser steps", 1e2, 1e6)
    coefs = random_coefs(LAWS.resolve("broken-2"), np.random.default_rng(2))
    x = np.geomspace(1e17, 1e23, 9)
    law = broken(2, steps)
    np.testing.assert_array_equal(js.predict(law, coefs, steps=x), js.predict("broken-2", coefs, flops=x))
    assert law.inputs == ("steps",)
    assert "S/d_1" in law.equation
    with pytest.raises(UsageError, match="breaks = 3"):
        broken(3, "steps")


def test_a_shift_of_zero_and_nothing_learned_before_leave_the_power_law():
    coefs, x = {"E": 1.5, "A": 80.0, "alpha": 0.12}, np.geomspace(1e17, 1e22, 9)
    np.testing.assert_allclose(
        js.predict("power-shifted", {**coefs, "C_1": 0.0}, flops=x), js.predict("power", coefs, flops=x), rtol=1e-15
    )
    rectified = js.predict("rectified", {"E": 1.5, "B": 80.0, "beta": 0.12, "D_l": 0.0}, tokens=x)
    np.testing.assert_allclose(rectified, js.predict("power-tokens", coefs, tokens=x), rtol=1e-15)


def test_the_loss_after_transfer_is_kaplans_at_the_data_transferred():
    of, t = LAWS.resolve("kaplan").constants("kaplan2020"), LAWS.resolve("transfer").constants("hernandez2021-text")
    data = np.asarray(transferred(1e7, PARAMS, **t))
    coefs = {"N_c": of["N_c"], "D_k": of["D_c"] / t["k"], "alpha_N": of["alpha_N"], "alpha_D": of["alpha_D"]}
    loss = js.predict(
        "transfer-loss", {**coefs, "alpha": t["alpha"], "beta": t["beta"]}, finetuning_characters=1e7, params=PARAMS
    )
    np.testing.assert_allclose(loss, js.predict("kaplan", of, params=PARAMS, tokens=data), rtol=1e-13)


def test_a_loss_to_loss_law_keeps_the_optimal_split():
    """Brandfonbrener et al.: one loss is a rising function of the other, so their optima are the same runs."""
    front = js.frontier(law="chinchilla", coefs="besiroglu2024", flops=1e22)
    sizes = float(front.params[0]) * np.array([0.5, 0.9, 1.0, 1.1, 2.0])
    source = js.predict("chinchilla", "besiroglu2024", params=sizes, tokens=1e22 / 6 / sizes)
    other = js.predict("loss-to-loss", {"K": 0.8, "kappa": 1.2, "E_0": 1.5, "E_1": 0.9}, source_loss=source)
    assert np.argmin(other) == 2


def test_farseer_is_stated_at_the_constants_of_the_reference():
    """laws.md C13: L(1e9, 2e10) = 0.527 and L(6.4e9, 1.6e11) = 0.438, to the digits given."""
    for params, tokens, loss in ((1e9, 2e10, 0.527), (6.4e9, 1.6e11, 0.438)):
        got = float(js.predict("farseer", "farseer2025", params=params, tokens=tokens))
        assert got == pytest.approx(loss, abs=5e-4)


def test_farseer_wants_more_tokens_per_param_the_larger_the_budget():
    """laws.md C13. Among the sizes that were trained; far beyond, the printed constants want one token and no more."""
    sizes, budgets = np.geomspace(1e8, 2.5e10, 20_000), np.array([1e20, 1e21, 5e21])
    front = js.frontier(law="farseer", coefs="farseer2025", flops=budgets)
    for budget, params in zip(budgets, front.params, strict=True):
        loss = js.predict("farseer", "farseer2025", params=sizes, tokens=budget / (6 * sizes))
        assert params == pytest.approx(sizes[np.argmin(loss)], rel=1e-3)
    assert (np.diff(front.tokens_per_param) > 0).all()


def test_an_optimum_that_is_not_the_lowest_of_its_budget_is_given_with_a_warning():
    """Farseer's printed constants promise less loss still at one token; from about 1e23 FLOP on there is no dip."""
    at_one_token = js.predict("farseer", "farseer2025", params=1e21 / 6, tokens=1.0)
    front = js.frontier(law="farseer", coefs="farseer2025", flops=[1e21, 1e23])
    assert front.loss[0] > at_one_token
    assert np.isnan(front.loss[1])
    codes = {finding.code: finding.message for finding in front.findings}
    assert codes["lower-at-end"].startswith("at 1 of 2 budgets of the point fit the law promises less loss still")
    assert codes["optimum-at-end"].startswith("the law has no optimum inside at 1 of 2 budgets")
    plain = js.frontier(law="chinchilla", coefs="besiroglu2024", flops=[1e21])
    assert not plain.findings

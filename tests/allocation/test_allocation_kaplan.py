"""Kaplan's closed forms against the paper, the self-checks of the reference, one another and a numerical search."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jaxscale as js
from jaxscale import precision
from jaxscale.allocation import allocate, kaplan
from jaxscale.errors import UsageError
from jaxscale.laws.kaplan_single import PF_DAY

PAPER = "kaplan2020"
BUDGETS = np.geomspace(1e18, 1e25, 6)
CURVE = {"N_c": 6.5e13, "S_c": 2.1e3, "alpha_N": 0.077, "alpha_S": 0.76}
CRITICAL = {"B_star": 2.1e8, "alpha_B": 0.21}

curves = st.fixed_dictionaries(
    {
        "N_c": st.floats(1e11, 1e15),
        "S_c": st.floats(2e2, 2e4),
        "alpha_N": st.floats(0.04, 0.2),
        "alpha_S": st.floats(0.3, 1.2),
    }
)
criticals = st.fixed_dictionaries({"B_star": st.floats(1e7, 1e9), "alpha_B": st.floats(0.1, 0.6)})
some = settings(deadline=None, max_examples=25)


def test_overfitting_and_its_data_requirement_reproduce_the_self_check_of_the_reference():
    """laws.md (c) 2."""
    assert kaplan.overfitting_gap(PAPER, params=1e9, tokens=22e9) == pytest.approx(0.02177053, rel=1e-5)
    rule = kaplan.data_rule(PAPER, tolerance=0.02)
    assert rule == pytest.approx((5519.320, 0.7378641), rel=1e-5)
    assert kaplan.data_requirement(PAPER, params=1e9, tolerance=0.02) == pytest.approx(2.4135833e10, rel=1e-5)


def test_the_printed_rule_is_this_one_rounded():
    """Eq. 4.4, D ≥ 5e3 N^0.74: the exponent to two digits and with it the prefactor to one, at the sizes measured."""
    rule = kaplan.data_rule(PAPER, tolerance=0.02)
    assert round(rule.exponent, 2) == 0.74
    for params in (768, 1e6, 1.5e9):
        prefactor = kaplan.data_requirement(PAPER, params=params, tolerance=0.02) / params**0.74
        assert round(prefactor, -3) == 5e3


@some
@given(params=st.floats(1e3, 1e12), tolerance=st.floats(1e-6, 1.0))
def test_the_required_data_leave_the_tolerated_gap(params, tolerance):
    tokens = kaplan.data_requirement(PAPER, params=params, tolerance=tolerance)
    assert kaplan.overfitting_gap(PAPER, params=params, tokens=tokens) == pytest.approx(tolerance, rel=1e-11)


def test_the_gap_is_that_of_the_joint_law():
    with_data, without = (js.predict("kaplan", PAPER, params=1e9, tokens=tokens) for tokens in (3e8, 1e60))
    assert kaplan.overfitting_gap(PAPER, params=1e9, tokens=3e8) == pytest.approx(with_data / without - 1, rel=1e-12)


@some
@given(loss=st.floats(1.5, 8.0), batch=st.floats(1e3, 1e9), size=st.floats(1.0, 1e25))
def test_conversions_come_back_and_lie_on_the_hyperbola(loss, batch, size):
    run = {"batch": batch, "loss": loss}
    fewest_steps = kaplan.steps_min(PAPER, steps=size, **run)
    fewest, least = kaplan.tokens_min(PAPER, tokens=size, **run), kaplan.flops_min(PAPER, flops=size, **run)
    assert kaplan.steps_at(PAPER, steps_min=fewest_steps, **run) == pytest.approx(size, rel=1e-14)
    assert kaplan.tokens_at(PAPER, tokens_min=fewest, **run) == pytest.approx(size, rel=1e-14)
    assert kaplan.flops_at(PAPER, flops_min=least, **run) == pytest.approx(size, rel=1e-14)
    fewest_tokens = kaplan.tokens_min(PAPER, tokens=size * batch, **run)
    assert fewest_tokens / fewest_steps == pytest.approx(kaplan.critical_batch(PAPER, loss=loss), rel=1e-12)
    steps, tokens = size / fewest_steps - 1, size * batch / fewest_tokens - 1
    assert steps * tokens == pytest.approx(1, rel=1e-9)  # 1 + B/B_crit loses up to five digits to the 1


@pytest.mark.parametrize("coefs", [PAPER, CRITICAL, {**CRITICAL, "L_inf": 1.5}])
def test_at_the_critical_batch_of_its_own_loss_a_run_costs_twice_the_least(coefs):
    losses = np.array([2.0, 3.0, 4.0])
    batch = kaplan.critical_batch(coefs, loss=losses)
    assert np.all(np.diff(batch) < 0)
    run = {"batch": batch, "loss": losses}
    np.testing.assert_allclose(kaplan.steps_min(coefs, steps=1e4, **run), 5e3)
    np.testing.assert_allclose(kaplan.flops_min(coefs, flops=1e20, **run), 5e19)


def test_the_law_of_critical_batches_is_the_same():
    offset = {**CRITICAL, "L_inf": 1.2}
    want = js.predict("critical-batch-offset", offset, loss_reached=2.5)
    assert kaplan.critical_batch(offset, loss=2.5) == pytest.approx(float(want), rel=1e-13)


def test_the_exponent_of_compute_is_0052_and_not_the_printed_0054():
    """laws.md K10 and errata 2."""
    assert round(kaplan.compute_exponent(alpha_N=0.076, alpha_S=0.76, alpha_B=0.21), 4) == 0.0520
    assert round(kaplan.compute_exponent(alpha_N=0.077, alpha_S=0.76, alpha_B=0.21), 4) == 0.0525


@pytest.mark.parametrize(("alpha_C", "want"), [(0.050, (0.66, 0.24, 0.066)), (0.054, (0.71, 0.26, 0.071))])
def test_exponents_of_the_allocation_are_those_of_the_reference(alpha_C, want):
    """laws.md K10."""
    found = kaplan.allocation_exponents(alpha_N=0.076, alpha_S=0.76, alpha_B=0.21, alpha_C=alpha_C)
    assert (round(found.params, 2), round(found.batch, 2), round(found.steps, 3)) == want
    assert found.tokens == found.batch + found.steps


@some
@given(curve=curves, critical=criticals)
def test_exponents_that_follow_from_one_another_spend_the_whole_budget(curve, critical):
    exponents = {name: {**curve, **critical}[name] for name in ("alpha_N", "alpha_S", "alpha_B")}
    found = kaplan.allocation_exponents(**exponents)
    assert found.params + found.batch + found.steps == pytest.approx(1, rel=1e-14)


def test_the_fitted_frontier_is_table_6():
    """N 1.3e9 C^0.73, B 2.0e6 C^0.24, S 5.4e3 C^0.03, D 2e10 C^0.27; laws.md K11 has 0.975 and 1.81 PF-days."""
    ask = {"flops_are": "C_min", "tokens_from": "table 6"}
    one = kaplan.fitted_optimum(flops=PF_DAY, **ask)
    assert one == pytest.approx((PF_DAY, 1.3e9, 2.0e6, 5.4e3, 2e10))
    assert round(6 * one.params * one.batch * one.steps_min / PF_DAY, 3) == 0.975
    assert round(6 * one.params * one.tokens / PF_DAY, 2) == 1.81
    ten = kaplan.fitted_optimum(flops=10 * PF_DAY, **ask)
    growth = np.log10(np.array(ten) / np.array(one))
    np.testing.assert_allclose(growth, [1, 0.73, 0.24, 0.03, 0.27], rtol=1e-12)


def test_hoffmann_s_size_for_kaplan_s_budget_appears():
    """laws.md (c) 5: 4.68e9 params at 1e21 FLOP, of which half count as C_min."""
    found = kaplan.fitted_optimum(flops=1e21, flops_are="C", tokens_from="table 6")
    assert found.params == pytest.approx(4.6831323e9, rel=1e-6)
    assert found.flops_min == 5e20


def test_each_statement_of_the_paper_on_tokens_is_another_number():
    """laws.md K11: about two times B S in table 6, and as much again in eq. 6.7."""
    at_one = [
        kaplan.fitted_optimum(flops=PF_DAY, flops_are="C_min", tokens_from=which).tokens
        for which in ("batch times steps", "table 6", "equation 6.7")
    ]
    assert at_one == pytest.approx([1.08e10, 2e10, 4e10])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"flops_are": "C min", "tokens_from": "table 6"}, "flops_are = 'C min'.*Did you mean 'C_min'"),
        ({"flops_are": "C", "tokens_from": "table 5"}, "tokens_from = 'table 5'.*Did you mean 'table 6'"),
    ],
)
def test_an_unknown_convention_is_refused(words, message):
    with pytest.raises(UsageError, match=message):
        kaplan.fitted_optimum(flops=1e21, **words)


@pytest.mark.parametrize("words", [{}, {"flops_are": "C"}, {"tokens_from": "table 6"}])
def test_no_convention_is_chosen_in_silence(words):
    with pytest.raises(TypeError, match="required keyword-only"):
        kaplan.fitted_optimum(flops=1e21, **words)


def test_the_prefactor_of_the_batch_follows_from_the_loss():
    """laws.md K11: 2.1e8 / (3.1e8^0.05)^(1/0.21) = 1.997e6."""
    loss = float(js.predict("kaplan-flops-min", PAPER, flops=PF_DAY))
    assert kaplan.critical_batch(PAPER, loss=loss) == pytest.approx(1.997e6, rel=5e-4)


def test_the_closed_frontier_reproduces_the_self_check_of_the_reference():
    """laws.md (c) 4."""
    exponents = {"alpha_N": 0.077, "alpha_S": 0.76, "alpha_B": 0.21}
    assert kaplan.compute_exponent(**exponents) == pytest.approx(0.05245294, rel=1e-6)
    assert kaplan.compute_scale(PAPER, PAPER) == pytest.approx(1.3908487e28, rel=1e-6)
    run = kaplan.efficient_run(PAPER, PAPER, flops=PF_DAY)
    assert run[:4] == pytest.approx((2.6944432, 5.8440824e8, 13160.713, 1.8722625e6), rel=1e-6)
    assert 6 * run.params * run.batch * run.steps / PF_DAY == pytest.approx(1, rel=1e-12)


def test_the_search_finds_the_closed_frontier_from_the_name_of_the_constants():
    front = js.frontier(law="kaplan-compute", coefs=PAPER, flops=BUDGETS)
    closed = kaplan.efficient_run(PAPER, PAPER, flops=BUDGETS)
    for found, want in ((front.params, closed.params), (front.tokens, closed.tokens), (front.loss, closed.loss)):
        np.testing.assert_allclose(found, want, rtol=1e-9)


@settings(deadline=None, max_examples=15)
@given(curve=curves, critical=criticals)
def test_the_search_finds_the_closed_frontier_of_any_coefs(curve, critical):
    front = js.frontier(law="kaplan-compute", coefs=kaplan.on_budget(curve, critical), flops=BUDGETS)
    closed = kaplan.efficient_run(curve, critical, flops=BUDGETS)
    is_inside = ~np.isnan(front.params)  # between one param and one token
    assert is_inside.all() or np.min(closed.tokens[~is_inside]) < 10 or np.min(closed.params[~is_inside]) < 10
    np.testing.assert_allclose(front.params[is_inside], closed.params[is_inside], rtol=1e-9)
    np.testing.assert_allclose(front.loss[is_inside], closed.loss[is_inside], rtol=1e-9)


def test_derivatives_of_the_frontier_are_its_exponents():
    """The search by the implicit function, which takes three derivatives of the law, and the closed form by itself."""
    want = kaplan.allocation_exponents(alpha_N=0.077, alpha_S=0.76, alpha_B=0.21)
    coefs = kaplan.on_budget(CURVE, CRITICAL)

    def searched(log_flops):
        found = allocate("kaplan-compute", coefs, flops=jnp.exp(log_flops))
        return found.log_params, jnp.log(found.loss)

    def closed(log_flops):
        run = kaplan.efficient_run(CURVE, CRITICAL, flops=jnp.exp(log_flops))
        return jnp.log(run.params), jnp.log(run.loss)

    with precision.float64():
        at = jnp.asarray(np.log(PF_DAY))
        for function in (searched, closed):
            params, loss = (float(slope) for slope in jax.jacrev(function)(at))
            assert params == pytest.approx(want.params, rel=1e-8)
            assert loss == pytest.approx(-want.loss, rel=1e-8)


def test_on_a_budget_of_6nd_the_joint_law_has_another_exponent():
    """laws.md K5: 1/(1 + alpha_N/alpha_D) = 0.575, not the 0.73 of the paper's frontier."""
    params = js.frontier(law="kaplan", coefs=PAPER, flops=BUDGETS).params
    slope = np.diff(np.log(params)) / np.diff(np.log(BUDGETS))
    np.testing.assert_allclose(slope, 1 / (1 + 0.076 / 0.103), rtol=1e-9)
    assert round(slope[0], 3) == 0.575


def test_stopping_early_is_worth_what_the_paper_says():
    """Appendix B.3: 2.7 times the params, 7.7 times fewer updates, 65 % less compute than stopping at 2 %."""
    factor = kaplan.convergence_factor(PAPER)
    assert round(factor, 2) == 0.10
    found = kaplan.compare_convergence(PAPER, factor=factor, other=0.02)
    assert round(found.params, 1) == 2.7
    assert round(1 / found.steps, 1) == pytest.approx(7.6, abs=0.11)  # 7.5 to 7.7 by the rounding of f
    assert round(1 - found.flops, 2) == pytest.approx(0.65, abs=0.011)


def test_the_efficient_run_stops_at_its_convergence_factor():
    run = kaplan.efficient_run(PAPER, PAPER, flops=BUDGETS)
    converged = (CURVE["N_c"] / run.params) ** CURVE["alpha_N"]
    np.testing.assert_allclose(run.loss / converged - 1, kaplan.convergence_factor(PAPER), rtol=1e-12)


def test_overheads_of_other_sizes_reproduce_the_self_check_of_the_reference():
    """laws.md (c) 5, and 45 % fewer steps at 2.2 times the size."""
    assert kaplan.off_optimal(PAPER, size_ratio=2.2).flops == pytest.approx(1.2037202, rel=1e-6)
    assert kaplan.off_optimal(PAPER, size_ratio=0.6).flops == pytest.approx(1.1647327, rel=1e-6)
    assert round(1 - kaplan.off_optimal(PAPER, size_ratio=2.2).steps, 2) == 0.45


@some
@given(curve=curves, critical=criticals, ratio=st.floats(0.9, 30.0))
def test_an_overhead_is_the_cost_of_reaching_the_same_loss(curve, critical, ratio):
    run = kaplan.efficient_run(curve, critical, flops=1e21)
    reached = {"params": run.params * ratio, "loss": run.loss}
    overhead = kaplan.off_optimal(curve, size_ratio=ratio)
    # the excess over the converged loss is at least a few percent of the loss, so that two digits cancel
    assert kaplan.steps_to_reach(curve, **reached) / run.steps == pytest.approx(overhead.steps, rel=1e-9)
    tokens = kaplan.tokens_to_reach(curve, critical, **reached)
    assert 6 * reached["params"] * tokens / 1e21 == pytest.approx(overhead.flops, rel=1e-9)
    assert overhead.flops >= 1 - 1e-12


def test_larger_models_need_fewer_steps_and_fewer_tokens_for_a_loss():
    """§1.1 of the paper, sample efficiency; a size that converges above the loss never reaches it."""
    params = np.array([1e6, 1e9, 1e10, 1e11])
    steps = kaplan.steps_to_reach(PAPER, params=params, loss=2.6)
    tokens = kaplan.tokens_to_reach(PAPER, PAPER, params=params, loss=2.6)
    assert np.isinf(steps[0])
    assert np.isinf(tokens[0])
    assert np.all(np.diff(steps[1:]) < 0)
    assert np.all(np.diff(tokens[1:]) < 0)
    back = js.predict("kaplan-steps", PAPER, params=params[1:], steps_min=steps[1:])
    np.testing.assert_allclose(back, 2.6, rtol=1e-12)


def test_a_size_that_never_reaches_the_loss_has_an_infinite_overhead_and_finite_neighbours_derivatives():
    ratios = np.array([0.1, 0.6, 1.0])
    with precision.float64():
        slopes = jax.vmap(jax.grad(lambda x: kaplan.off_optimal(CURVE, size_ratio=x).flops))(jnp.asarray(ratios))
        slopes = np.asarray(slopes)
    found = kaplan.off_optimal(PAPER, size_ratio=ratios)
    assert np.isinf(found.flops[0])
    assert found.flops[2] == 1.0
    assert np.isfinite(slopes[1:]).all()
    assert abs(slopes[2]) < 1e-12  # the efficient size is a minimum


def test_the_earliest_stop_is_where_the_curve_has_used_up_the_gap():
    """Eq. 5.7: (S_c/S_stop)^alpha_S = L(N, D) - L(N, ∞)."""
    stop = kaplan.early_stop_steps(PAPER, PAPER, params=1e8, tokens=1e8)
    gap = js.predict("kaplan", PAPER, params=1e8, tokens=1e8) - js.predict("kaplan", PAPER, params=1e8, tokens=1e60)
    assert (2.1e3 / stop) ** 0.76 == pytest.approx(float(gap), rel=1e-10)
    assert kaplan.early_stop_steps(PAPER, PAPER, params=1e8, tokens=1e9) > stop


def test_the_contradiction_is_where_the_reference_has_it():
    """laws.md K14: 1.06e5 PF-days, 6.1e12, 8.1e11 and 1.49 with eq. 6.7 as printed."""
    found = kaplan.contradiction(PAPER, PAPER, tokens_from="equation 6.7")
    assert float(f"{found.flops_min / PF_DAY:.3g}") == 1.06e5
    assert float(f"{found.params:.2g}") == 6.1e12
    assert float(f"{found.tokens:.2g}") == 8.1e11
    assert round(found.loss, 2) == 1.49
    both = js.predict("kaplan-flops-min", PAPER, flops=found.flops_min)
    assert float(js.predict("kaplan-tokens", PAPER, tokens=found.tokens)) == pytest.approx(float(both), rel=1e-12)


def test_misspelt_coefs_are_refused_with_the_nearest():
    with pytest.raises(UsageError, match="Did you mean 'alpha_S'"):
        kaplan.steps_to_reach({**CURVE, "alpha_s": 0.7}, params=1e9, loss=3.0)

"""Overfitting, batches, convergence and stopping by Kaplan's closed forms, against the paper and one another."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jaxscale as js
from jaxscale import precision
from jaxscale.allocation import kaplan, kaplan_training
from jaxscale.errors import UsageError

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
    fewest_steps = kaplan_training.steps_min(PAPER, steps=size, **run)
    fewest, least = (
        kaplan_training.tokens_min(PAPER, tokens=size, **run),
        kaplan_training.flops_min(PAPER, flops=size, **run),
    )
    assert kaplan_training.steps_at(PAPER, steps_min=fewest_steps, **run) == pytest.approx(size, rel=1e-14)
    assert kaplan_training.tokens_at(PAPER, tokens_min=fewest, **run) == pytest.approx(size, rel=1e-14)
    assert kaplan_training.flops_at(PAPER, flops_min=least, **run) == pytest.approx(size, rel=1e-14)
    fewest_tokens = kaplan_training.tokens_min(PAPER, tokens=size * batch, **run)
    assert fewest_tokens / fewest_steps == pytest.approx(kaplan_training.critical_batch(PAPER, loss=loss), rel=1e-12)
    steps, tokens = size / fewest_steps - 1, size * batch / fewest_tokens - 1
    assert steps * tokens == pytest.approx(1, rel=1e-9)  # 1 + B/B_crit loses up to five digits to the 1


@pytest.mark.parametrize("coefs", [PAPER, CRITICAL, {**CRITICAL, "L_inf": 1.5}])
def test_at_the_critical_batch_of_its_own_loss_a_run_costs_twice_the_least(coefs):
    losses = np.array([2.0, 3.0, 4.0])
    batch = kaplan_training.critical_batch(coefs, loss=losses)
    assert np.all(np.diff(batch) < 0)
    run = {"batch": batch, "loss": losses}
    np.testing.assert_allclose(kaplan_training.steps_min(coefs, steps=1e4, **run), 5e3)
    np.testing.assert_allclose(kaplan_training.flops_min(coefs, flops=1e20, **run), 5e19)


def test_the_law_of_critical_batches_is_the_same():
    offset = {**CRITICAL, "L_inf": 1.2}
    want = js.predict("critical-batch-offset", offset, loss_reached=2.5)
    assert kaplan_training.critical_batch(offset, loss=2.5) == pytest.approx(float(want), rel=1e-13)


def test_stopping_early_is_worth_what_the_paper_says():
    """Appendix B.3: 2.7 times the params, 7.7 times fewer updates, 65 % less compute than stopping at 2 %."""
    factor = kaplan_training.convergence_factor(PAPER)
    assert round(factor, 2) == 0.10
    found = kaplan_training.compare_convergence(PAPER, factor=factor, other=0.02)
    assert round(found.params, 1) == 2.7
    assert round(1 / found.steps, 1) == pytest.approx(7.6, abs=0.11)  # 7.5 to 7.7 by the rounding of f
    assert round(1 - found.flops, 2) == pytest.approx(0.65, abs=0.011)


def test_the_efficient_run_stops_at_its_convergence_factor():
    run = kaplan.efficient_run(PAPER, PAPER, flops=BUDGETS)
    converged = (CURVE["N_c"] / run.params) ** CURVE["alpha_N"]
    np.testing.assert_allclose(run.loss / converged - 1, kaplan_training.convergence_factor(PAPER), rtol=1e-12)


def test_overheads_of_other_sizes_reproduce_the_self_check_of_the_reference():
    """laws.md (c) 5, and 45 % fewer steps at 2.2 times the size."""
    assert kaplan_training.off_optimal(PAPER, size_ratio=2.2).flops == pytest.approx(1.2037202, rel=1e-6)
    assert kaplan_training.off_optimal(PAPER, size_ratio=0.6).flops == pytest.approx(1.1647327, rel=1e-6)
    assert round(1 - kaplan_training.off_optimal(PAPER, size_ratio=2.2).steps, 2) == 0.45


@some
@given(curve=curves, critical=criticals, ratio=st.floats(0.9, 30.0))
def test_an_overhead_is_the_cost_of_reaching_the_same_loss(curve, critical, ratio):
    run = kaplan.efficient_run(curve, critical, flops=1e21)
    reached = {"params": run.params * ratio, "loss": run.loss}
    overhead = kaplan_training.off_optimal(curve, size_ratio=ratio)
    # the excess over the converged loss is at least a few percent of the loss, so that two digits cancel
    assert kaplan_training.steps_to_reach(curve, **reached) / run.steps == pytest.approx(overhead.steps, rel=1e-9)
    tokens = kaplan_training.tokens_min_to_reach(curve, critical, **reached)
    assert 6 * reached["params"] * tokens / 1e21 == pytest.approx(overhead.flops, rel=1e-9)
    assert overhead.flops >= 1 - 1e-12


def test_larger_models_need_fewer_steps_and_fewer_tokens_for_a_loss():
    """§1.1 of the paper, sample efficiency; a size that converges above the loss never reaches it."""
    params = np.array([1e6, 1e9, 1e10, 1e11])
    steps = kaplan_training.steps_to_reach(PAPER, params=params, loss=2.6)
    tokens = kaplan_training.tokens_min_to_reach(PAPER, PAPER, params=params, loss=2.6)
    assert np.isinf(steps[0])
    assert np.isinf(tokens[0])
    assert np.all(np.diff(steps[1:]) < 0)
    assert np.all(np.diff(tokens[1:]) < 0)
    back = js.predict("kaplan-steps", PAPER, params=params[1:], steps_min=steps[1:])
    np.testing.assert_allclose(back, 2.6, rtol=1e-12)


def test_a_size_that_never_reaches_the_loss_has_an_infinite_overhead_and_finite_neighbours_derivatives():
    ratios = np.array([0.1, 0.6, 1.0])
    with precision.float64():
        slopes = jax.vmap(jax.grad(lambda x: kaplan_training.off_optimal(CURVE, size_ratio=x).flops))(
            jnp.asarray(ratios)
        )
        slopes = np.asarray(slopes)
    found = kaplan_training.off_optimal(PAPER, size_ratio=ratios)
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


def test_misspelt_coefs_are_refused_with_the_nearest():
    with pytest.raises(UsageError, match="Did you mean 'alpha_S'"):
        kaplan_training.steps_to_reach({**CURVE, "alpha_s": 0.7}, params=1e9, loss=3.0)


def test_outside_the_domain_of_a_formula_there_is_no_number():
    """As arrays do: no complex number, no ZeroDivisionError."""
    assert np.isnan(kaplan_training.critical_batch({"B_star": 2.1e8, "alpha_B": 0.21, "L_inf": 1.5}, loss=1.4))
    assert np.isinf(kaplan_training.critical_batch("kaplan2020", loss=0.0))
    assert np.isnan(kaplan.fitted_optimum(flops=-1e21, flops_are="C", tokens_from="table 6").params)
    assert np.isnan(kaplan.data_requirement("kaplan2020", params=1e9, tolerance=-0.5))
    to_convergence = kaplan_training.compare_convergence("kaplan2020", factor=0.1, other=0.0)
    assert to_convergence.steps == 0


BATCH = {"B_star": 2.1e8, "alpha_B": 0.2, "L_inf": 1.7}
CLOSED = (
    lambda x: kaplan_training.critical_batch("kaplan2020", loss=x),
    lambda x: kaplan_training.steps_min("kaplan2020", steps=x, batch=1e6, loss=3.0),
    lambda x: kaplan_training.steps_at("kaplan2020", steps_min=1e4, batch=x, loss=3.0),
    lambda x: kaplan_training.tokens_min("kaplan2020", tokens=1e10, batch=x, loss=3.0),
    lambda x: kaplan_training.tokens_at("kaplan2020", tokens_min=x, batch=1e6, loss=3.0),
    lambda x: kaplan_training.flops_min("kaplan2020", flops=x, batch=1e6, loss=3.0),
    lambda x: kaplan_training.flops_at("kaplan2020", flops_min=1e20, batch=1e6, loss=x),
    lambda x: kaplan_training.steps_to_reach(CURVE, params=x, loss=3.0),
    lambda x: kaplan_training.off_optimal(CURVE, size_ratio=x).flops,
    lambda x: kaplan_training.compare_convergence(CURVE, factor=x, other=0.02).steps,
    lambda x: kaplan.efficient_run(CURVE, "kaplan2020", flops=x).params,
    lambda x: kaplan.compute_exponent(alpha_N=x, alpha_S=0.76, alpha_B=0.21),
    lambda x: kaplan.fitted_optimum(flops=x, flops_are="C", tokens_from="table 6").params,
    lambda x: kaplan.overfitting_gap("kaplan2020", params=x, tokens=1e10),
    lambda x: kaplan.data_requirement("kaplan2020", params=1e9, tolerance=x),
    lambda x: kaplan.early_stop_steps("kaplan2020", CURVE, params=1e9, tokens=x),
    lambda x: kaplan_training.convergence_factor({**CURVE, "alpha_S": x}),
    lambda x: kaplan_training.steps_to_reach({**CURVE, "alpha_N": x, "alpha_S": x}, params=1e9, loss=3.0),
)


@pytest.mark.parametrize("form", CLOSED)
@pytest.mark.parametrize("value", [-1.0, -2e6, np.array([-1e9, -1.0])])
def test_no_closed_form_has_a_value_for_what_is_negative(form, value):
    assert np.isnan(form(value)).all()
    assert np.isnan(np.asarray(form(jnp.asarray(value, jnp.float32)))).all()


def test_no_batch_is_critical_below_the_loss_that_no_run_reaches():
    assert np.isnan(kaplan_training.critical_batch(BATCH, loss=1.5))
    assert kaplan_training.critical_batch(BATCH, loss=1.7) == np.inf
    assert kaplan_training.critical_batch(BATCH, loss=2.7) == pytest.approx(2.1e8)
    assert np.isnan(kaplan_training.tokens_at(BATCH, tokens_min=1e10, batch=1e6, loss=1.5))

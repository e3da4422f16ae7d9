"""Kaplan's frontiers, fitted and in closed form, against the paper, the reference and a numerical search."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jaxscale as js
from jaxscale import precision
from jaxscale.allocation import allocate, kaplan, kaplan_training
from jaxscale.errors import UsageError
from jaxscale.laws.kaplan import PF_DAY

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
    assert kaplan_training.critical_batch(PAPER, loss=loss) == pytest.approx(1.997e6, rel=5e-4)


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
    for found, want in ((front.params, closed.params), (front.tokens, closed.tokens), (front.loss, closed.loss)):
        np.testing.assert_allclose(found, want, rtol=1e-9)


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
            params, loss = (float(slope) for slope in jax.jit(jax.jacrev(function))(at))
            assert params == pytest.approx(want.params, rel=1e-8)
            assert loss == pytest.approx(-want.loss, rel=1e-8)


def test_on_a_budget_of_6nd_the_joint_law_has_another_exponent():
    """laws.md K5: 1/(1 + alpha_N/alpha_D) = 0.575, not the 0.73 of the paper's frontier."""
    params = js.frontier(law="kaplan", coefs=PAPER, flops=BUDGETS).params
    slope = np.diff(np.log(params)) / np.diff(np.log(BUDGETS))
    np.testing.assert_allclose(slope, 1 / (1 + 0.076 / 0.103), rtol=1e-9)
    assert round(slope[0], 3) == 0.575


def test_the_contradiction_is_where_the_reference_has_it():
    """laws.md K14: 1.06e5 PF-days, 6.1e12, 8.1e11 and 1.49 with eq. 6.7 as printed."""
    found = kaplan.contradiction(PAPER, PAPER, tokens_from="equation 6.7")
    assert float(f"{found.flops_min / PF_DAY:.3g}") == 1.06e5
    assert float(f"{found.params:.2g}") == 6.1e12
    assert float(f"{found.tokens:.2g}") == 8.1e11
    assert round(found.loss, 2) == 1.49
    both = js.predict("kaplan-flops-min", PAPER, flops=found.flops_min)
    assert float(js.predict("kaplan-tokens", PAPER, tokens=found.tokens)) == pytest.approx(float(both), rel=1e-12)

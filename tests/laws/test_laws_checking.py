"""One door for Python and the command line: what inputs, sizes and coefs can be."""

from itertools import combinations

import numpy as np
import pytest

import jaxscale as js
from jaxscale.allocation import separable
from jaxscale.laws import LAWS, law_from_expression
from jaxscale.laws.checking import check_coefs, check_no_ties, ties
from jaxscale.laws.experts import cutoff_params, saturated_experts
from jaxscale.laws.grouped import grouped

COEFS = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
ROUTED = {"a": -0.08, "b": -0.1, "c": 0.01, "d": 1.1, "E_start": 2.0, "E_max": 300.0}


@pytest.mark.parametrize(
    ("law", "constants", "inputs", "said"),
    [
        ("sparsity", "frantar2023-t5", {"params": 1e8, "tokens": 1e11, "sparsity": 1.0}, "sparsity.*below 1"),
        ("routed", "clark2022-sbase", {"params": 1e8, "experts": 0.2}, "experts.*1 or more"),
        ("chinchilla", COEFS, {"params": -1e9, "tokens": 1e10}, "params.*must be positive"),
        ("chinchilla", COEFS, {"params": [1e9, 0.0], "tokens": 1e10}, "params.*must be positive"),
        ("chinchilla", COEFS, {"params": 1e9, "tokens": -5}, "tokens.*must be positive"),
        ("chinchilla", COEFS, {"params": True, "tokens": 1e10}, "params = True is no number"),
        ("chinchilla", COEFS, {"params": [1e9, True], "tokens": 1e10}, "params.*is no number"),
        ("chinchilla", COEFS, {"params": "1e9", "tokens": 1e10}, "params = '1e9' is no number"),
        ("chinchilla", COEFS, {"params": ["1e9"], "tokens": 1e10}, "params.*is no number"),
        ("chinchilla", COEFS, {"params": None, "tokens": 1e10}, "params = None is no number"),
        ("chinchilla", COEFS, {"params": 1e9 + 1j, "tokens": 1e10}, "params.*is no number"),
        ("chinchilla", COEFS, {"params": np.nan, "tokens": 1e10}, "params = nan is not a finite number"),
        ("chinchilla", COEFS, {"params": 1e9, "tokens": np.inf}, "tokens = inf is not a finite number"),
        ("chinchilla", COEFS, {"params": np.ma.array([1e9, 2e9], mask=[0, 1]), "tokens": 1e10}, "1 of 2 cells"),
        ("chinchilla", COEFS, {"flops": 1e21, "tokens_per_param": 0.0}, "tokens_per_param.*positive"),
        ("chinchilla", COEFS, {"flops": 1e21}, "Any two of"),
    ],
)
def test_what_no_run_can_have_is_refused_by_name(law, constants, inputs, said):
    with pytest.raises(js.UsageError, match=said):
        js.predict(law, constants, **inputs)


@pytest.mark.parametrize(
    "sizes",
    [
        {"params": 1e9, "flops": 1.2e20},
        {"tokens": 2e10, "flops": 1.2e20},
        {"flops": 1.2e20, "tokens_per_param": 20},
        {"params": 10**9, "tokens_per_param": 20.0},
        {"tokens": [2 * 10**10], "tokens_per_param": 20.0},
    ],
)
@pytest.mark.parametrize("law", ["chinchilla", "overtraining"])
def test_any_two_sizes_decide_the_others(law, sizes):
    constants = "besiroglu2024" if law == "chinchilla" else "gadre2024-c4"
    inputs = {"params": 1e9, "tokens": 2e10} if law == "chinchilla" else {"flops": 1.2e20, "tokens_per_param": 20.0}
    np.testing.assert_allclose(js.predict(law, constants, **sizes), js.predict(law, constants, **inputs), rtol=1e-13)


ASKED = {
    "predict": lambda law, coefs: js.predict(law, coefs, params=1e9, tokens=2e10),
    "frontier": lambda law, coefs: js.frontier(law=law, coefs=coefs, flops=1e21),
    "isoloss": lambda law, coefs: js.isoloss(law=law, coefs=coefs, loss=2.5, params=[1e9]),
}


@pytest.mark.parametrize("verb", ASKED)
@pytest.mark.parametrize(
    ("law", "changed", "said"),
    [
        ("chinchilla", {"A": -1.0}, "A = -1 is outside its support"),
        ("chinchilla", {"alpha": np.nan}, "alpha = nan is not a finite number"),
        ("chinchilla", {"A": np.inf}, "A = inf is not a finite number"),
        ("chinchilla", {"alpha": True}, "alpha = True is no number"),
        ("chinchilla", {"alpha": "0.3"}, "alpha = '0.3' is no number"),
    ],
)
def test_coefs_that_a_law_cannot_have_are_refused_by_name(verb, law, changed, said):
    with pytest.raises(js.UsageError, match=said):
        ASKED[verb](law, {**COEFS, **changed})


def test_experts_that_begin_above_their_ceiling_are_refused():
    for low, high in ((400.0, 300.0), (300.0, 300.0)):
        with pytest.raises(js.UsageError, match=f"E_start = {low:g} must be below E_max = {high:g}"):
            js.predict("routed", {**ROUTED, "E_start": low, "E_max": high}, params=1e8, experts=8.0)
        assert np.isnan(saturated_experts(8.0, low, high))
    assert np.isnan(saturated_experts(0.2, 2.0, 300.0))


BATCH = {"B_star": 1e8, "alpha_B": 0.2, "L_inf": 1.2}


def test_where_a_law_has_no_value_it_is_refused_with_the_reason():
    """A critical batch of a loss that no run reaches; at the floor itself it is infinite."""
    with pytest.raises(js.UsageError, match=r"no value at loss_reached = 1: loss_reached must be above L_inf = 1.2"):
        js.predict("critical-batch-offset", BATCH, loss_reached=[2.5, 1.0])
    assert js.predict("critical-batch-offset", BATCH, loss_reached=1.2) == np.inf
    law = law_from_expression("E + A*log(params - P)", ["E:positive", "A:real", "P:positive"], name="shifted")
    with pytest.raises(js.UsageError, match="'shifted' has no value at params = 5e"):
        js.predict(law, {"E": 2.0, "A": -0.1, "P": 1e9}, params=[2e9, 5e8])


def test_the_order_of_coefs_holds_in_each_group_of_a_grouped_law():
    law = grouped(js.LAWS["routed"], ("a", "b"), ("E_start",))
    others = {name: value for name, value in ROUTED.items() if name != "E_start"}
    check_coefs(law, {"E_start[a]": 2.0, "E_start[b]": 3.0, **others})
    with pytest.raises(js.UsageError, match=r"E_start\[b\] = 400 must be below E_max = 300"):
        check_coefs(law, {"E_start[a]": 2.0, "E_start[b]": 400.0, **others})
    offset = grouped(js.LAWS["critical-batch-offset"], ("a", "b"), ("L_inf",))
    with pytest.raises(js.UsageError, match="has no value at loss_reached = 1, "):
        js.predict(
            offset, {"B_star": 1e8, "alpha_B": 0.2, "L_inf[a]": 0.8, "L_inf[b]": 1.2}, loss_reached=1.0, group="b"
        )


def test_every_published_set_and_every_middle_of_the_ranges_can_be():
    for law in js.LAWS:
        for one in law.published:
            check_coefs(law, law.constants(one.name))
        check_coefs(law, {coef.name: float(np.mean(coef.range)) for coef in law.coefs})


def test_experts_stop_helping_at_the_sizes_that_the_page_states():
    law = js.LAWS.resolve("routed")
    for name, want in (("sbase", 1e12), ("rlr", 3.2e10), ("hash", 2.2e11)):
        assert cutoff_params(law.constants(f"clark2022-{name}")) == pytest.approx(want, rel=0.03)
        assert f"{want:.1e} for clark2022-{name}" in " ".join(law.notes)
    assert cutoff_params({"b": -0.1, "c": 0.0}) == np.inf
    assert np.isnan(cutoff_params({"b": 0.1, "c": -0.01}))


@pytest.mark.parametrize("verb", ASKED)
def test_constants_of_another_law_are_answered_with_their_own(verb):
    with pytest.raises(js.UsageError, match=r"besiroglu2024 is a set of constants of 'chinchilla', not of 'pearce'"):
        ASKED[verb]("pearce", "besiroglu2024")


def test_the_algebra_has_no_value_at_coefs_that_are_no_laws():
    for changed in ({"A": -480.0, "B": -2100.0}, {"alpha": -0.35, "beta": -0.37}, {"A": 0.0}):
        found = separable.optimum({**COEFS, **changed}, 1e21)
        assert np.isnan(found.params)
        assert np.isnan(found.loss)


KNOWN = {law.name: law for law in LAWS}


def test_chinchilla_with_equal_exponents_is_the_tied_law_and_no_other_pair_is():
    law, tied = KNOWN["chinchilla"], KNOWN["chinchilla-tied"]
    pairs = [pair for pair in combinations(law.names, 2) if ties(law, tied, *pair)]
    assert pairs == [("alpha", "beta")]


@pytest.mark.parametrize(("one", "other"), [("alpha", "beta"), ("beta", "alpha")])
def test_a_coef_held_at_another_is_answered_with_the_law_that_ties_them(one, other):
    with pytest.raises(js.UsageError, match="law='chinchilla-tied'"):
        check_no_ties(KNOWN["chinchilla"], {one: other}, known=KNOWN)


def test_numbers_are_let_through_as_text_too():
    check_no_ties(KNOWN["chinchilla"], {"alpha": 0.3, "beta": "0.3"}, known=KNOWN)

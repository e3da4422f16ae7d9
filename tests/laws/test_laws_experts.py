"""Laws of experts against their papers' numbers, and against what follows from them without our code."""

import numpy as np
import pytest
from separable import optimum

import jaxscale as js
from jaxscale import precision
from jaxscale.laws.experts import cutoff_params, effective_params, saturated_experts

BUDGETS = np.array([1e19, 1e21, 1e23])
SETS = ("clark2022-sbase", "clark2022-rlr", "clark2022-hash")


def test_a_dense_network_by_clark_has_the_loss_of_the_reference():
    """laws.md X1: 2.744 at 1e8 params and one expert with base 10; with natural logarithms it would be 0.69."""
    assert js.predict("routed", "clark2022-sbase", params=1e8, experts=1) == pytest.approx(2.744, abs=5e-4)


@pytest.mark.parametrize("name", SETS)
def test_effective_experts_begin_at_their_start_and_never_pass_their_ceiling(name):
    coefs = js.LAWS.resolve("routed").constants(name)
    with precision.float64():
        found = np.asarray(saturated_experts(np.array([1.0, 2.0, 512.0, 1e12]), coefs["E_start"], coefs["E_max"]))
    assert found[0] == pytest.approx(coefs["E_start"], rel=1e-14)
    assert (np.diff(found) > 0).all()
    assert found[-1] == pytest.approx(coefs["E_max"], rel=1e-9)


@pytest.mark.parametrize("name", SETS)
def test_a_routed_network_has_the_loss_of_the_dense_one_of_its_effective_size(name):
    coefs = js.LAWS.resolve("routed").constants(name)
    with precision.float64():
        dense = np.asarray(effective_params(3e8, 64.0, coefs))
    assert dense > 3e8
    want = js.predict("routed", coefs, params=3e8, experts=64)
    assert js.predict("routed", coefs, params=dense, experts=1) == pytest.approx(float(want), rel=1e-13)


def test_beyond_the_cutoff_more_experts_no_longer_help():
    """laws.md X1: 10^(-b/c) is 1e12 for S-BASE, where the paper has 937e9."""
    coefs = js.LAWS.resolve("routed").constants("clark2022-sbase")
    assert cutoff_params(coefs) == pytest.approx(1e12, rel=1e-12)
    few, many = (js.predict("routed", coefs, params=1e12, experts=count) for count in (2, 400))
    assert many == pytest.approx(float(few), rel=1e-12)
    assert js.predict("routed", coefs, params=2e12, experts=400) > js.predict("routed", coefs, params=2e12, experts=2)


def test_a_law_without_tokens_has_no_frontier():
    with pytest.raises(js.UsageError, match="says nothing about how to split a budget"):
        js.frontier(law="routed", coefs="clark2022-hash", flops=1e20, fixed={"experts": 8})


@pytest.mark.parametrize(("granularity", "want"), [(1, 3.0776), (8, 2.9418)])
def test_krajewski_reproduces_the_reference(granularity, want):
    """laws.md X2, at 1e9 params and 1e11 tokens."""
    found = js.predict("granularity", "krajewski2024", params=1e9, tokens=1e11, granularity=granularity)
    assert found == pytest.approx(want, abs=5e-5)


def test_the_frontier_at_held_granularity_is_the_closed_form_with_its_scale():
    c = js.LAWS.resolve("granularity").constants("krajewski2024")
    front = js.frontier(law="granularity", coefs=c, flops=BUDGETS, fixed={"granularity": 8})
    params, tokens = optimum(c["a"] + c["g"] / 8 ** c["gamma"], c["b"], c["alpha"], c["beta"], BUDGETS / 6)
    np.testing.assert_allclose(front.params, params, rtol=1e-9)
    np.testing.assert_allclose(front.tokens, tokens, rtol=1e-9)


JOINT = {
    "a": 35.91, "alpha": -0.1889, "delta": -0.2285, "gamma": 0.0098, "b": 35.98, "beta": -0.1775, "omega": 0.5529,
    "zeta": -0.0259, "c": 1.3637, "E_start": 2.07, "E_max": 290.45,
}  # fmt: skip


@pytest.mark.parametrize(("experts", "want"), [(1, 2.440), (8, 2.363)])
def test_the_joint_law_reproduces_the_reference(experts, want):
    """laws.md X3, at 1e9 active params and 1e11 tokens, with the one pattern of signs that is plausible there.

    The reference prints 2.440, and its own magnitudes give 2.4393 by hand: hence one unit of its last digit.
    """
    found = js.predict("experts-joint", JOINT, params=1e9, tokens=1e11, experts=experts)
    assert found == pytest.approx(want, abs=1e-3)


def test_the_joint_law_ships_without_constants_of_unsure_sign():
    assert js.LAWS.resolve("experts-joint").published == ()


@pytest.mark.parametrize(("idle", "want"), [(0.0, 2.566), (0.9, 2.702)])
def test_abnar_reproduces_the_reference(idle, want):
    """laws.md X4, at 1e9 params and 2e10 tokens."""
    found = js.predict("experts-sparsity", "abnar2025", params=1e9, tokens=2e10, idle_experts=idle)
    assert found == pytest.approx(want, abs=5e-4)


def test_parallel_streams_count_as_params_by_their_logarithm():
    coefs = {"E": 1.2, "A": 2e8, "k": 0.4, "alpha": 0.2}
    eight = js.predict("parallel-streams", coefs, params=1e9, streams=8)
    assert eight == pytest.approx(1.2 + (0.2 / (0.4 * np.log(8) + 1)) ** 0.2, rel=1e-14)

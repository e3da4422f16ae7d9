"""Kaplan's laws against the numbers of the paper, and the implicit one against fifty digits."""

import jax
import mpmath
import numpy as np
import pytest
from test_laws_contract import root_of_kaplan_compute

import jaxscale as js
from jaxscale import precision
from jaxscale.laws import LAWS
from jaxscale.laws.kaplan import PF_DAY

COMPUTE = LAWS.resolve("kaplan-compute")
FAMILY = (
    *("kaplan", "kaplan-params", "kaplan-tokens", "kaplan-flops", "kaplan-flops-min", "kaplan-steps", "kaplan-compute"),
    *("critical-batch", "critical-batch-offset", "steps-examples", "transfer-offset"),
)
PAIRS = (("N_c", "D_c"), ("alpha_N", "alpha_B"), ("alpha_S", "alpha_B"), ("D_c", "alpha_S"))


@pytest.mark.parametrize(
    ("law", "inputs", "want"),
    [
        ("kaplan-params", {"params": 1.5e9}, 2.3035506),
        ("kaplan-tokens", {"tokens": 22e9}, 2.0991683),
        ("kaplan-flops-min", {"flops": 8.64e19}, 2.6580802),
    ],
)
def test_the_published_sets_reproduce_the_self_check_of_the_reference(law, inputs, want):
    """laws.md (c) 1."""
    assert js.predict(law, "kaplan2020", **inputs) == pytest.approx(want, rel=1e-6)


def test_scales_of_compute_are_flop_at_full_precision():
    """Table 5: 1.6e7 and 3.1e8 PF-days of 1e15 · 86400 FLOP, where each loss is one nat."""
    assert PF_DAY == 1e15 * 86400
    assert js.predict("kaplan-flops", "kaplan2020", flops=1.6e7 * 8.64e19) == pytest.approx(1.0, rel=1e-15)
    assert js.predict("kaplan-flops-min", "kaplan2020", flops=3.1e8 * 8.64e19) == pytest.approx(1.0, rel=1e-15)


def test_doubling_the_size_multiplies_the_loss_by_095():
    """§1.2 of the paper."""
    one, two = js.predict("kaplan-params", "kaplan2020", params=np.array([1e8, 2e8]))
    assert round(two / one, 2) == 0.95


def test_the_critical_batch_about_doubles_for_a_fall_of_the_loss_by_13_percent():
    """laws.md K8: 1.94."""
    one, two = js.predict("critical-batch", "kaplan2020", loss_reached=np.array([3.0, 3.0 * 0.87]))
    assert round(two / one, 2) == 1.94


def test_an_offset_of_nothing_is_the_law_without_one():
    coefs = LAWS.resolve("critical-batch").constants("kaplan2020")
    reached = np.linspace(2.0, 6.0, 5)
    plain = js.predict("critical-batch", coefs, loss_reached=reached)
    np.testing.assert_allclose(
        js.predict("critical-batch-offset", {**coefs, "L_inf": 0.0}, loss_reached=reached), plain
    )


def test_steps_and_tokens_double_at_the_critical_batch():
    coefs = {"S_min": 4e3, "E_min": 8e9}
    assert js.predict("steps-examples", coefs, batch=8e9 / 4e3) == pytest.approx(2 * 4e3, rel=1e-15)


@pytest.fixture(scope="module")
def bends_of():
    """The second derivatives of `kaplan-compute` in its coefs, compiled once."""
    hessian = jax.jit(jax.hessian(lambda coefs, params, flops: COMPUTE.loss(params, flops, **coefs)))

    def bends(coefs, params, flops):
        with precision.float64():
            found = hessian(coefs, params, flops)
            return {(first, second): float(found[first][second]) for first, second in PAIRS}

    return bends


@pytest.mark.parametrize(
    "run", [(5.8e8, PF_DAY), (1e9, 1e17), (1e7, 1e23)], ids=["efficient", "steps lead", "size leads"]
)
def test_the_loss_on_a_budget_has_exact_second_derivatives(bends_of, run):
    coefs = COMPUTE.constants("kaplan2020")
    bends = bends_of(coefs, *run)
    with mpmath.workdps(50):
        point = {name: mpmath.mpf(value) for name, value in coefs.items()}
        sizes = dict(zip(COMPUTE.inputs, map(mpmath.mpf, run), strict=True))
        for first, second in PAIRS:

            def loss(x, y, first=first, second=second):
                return root_of_kaplan_compute(sizes, {**point, first: x, second: y})

            want = float(mpmath.diff(loss, (point[first], point[second]), (1, 1)))
            assert bends[first, second] == pytest.approx(want, rel=1e-9), (first, second)


@pytest.mark.parametrize("name", FAMILY)
def test_every_law_of_the_family_says_what_misleads(name):
    notes = LAWS.resolve(name).notes
    assert notes
    assert all(note.endswith(".") for note in notes)


def test_what_the_paper_prints_of_itself_is_told_with_its_errata():
    notes = " ".join(COMPUTE.notes)
    for number in ("C_min^0.73", "C_min^0.24", "C_min^0.03", "0.054", "0.0520", "0.0525"):
        assert number in notes

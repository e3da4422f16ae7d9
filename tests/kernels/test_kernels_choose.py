"""Which form of the pass a device gets: the plain one, unless a measurement or a person says otherwise."""

import pytest

from jaxscale.errors import UsageError
from jaxscale.kernels import choose
from jaxscale.kernels.rows import INTERPRETED, ON_GPU, ON_TPU
from jaxscale.solvers.problem import evaluate

MEASURED = {"Fast Chip": 3.0, "Slow Chip": 0.5}


@pytest.mark.parametrize(
    ("platform", "kind", "form", "reason"),
    [
        ("cpu", "cpu", "plain", "Pallas only interprets on a CPU"),
        ("gpu", "Fast Chip", "kernel", "measured on Fast Chip: the kernel is 3 times as fast as XLA's own"),
        ("gpu", "Slow Chip", "plain", "measured on Slow Chip: the kernel is no faster than XLA's own (0.5 times)"),
        ("tpu", "New Chip", "plain", "the kernel was not measured on this device (New Chip)"),
        ("metal", "M9", "plain", "no kernel is written for the platform 'metal'"),
    ],
)
def test_the_measurement_decides_and_the_reason_says_so(platform, kind, form, reason):
    choice = choose(platform, kind=kind, gains=MEASURED)
    assert (choice.form, choice.reason) == (form, reason)
    assert (choice.evaluate is evaluate) == (form == "plain")


@pytest.mark.parametrize(("platform", "kernel"), [("cpu", INTERPRETED), ("gpu", ON_GPU), ("tpu", ON_TPU)])
def test_a_form_that_is_asked_for_is_given(platform, kernel):
    assert choose(platform, kind="Slow Chip", form="kernel", gains=MEASURED).evaluate == kernel
    assert choose(platform, kind="Fast Chip", form="plain", gains=MEASURED).evaluate is evaluate
    assert choose(platform, form="kernel").reason.startswith("asked for")


@pytest.mark.parametrize(
    ("platform", "form", "told"),
    [("metal", "kernel", "no kernel is written for the platform 'metal'"), ("gpu", "kernal", "unknown form 'kernal'")],
)
def test_a_kernel_that_is_not_there_is_refused(platform, form, told):
    with pytest.raises(UsageError, match=told):
        choose(platform, form=form)


def test_equal_choices_key_the_same_program():
    assert hash(choose("gpu", form="kernel")) == hash(choose("gpu", form="kernel"))
    assert choose("gpu", form="kernel") == choose("gpu", form="kernel") != choose("tpu", form="kernel")

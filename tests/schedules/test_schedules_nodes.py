"""A few nodes stand for every change of a learning rate: held against the full sum over all steps."""

import numpy as np
import pytest

import jaxscale as js
from jaxscale import schedules
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS
from jaxscale.laws.predicting import random_coefs
from jaxscale.schedules.columns import columns_of
from jaxscale.schedules.schedule import NODES, pieces_of

WARM = {"peak": 3e-4, "warmup": 2160}
SHAPES = {
    "constant": schedules.constant(24_000, **WARM),
    "cosine": schedules.cosine(24_000, end=3e-5, **WARM),
    "long cosine": schedules.cosine(72_000, end=3e-5, **WARM),
    "to 1 %": schedules.cosine(24_000, end=3e-6, **WARM),
    "linear": schedules.linear(24_000, end=3e-5, **WARM),
    "exponential": schedules.wsd(24_000, end=3e-5, decay_from=20_000, **WARM),
    "straight": schedules.wsd(24_000, end=3e-5, decay_from=20_000, decay="linear", **WARM),
    "two stages": schedules.two_stage(16_000, second=9e-5, drop_at=8_000, **WARM),
    "rising again": schedules.Schedule(
        np.concatenate([np.linspace(1e-5, 3e-4, 300), np.linspace(3e-4, 5e-5, 4000), np.linspace(5e-5, 2e-4, 2000)])
    ),
}
LATE = [10_000, 20_000, 23_000, 23_900, 23_990, 23_999, 24_000]
TO_ZERO = {
    "cosine": lambda end: schedules.cosine(24_000, end=end, **WARM),
    "linear": lambda end: schedules.linear(24_000, end=end, **WARM),
    "straight": lambda end: schedules.wsd(24_000, end=end, decay_from=20_000, decay="linear", **WARM),
    "two stages": lambda end: schedules.two_stage(24_000, second=end, drop_at=23_995, **WARM),
}


def full_sum(schedule, step, coefs):
    """The law of Luo et al. as printed: every step from 1 to now, warm-up included, in float64."""
    rates, sums = schedule.rates, np.cumsum(schedule.rates)
    k = np.arange(1, step + 1)
    k = k[rates[k] > 0]  # as a rate goes to zero, so does C rate^-gamma S after it, and with it the gain
    since = sums[step] - sums[k - 1]
    gain = 1.0 - (1.0 + coefs["C"] * rates[k] ** -coefs["gamma"] * since) ** -coefs["beta"]
    drop = rates[k - 1] - rates[k]
    return coefs["L0"] + coefs["A"] * sums[step] ** -coefs["alpha"] - coefs["B"] * np.sum(drop * gain)


def settings():
    """The published constants and five settings of the documented range."""
    law, random = LAWS.resolve("multi-power"), np.random.default_rng(5)
    return [law.constants(one.name) for one in law.published] + [random_coefs(law, random) for _ in range(5)]


def steps_of(schedule):
    """Steps in and just after the warm-up, around every corner, and up to the end."""
    corners = [step for piece in pieces_of(schedule) for step in piece]
    near = [corner + more for corner in corners for more in (-1, 0, 1, 16, 300)]
    return sorted({step for step in (1, 7, 100, 2300, 9_000, schedule.steps, *near) if 1 <= step <= schedule.steps})


@pytest.mark.parametrize("name", SHAPES)
def test_the_loss_is_that_of_the_full_sum_to_1e_7(name):
    schedule = SHAPES[name]
    steps = steps_of(schedule)
    columns = columns_of([schedule] * len(steps), steps)
    for coefs in settings():
        got = js.predict("multi-power", coefs, **columns)
        want = [full_sum(schedule, step, coefs) for step in steps]
        np.testing.assert_allclose(got, want, rtol=1e-7)


def test_a_fall_to_nothing_is_summed_to_1e_5():
    """At a last rate of 1e-5 of the peak singular points ensemble around the last steps, and the error is larger."""
    schedule = schedules.cosine(24_000, end=3e-9, **WARM)
    columns = columns_of([schedule] * len(LATE), LATE)
    for coefs in settings():
        want = [full_sum(schedule, step, coefs) for step in LATE]
        np.testing.assert_allclose(js.predict("multi-power", coefs, **columns), want, rtol=1e-5)


@pytest.mark.parametrize("name", TO_ZERO)
def test_a_decay_to_zero_is_summed_and_is_the_limit_of_decays_to_ever_less(name):
    """Steps at a rate of zero, at either end, change nothing that the law speaks of."""
    make = TO_ZERO[name]
    schedule = make(0.0)
    idle = schedules.Schedule(np.concatenate([schedule.rates, np.zeros(50)]))
    columns, near = (columns_of([one] * len(LATE), LATE) for one in (schedule, make(1e-200)))
    later = columns_of([idle], [24_030])
    for coefs in settings():
        got = js.predict("multi-power", coefs, **columns)
        np.testing.assert_allclose(got, [full_sum(schedule, step, coefs) for step in LATE], rtol=1e-6)
        np.testing.assert_allclose(got, js.predict("multi-power", coefs, **near), rtol=1e-5)
        np.testing.assert_allclose(js.predict("multi-power", coefs, **later), got[-1:], rtol=1e-12)


def test_a_row_needs_two_pieces_of_nodes_and_no_more():
    columns = columns_of([SHAPES["long cosine"]], [71_808])
    assert columns["rate_drops"].shape == (1, 56)
    assert np.count_nonzero(columns["rate_drops"]) <= 2 * NODES + 8


def test_what_the_nodes_drop_is_what_the_rate_dropped():
    """To the rounding of one step's drop, which is 1e-4 of a rate or less."""
    for schedule in SHAPES.values():
        columns = columns_of([schedule] * 2, [3_000, schedule.steps])
        fallen = schedule.rates[0] - schedule.rates[[3_000, schedule.steps]]
        np.testing.assert_allclose(columns["rate_drops"].sum(axis=1), fallen, rtol=1e-10)
        np.testing.assert_allclose(columns["rate_sum"], np.cumsum(schedule.rates)[[3_000, schedule.steps]], rtol=1e-15)


def test_annealing_is_the_double_sum_of_the_momentum_of_the_drops():
    """S2 = Σ_s Σ_(k ≤ s) momentum^(s - k) drop_k, after the warm-up."""
    schedule = schedules.wsd(600, peak=1e-3, end=1e-4, decay_from=400, warmup=50)
    rates, momentum = schedule.rates, 0.98
    for step in (300, 401, 500, 600):
        k = np.arange(50, step + 1)
        want = np.sum((rates[k - 1] - rates[k]) * (1 - momentum ** (step - k + 1)) / (1 - momentum))
        got = columns_of([schedule], [step], momentum=momentum)["annealing"][0]
        assert got == pytest.approx(want, rel=1e-12, abs=1e-18)


@pytest.mark.parametrize("step", [0, 1.5, 24_001, -3])
def test_a_step_outside_the_schedule_is_refused(step):
    with pytest.raises(UsageError, match=r"outside a schedule of 24000 steps"):
        columns_of([SHAPES["cosine"]], [step])


def test_a_rate_that_never_settles_is_refused():
    noisy = schedules.Schedule(np.random.default_rng(1).uniform(1e-4, 3e-4, 1000))
    with pytest.raises(UsageError, match="changes its pace"):
        columns_of([noisy], [900])


@pytest.mark.parametrize("rates", [[1e-4], [0.0, 0.0], [-1e-4, 1e-4], [1e-4, np.nan], [1e-4, 0.0, 1e-4]])
def test_rates_that_are_none_are_refused(rates):
    with pytest.raises(UsageError, match="rate"):
        schedules.Schedule(rates)


def test_an_exponential_decay_to_zero_is_refused():
    with pytest.raises(UsageError, match="never comes to end = 0"):
        schedules.wsd(100, peak=1e-3, end=0.0, decay_from=80)

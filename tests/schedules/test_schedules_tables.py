"""From a table with a row per logged step to runs that laws of schedules take."""

import numpy as np
import pytest

import jaxscale as js
from jaxscale import schedules
from jaxscale.errors import RunsError, UsageError
from jaxscale.schedules import schedules_of, with_schedules

COSINE = schedules.cosine(6_000, peak=3e-4, end=3e-5, warmup=200)
DROPPED = schedules.two_stage(4_000, peak=3e-4, second=9e-5, drop_at=2_000, warmup=200)


def logged(every=100):
    """Two runs logged every so many steps, with the losses of the multi-power law at constants of Luo et al."""
    steps = {"cosine": np.arange(every * 3, 6_001, every), "dropped": np.arange(every * 3, 4_001, every)}
    known = {"cosine": COSINE, "dropped": DROPPED}
    return js.Runs.from_arrays(
        loss=np.ones(sum(map(len, steps.values()))),
        step=np.concatenate(list(steps.values())),
        lr=np.concatenate([known[name].rates[at] for name, at in steps.items()]),
        run=np.concatenate([np.repeat(name, len(at)) for name, at in steps.items()]),
    )


def test_known_schedules_give_each_row_the_columns_of_its_own():
    runs = with_schedules(logged(), {"cosine": COSINE, "dropped": DROPPED}, run="run")
    want = schedules.columns_of([{"cosine": COSINE, "dropped": DROPPED}[name] for name in runs["run"]], runs["step"])
    for name, column in want.items():
        np.testing.assert_array_equal(runs[name], column)
    assert runs.origin.derived["rate_sum"] == "sum of lr"


def test_rates_read_off_a_table_give_nearly_the_loss_of_the_formula():
    """A drop is found exactly. Of the cosine the 100 steps before the first row are unknown, and those between rows.

    They are taken as even, which moves S1 there by 4e-4, and the loss, of 2 nats above its floor, by a fourth of that.
    """
    coefs, table = "luo2025-400m", logged()
    exact = with_schedules(table, {"cosine": COSINE, "dropped": DROPPED}, run="run")
    read = with_schedules(table, run="run", warmup=200)
    got, want = (js.predict("multi-power", coefs, **_inputs(runs)) for runs in (read, exact))
    np.testing.assert_allclose(got, want, rtol=2e-4)
    is_dropped = read["run"] == "dropped"
    np.testing.assert_allclose(got[is_dropped], want[is_dropped], rtol=1e-9)


def _inputs(runs):
    return {name: runs[name] for name in ("rate_sum", "rate_drops", "rates_after", "sums_since")}


def test_a_group_says_which_rows_are_one_run():
    table = logged()
    grouped = js.Runs.from_arrays(loss=table.loss, step=table["step"], lr=table["lr"], group=table["run"])
    found = schedules_of(grouped, warmup=200)
    assert list(found) == ["cosine", "dropped"]
    np.testing.assert_allclose(found["dropped"].rates, DROPPED.rates, rtol=1e-15)


def test_two_runs_taken_for_one_are_refused():
    with pytest.raises(RunsError, match=r"two learning rates at step .*group="):
        schedules_of(logged())


def test_a_warm_up_after_the_first_row_is_refused():
    with pytest.raises(UsageError, match="warmup = 900 is not a whole number from 0 to 300"):
        with_schedules(logged(), run="run", warmup=900)


def test_a_run_without_a_schedule_is_refused():
    with pytest.raises(UsageError, match="run 'dropped' has no schedule; those given are cosine"):
        with_schedules(logged(), {"cosine": COSINE}, run="run")


@pytest.mark.parametrize(("column", "value"), [("step", 0.5), ("lr", -1e-4)])
def test_rows_without_a_step_or_a_rate_are_refused(column, value):
    table = {"step": np.array([100.0, 200.0]), "lr": np.array([1e-3, 1e-3])}
    table[column][1] = value
    with pytest.raises(RunsError, match=f"{column} must be .* rows 2 are not"):
        schedules_of(js.Runs.from_arrays(loss=[3.0, 2.9], **table))


def test_a_decay_to_zero_and_a_warm_up_from_zero_are_read_off_a_table():
    schedule = schedules.linear(6_000, peak=3e-4, end=0.0, warmup=200)
    steps = np.array([1, 199, 200, 1_000, 3_000, 6_000])
    rates = np.concatenate([[0.0], schedule.rates[steps[1:]]])
    found = schedules_of(js.Runs.from_arrays(loss=np.ones(6), step=steps, lr=rates))["all"]
    np.testing.assert_allclose(found.rates[200:], schedule.rates[200:], rtol=1e-12)
    assert found.rates[1] == 0.0


def test_a_rate_of_zero_in_the_midst_of_a_run_is_refused_by_the_name_of_the_run():
    table = {"step": [100, 200, 300], "lr": [1e-3, 0.0, 1e-3], "run": ["a", "a", "a"]}
    with pytest.raises(RunsError, match="run 'a' make no schedule: the rate of step 200 is 0 and rises again later"):
        schedules_of(js.Runs.from_arrays(loss=[3.0, 2.9, 2.8], **table), run="run")


def test_what_was_logged_before_the_first_step_is_refused_with_the_way_out():
    runs = js.Runs.from_arrays(loss=[11.0, 3.0, 2.9], step=[0, 100, 200], lr=[0.0, 1e-3, 1e-3])
    with pytest.raises(RunsError, match=r"rows 1 are not; leave out .*: where=\['step > 0'\]"):
        schedules_of(runs)
    assert schedules_of(runs.where("step > 0"))["all"].steps == 200


def test_a_fit_of_a_table_without_its_schedules_says_how_to_make_them():
    with pytest.raises(RunsError, match="with_schedules"):
        js.fit(logged(), "multi-power")


def test_predictions_of_vectors_broadcast_over_the_axes_before_them():
    columns = schedules.columns_of([COSINE] * 3, [1_000, 3_000, 6_000])
    one_by_one = js.predict("multi-power", "luo2025-25m", **columns)
    last = {name: column[2] for name, column in columns.items()}
    assert js.predict("multi-power", "luo2025-25m", **last) == pytest.approx(float(one_by_one[2]), rel=1e-15)
    sums = columns["rate_sum"][:, None] * np.array([1.0, 2.0])
    nodes = {name: column[:, None, :] for name, column in columns.items() if column.ndim == 2}
    table = js.predict("multi-power", "luo2025-25m", rate_sum=sums, **nodes)
    assert table.shape == (3, 2)
    np.testing.assert_allclose(table[:, 0], one_by_one, rtol=1e-15)


def test_a_vector_given_as_one_number_is_refused():
    with pytest.raises(UsageError, match="rate_drops is one number, but 'multi-power' takes several"):
        js.predict("multi-power", "luo2025-25m", rate_sum=1.0, rate_drops=0.0, rates_after=1e-3, sums_since=1.0)


def test_what_comes_later_does_not_change_the_annealing_of_a_step():
    """A second peak, higher than the first by one ulp, leaves what the steps before it have seen."""
    step = np.arange(3001.0)
    rates = np.where(step < 100, 1e-3 * (step + 1) / 100, 1e-3 - 9e-4 * np.clip((step - 100) / 1400, 0.0, 1.0))
    again = np.where(step > 1500, np.nextafter(1e-3, 1.0), rates)
    first, later = (
        schedules.columns_of([schedules.Schedule(one)], [1500])["annealing"] for one in (rates[:1501], again)
    )
    assert first[0] > 0
    np.testing.assert_array_equal(first, later)


@pytest.mark.parametrize("make", [schedules.cosine, schedules.linear])
def test_a_schedule_without_a_step_for_its_decay_is_refused(make):
    with pytest.raises(UsageError, match="never reached"):
        make(100, peak=1e-3, end=1e-4, warmup=100)

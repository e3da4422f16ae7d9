"""Two steps from size and data to accuracy: both refitted to the same draws, so that their errors stay tied."""

from dataclasses import replace

import numpy as np
import pytest

import jaxscale as js
from jaxscale.errors import RunsError, UsageError
from jaxscale.refitting import TwoSteps, two_steps

pytestmark = pytest.mark.slow

COEFS = {"E": 0.6, "A": 300.0, "B": 900.0, "alpha": 0.32, "beta": 0.34}
WORTH = {"a": 0.55, "b": 0.25, "k": -3.0, "L_0": 1.4}
AT = {"params": np.array([7e9, 7e10]), "tokens": np.array([1.4e11, 1.4e12])}


@pytest.fixture(scope="module")
def runs():
    """60 runs whose noise in task loss and accuracy has one cause: a lucky run is better in both."""
    random = np.random.default_rng(2)
    columns = {"params": 10 ** random.uniform(7.5, 9.5, 60), "tokens": 10 ** random.uniform(9, 11, 60)}
    luck = random.standard_normal(60)
    exact = js.predict("task-loss", COEFS, **columns)
    accuracy = js.predict("accuracy-sigmoid", WORTH, task_loss=exact)
    accuracy = accuracy - 0.01 * luck + 0.002 * random.standard_normal(60)
    return js.Runs.from_arrays(loss=exact * np.exp(0.01 * luck), accuracy=accuracy, **columns)


@pytest.fixture(scope="module")
def both(runs):
    return two_steps(runs, replicates=200, seed=3, objective="squared")


def test_both_steps_draw_the_same_runs(both):
    for replicate in (0, 17, 199):
        np.testing.assert_array_equal(both.first.weights(replicate), both.second.weights(replicate))


def test_the_joint_band_is_that_of_an_explicit_loop(both):
    """Each replicate's accuracy from its own two sets of coefs, in NumPy, one at a time."""
    looped = np.full((len(both), 2), np.nan)
    for r in np.flatnonzero(both.first.usable & both.second.usable):
        one = {name: values[r] for name, values in both.first.coefs.items()}
        two = {name: values[r] for name, values in both.second.coefs.items()}
        loss = one["E"] + one["A"] * AT["params"] ** -one["alpha"] + one["B"] * AT["tokens"] ** -one["beta"]
        looped[r] = two["a"] / (1 + np.exp(-two["k"] * (loss - two["L_0"]))) + two["b"]
    np.testing.assert_allclose(both.samples(**AT), looped, rtol=1e-12)
    band, want = both.band(**AT), js.band(looped)
    np.testing.assert_allclose([band.lower, band.upper], [want.lower, want.upper], rtol=1e-12)
    assert band.n_used == int(both.usable.sum()) > 150


def test_steps_whose_groups_differ_are_not_the_same_draws(runs):
    ensembles = []
    for group in (np.arange(60) % 10, np.arange(60) // 6):
        named = replace(runs, group=np.array([f"g{one}" for one in group], dtype=object))
        ensembles.append(two_steps(named, replicates=20, objective="squared", scheme="cluster"))
    with pytest.raises(UsageError, match="other draws"):
        TwoSteps(ensembles[0].first, ensembles[1].second)


def test_what_is_known_of_a_step_stays_as_it_is_in_that_step(runs):
    found = two_steps(runs, replicates=20, objective="squared", fix={"E": COEFS["E"]}, second_fix={"b": WORTH["b"]})
    assert found.first.fit.fixed == ("E",)
    assert found.second.fit.fixed == ("b",)
    assert (found.first.coefs["E"] == COEFS["E"]).all()
    assert (found.second.coefs["b"] == WORTH["b"]).all()


def test_pairing_the_replicates_otherwise_gives_another_band(both):
    """With the covariance of the two steps lost; the draws of a reversed ensemble are no longer the same."""
    crossed = {name: values[::-1] for name, values in both.second.coefs.items()}
    other = TwoSteps(both.first, replace(both.second, coefs=crossed, status=both.second.status[::-1]))
    tied, loose = both.band(**AT), other.band(**AT)
    change = (loose.upper - loose.lower) / (tied.upper - tied.lower) - 1
    assert np.abs(change).max() > 0.05


def test_the_point_prediction_chains_the_point_fits(both):
    loss = js.predict(both.first.fit, **AT)
    np.testing.assert_allclose(both.predict(**AT), js.predict(both.second.fit, task_loss=loss), rtol=1e-14)


def test_a_replicate_counts_only_where_both_steps_ended(both):
    first, second = both.first.status.copy(), both.second.status.copy()
    first[:2], second[1:4] = js.Status.STALLED, js.Status.SINGULAR
    mixed = TwoSteps(replace(both.first, status=first), replace(both.second, status=second))
    assert not mixed.usable[:4].any()
    assert [js.Status(int(code)) for code in mixed.status[:4]] == [
        js.Status.STALLED, js.Status.STALLED, js.Status.SINGULAR, js.Status.SINGULAR
    ]  # fmt: skip
    assert np.isnan(mixed.samples(**AT)[:4]).all()


def test_ensembles_of_other_draws_are_refused(both):
    with pytest.raises(js.UsageError, match="other draws"):
        TwoSteps(both.first, replace(both.second, seed=4))


def test_a_table_without_the_accuracy_is_refused_with_the_nearest(runs):
    with pytest.raises(RunsError, match="Did you mean 'accuracy'"):
        two_steps(runs, accuracy="acuracy")


def test_a_second_step_with_two_inputs_is_refused(runs):
    with pytest.raises(js.UsageError, match="takes params, tokens"):
        two_steps(runs, second="chinchilla")

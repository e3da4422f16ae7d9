"""A floor at zero: the edge itself, an interval to one side, and in every replicate the minimum of the law without it.

With E = 0 the law of a floor and a power is the law of a power, fitted by another program: the witness.
"""

import numpy as np
import pytest

import jaxscale as js
from jaxscale.status import Status

LAW, WITHOUT = "power-params", "pure-power-params"
PARAMS = np.geomspace(1e7, 1e10, 30)


def table(bend, seed=4):
    """Runs of 5 / N^0.05 with 1 % noise, bent downwards at both ends, which no floor above zero can follow."""
    centred = np.log(PARAMS) - np.log(PARAMS).mean()
    noise = 0.01 * np.random.default_rng(seed).standard_normal(30)
    return js.Runs.from_arrays(params=PARAMS, loss=5 * PARAMS**-0.05 * np.exp(-bend * centred**2 + noise))


@pytest.fixture(scope="module")
def at_zero():
    return js.fit(table(bend=2e-3), LAW)


@pytest.fixture(scope="module")
def near_zero():
    """A table for which some replicates want a floor and some do not."""
    fit = js.fit(table(bend=1e-4), LAW)
    return fit, js.bootstrap(fit, replicates=400)


def test_the_floor_is_zero_and_not_a_small_number(at_zero):
    pure = js.fit(at_zero.runs, WITHOUT)
    assert at_zero.status is Status.AT_BOUND
    assert at_zero.at_bound == ("E",)
    assert at_zero.coefs["E"] == 0.0
    assert at_zero.std["E"] is None
    assert at_zero.value == pytest.approx(pure.value, rel=1e-9)
    assert [at_zero.coefs["A"], at_zero.coefs["alpha"]] == pytest.approx(list(pure.coefs.values()), rel=1e-6)


@pytest.mark.parametrize("objective", ["huber", pytest.param("squared", marks=pytest.mark.slow)])
@pytest.mark.parametrize("seed", range(6))
def test_a_fit_that_runs_into_zero_ends_there_and_never_on_its_way(seed, objective):
    fit = js.fit(table(bend=1e-4, seed=seed), LAW, objective=objective)
    assert fit.is_usable
    pure = js.fit(fit.runs, WITHOUT, objective=objective)
    assert fit.value <= pure.value * (1 + 1e-9)
    assert fit.coefs["E"] == 0.0 or fit.coefs["E"] > 1e-9


def test_every_replicate_is_at_zero_or_below_the_law_without_a_floor(near_zero):
    fit, ensemble = near_zero
    pure = js.bootstrap(js.fit(fit.runs, WITHOUT), replicates=400)
    np.testing.assert_array_equal(ensemble.weights(np.arange(400)), pure.weights(np.arange(400)))
    undecided = ~ensemble.usable & pure.usable  # at zero, with a pull that is zero to rounding: neither bound nor not
    assert undecided.sum() <= 2
    np.testing.assert_allclose(ensemble.value[undecided], pure.value[undecided], rtol=1e-9)
    assert ensemble.usable.mean() > 0.98
    both = ensemble.usable & pure.usable
    floor, at_zero = ensemble.coefs["E"], both & (ensemble.coefs["E"] == 0.0)
    assert 20 < at_zero.sum() < 380  # both kinds, or the test says nothing
    np.testing.assert_array_equal(floor[ensemble.usable] == 0.0, ensemble.status[ensemble.usable] == Status.AT_BOUND)
    np.testing.assert_allclose(ensemble.value[at_zero], pure.value[at_zero], rtol=1e-9)
    np.testing.assert_allclose(ensemble.coefs["alpha"][at_zero], pure.coefs["alpha"][at_zero], rtol=1e-5)
    assert np.all(ensemble.value[both & ~at_zero] < pure.value[both & ~at_zero])


def test_replicates_at_zero_are_counted_in_words(near_zero):
    _, ensemble = near_zero
    (message,) = [finding.message for finding in ensemble.findings if finding.code == "replicates-at-bound"]
    assert message.startswith(f"E = 0 in {np.sum(ensemble.samples('E') == 0.0)} of 400 replicates")


def test_the_interval_of_a_coef_at_its_bound_begins_there_and_leaves_out_one_side(at_zero):
    ensemble = js.bootstrap(at_zero, replicates=200)
    band = ensemble.interval("E", level=0.9)
    assert band.lower == 0.0
    assert band.upper == pytest.approx(np.quantile(ensemble.coefs["E"][ensemble.usable], 0.9))
    assert (band.n_used, band.n_total) == (ensemble.usable.sum(), 200)


def test_the_quantiles_at_zero_are_zero_for_any_width_of_chunk(near_zero):
    fit, ensemble = near_zero
    again = js.bootstrap(fit, replicates=100, chunk=64)
    np.testing.assert_array_equal(again.coefs["E"] == 0.0, ensemble.coefs["E"][:100] == 0.0)
    assert np.quantile(again.coefs["E"], 0.01) == 0.0


def test_predictions_at_the_bound_are_those_of_the_law_without_the_term(at_zero):
    coefs = {name: at_zero.coefs[name] for name in ("A", "alpha")}
    np.testing.assert_allclose(
        js.predict(at_zero, params=PARAMS), js.predict(WITHOUT, coefs, params=PARAMS), rtol=1e-14
    )

"""Standard errors in every replicate: those of the replicate's own table, as somebody would compute them from it."""

import jax
import numpy as np
import pytest

import jaxscale as js
from jaxscale.errors import UsageError
from jaxscale.fitting.covariance import Ordered, covariance_at, covariances_at
from jaxscale.fitting.optimum import Views
from jaxscale.numerics.hosted import rho_of
from jaxscale.resampling import Draw, Scheme

PARAMS = np.geomspace(1e7, 1e10, 30)
SAME = Scheme("same", lambda key, table, fitted: Draw(table.weight), "none")


@pytest.fixture(scope="module")
def runs():
    return js.simulate("pure-power-params", {"A": 30.0, "alpha": 0.12}, columns={"params": PARAMS}, noise=0.02, seed=1)


def test_of_a_line_they_are_those_of_ordinary_least_squares_on_the_drawn_rows(runs):
    fit = js.fit(runs, "pure-power-params", objective="squared")
    ensemble = js.bootstrap(fit, replicates=40, covariance=True)
    for replicate in range(40):
        rows = np.repeat(np.arange(30), ensemble.weights(replicate).astype(int))
        design, target = np.stack([np.ones(30), -np.log(PARAMS)], axis=1)[rows], np.log(runs.loss)[rows]
        found, square, *_ = np.linalg.lstsq(design, target, rcond=None)
        covariance = square[0] / 28 * np.linalg.inv(design.T @ design)
        slope = np.array([np.exp(found[0]), 1.0])  # d A / d ln A
        want = covariance * slope[:, None] * slope
        np.testing.assert_allclose(ensemble.covariance[replicate], want, rtol=1e-6)


@pytest.mark.parametrize("objective", ["squared", "huber"])
def test_on_the_table_itself_they_are_the_standard_errors_of_the_fit(runs, objective):
    fit = js.fit(runs, "pure-power-params", objective=objective)
    ensemble = js.bootstrap(fit, scheme=SAME, replicates=4, covariance=True)
    for name in fit.law.names:
        np.testing.assert_allclose(ensemble.std(name), fit.std[name], rtol=1e-6)


def test_they_are_not_computed_unless_asked_for(runs):
    ensemble = js.bootstrap(js.fit(runs, "pure-power-params"), replicates=4)
    assert ensemble.covariance is None
    assert ensemble.std("A") is None


def test_a_fixed_coef_has_no_spread(runs):
    fit = js.fit(runs, "pure-power-params", objective="squared", fix={"alpha": 0.12})
    ensemble = js.bootstrap(fit, replicates=8, covariance=True)
    np.testing.assert_array_equal(ensemble.std("alpha"), 0.0)
    assert (ensemble.std("A") > 0).all()


def test_a_coef_that_the_law_does_not_have_is_refused_by_name(runs):
    ensemble = js.bootstrap(js.fit(runs, "pure-power-params"), replicates=4)
    for ask in (ensemble.samples, ensemble.interval):
        with pytest.raises(UsageError, match=r"unknown coef 'alpah'\. Did you mean 'alpha'\?"):
            ask("alpah")


def test_a_row_that_is_drawn_often_counts_as_often_under_a_threshold(runs):
    fit = js.fit(runs, "pure-power-params", objective="huber")
    random = np.random.default_rng(0)
    times = random.multinomial(30, np.full(30, 1 / 30), size=3).astype(float)
    pairs, free = ((0, 0), (0, 1), (1, 1)), np.ones(2, bool)
    jacobian, residual = np.stack([np.ones(30), -np.log(PARAMS)], axis=1), fit.residuals

    def views(rows):
        rho = rho_of(fit.objective.rho, residual[rows], fit.objective.scale)
        return Views(residual[rows], rho, jacobian[rows], np.zeros((len(rows), 3)))

    each = jax.tree.map(lambda part: np.stack([part] * 3), views(np.arange(30)))
    found = covariances_at(fit.objective, pairs, each, np.ones(30), fit.objective.scale, free, times)
    for lane, often in enumerate(times):
        rows = np.repeat(np.arange(30), often.astype(int))
        want = covariance_at(fit.objective, pairs, views(rows), np.ones(30), fit.objective.scale, free)
        np.testing.assert_allclose(found[lane], want, rtol=1e-10)


def test_quantiles_of_counted_values_are_numpys_of_the_values_written_out():
    random = np.random.default_rng(1)
    values, often = random.standard_normal((40, 12)), random.integers(0, 4, (40, 12)).astype(float)
    often[:, 0] += 1  # at least one
    found = Ordered.of(values, often)
    for lane in range(40):
        written = np.repeat(values[lane], often[lane].astype(int))
        for share in (0.0, 0.25, 0.5, 0.9, 1.0):
            np.testing.assert_allclose(found.quantile(share)[lane], np.quantile(written, share), rtol=1e-12)
        np.testing.assert_allclose(found.std()[lane], np.std(written), rtol=1e-10, atol=1e-15)

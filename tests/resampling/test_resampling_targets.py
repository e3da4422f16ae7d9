"""Schemes that move the targets: the draw is what was fitted, on whatever way, and the weights stay what they were."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxscale as js
from jaxscale.fitting.checking import recomputed
from jaxscale.resampling import Draw, Scheme

COLUMNS = {"params": np.geomspace(1e7, 1e10, 30)}
TRUTH = {"A": 30.0, "alpha": 0.12}


def signs(key, table, fitted):
    """The wild bootstrap: each residual keeps its size, inflated by its leverage, and takes a random sign."""
    sign = 2.0 * jax.random.bernoulli(key, 0.5, table.weight.shape) - 1.0
    return Draw(table.weight, fitted.residual + sign * fitted.residual / (1.0 - fitted.leverage))


def without_one(key, table, fitted):
    """The jackknife: replicate r leaves row r out."""
    return Draw(table.weight.at[table.replicate].set(0.0))


WILD = Scheme("signs", signs, "Wu 1986, Annals of Statistics 14(4)", needs=("residuals",))
JACKKNIFE = Scheme("without one", without_one, "Efron 1982")


@pytest.fixture(scope="module")
def fit():
    runs = js.simulate("pure-power-params", TRUTH, columns=COLUMNS, noise=0.02, seed=1)
    return js.fit(runs, "pure-power-params", objective="squared")


@pytest.fixture(scope="module")
def wild(fit):
    return js.bootstrap(fit, scheme=WILD, replicates=300, seed=7)


def line(target):
    """Least squares of ln L = ln A - alpha ln N, which is linear: (R, 2)."""
    design = np.stack([np.ones(30), -np.log(COLUMNS["params"])], axis=1)
    return np.linalg.lstsq(design, target.T, rcond=None)[0].T


def test_replicates_are_the_least_squares_of_their_own_targets(fit, wild):
    draw = wild.draws(np.arange(300))
    np.testing.assert_array_equal(draw.weight, 1.0)
    want = line(np.log(fit.runs.loss) + draw.shift)
    np.testing.assert_allclose(np.log(wild.coefs["A"]), want[:, 0], rtol=1e-9)
    np.testing.assert_allclose(wild.coefs["alpha"], want[:, 1], rtol=1e-9)


def test_the_objective_of_a_replicate_is_that_of_its_coefs_on_its_targets(fit, wild):
    sets = np.stack([wild.coefs[name] for name in fit.law.names], axis=1)
    again = recomputed(fit.law, fit.objective, fit.runs, sets, *wild.draws(np.arange(300)))
    np.testing.assert_allclose(again, wild.value, rtol=1e-9)


def test_leverage_is_the_diagonal_of_the_hat_matrix(fit, wild):
    design = np.stack([np.ones(30), np.log(COLUMNS["params"])], axis=1)
    hat = design @ np.linalg.inv(design.T @ design) @ design.T
    np.testing.assert_allclose(wild.fitted.leverage, np.diagonal(hat), rtol=1e-10)
    np.testing.assert_allclose(wild.fitted.prediction - np.log(fit.runs.loss), fit.residuals, atol=1e-15)


def test_each_target_is_the_prediction_with_one_of_two_residuals(fit, wild):
    target = np.log(fit.runs.loss) + wild.draws(np.arange(300)).shift
    size = np.abs(target - wild.fitted.prediction) * (1.0 - wild.fitted.leverage)
    np.testing.assert_allclose(size, np.broadcast_to(np.abs(fit.residuals), size.shape), rtol=1e-9)


def test_the_jackknife_leaves_out_one_row_each(fit):
    ensemble = js.bootstrap(fit, scheme=JACKKNIFE, replicates=30)
    np.testing.assert_array_equal(ensemble.weights(np.arange(30)), 1.0 - np.eye(30))
    assert ensemble.fitted is None
    target = np.log(fit.runs.loss)
    for row in (0, 13, 29):
        kept = np.arange(30) != row
        slope = np.polyfit(np.log(COLUMNS["params"][kept]), target[kept], 1)[0]
        assert ensemble.coefs["alpha"][row] == pytest.approx(-slope, rel=1e-9)


def test_a_fit_by_huber_is_solved_on_moved_targets_too(fit):
    """The surrogate, the loop and the check of the objective all see the shift."""
    robust = js.fit(fit.runs, "pure-power-params")
    ensemble = js.bootstrap(robust, scheme=WILD, replicates=64, seed=3)
    assert ensemble.usable.mean() > 0.9
    sets = np.stack([ensemble.coefs[name] for name in robust.law.names], axis=1)[ensemble.usable]
    draw = ensemble.draws(np.flatnonzero(ensemble.usable))
    again = recomputed(robust.law, robust.objective, robust.runs, sets, *draw)
    np.testing.assert_allclose(again, ensemble.value[ensemble.usable], rtol=1e-9)
    assert jnp.ndim(draw.shift) == 2

"""How far single runs lie off a fit, in ln loss or in loss, by NumPy written out; and the slope of the least loss."""

from dataclasses import replace

import numpy as np
import pytest

import jaxscale as js
from jaxscale.allocation.slopes import loss_slopes
from jaxscale.fitting import run_residuals
from jaxscale.results.spread import spread_of

COLUMNS = {"params": np.geomspace(1e6, 1e9, 30), "tokens": np.full(30, 1e10)}
RUNS = js.simulate("pure-power-params", {"A": 30.0, "alpha": 0.12}, columns=COLUMNS, noise=0.02, seed=1)


@pytest.fixture(scope="module")
def fit():
    return js.fit(RUNS, "pure-power-params")


def test_the_spread_is_the_root_mean_square_of_the_residuals_of_runs(fit):
    spread, dof = spread_of(fit)
    assert dof == 28
    assert spread == pytest.approx(np.sqrt(np.mean(run_residuals(fit) ** 2)), rel=1e-12)
    off = np.log(RUNS.loss) - np.log(fit.coefs["A"] * RUNS["params"] ** -fit.coefs["alpha"])
    assert spread == pytest.approx(np.sqrt(np.sum(off**2) / 28), rel=1e-9)


def test_residuals_of_loss_are_turned_into_those_of_its_logarithm(fit):
    """The same fit, its residuals written in the other space."""
    loss = RUNS.loss * np.exp(fit.residuals)
    linear = replace(fit, objective=replace(fit.objective, space="linear"), residuals=loss - RUNS.loss)
    assert spread_of(linear) == pytest.approx(spread_of(fit), rel=1e-12)
    np.testing.assert_allclose(run_residuals(linear), (RUNS.loss - loss) * np.sqrt(30 / 28), rtol=1e-9)


def test_every_run_of_positive_weight_counts_alike(fit):
    weight = np.where(np.arange(30) < 3, 0.0, np.linspace(0.5, 2.0, 30))
    weighted = replace(fit, runs=replace(fit.runs, weight=weight))
    np.testing.assert_allclose(run_residuals(weighted), -fit.residuals[3:] * np.sqrt(27 / 25), rtol=1e-12)


def test_the_least_loss_of_a_power_law_falls_by_its_exponent_times_what_is_above_the_floor():
    flops = np.geomspace(1e18, 1e22, 33)
    above = 2.0 * (flops / 1e18) ** -0.05
    at = np.array([3e18, 1e20, 7e21])
    found = loss_slopes(flops, 1.7 + above, at)
    np.testing.assert_allclose(found, 0.05 * 2.0 * (at / 1e18) ** -0.05, rtol=1e-4)  # differences of second order
    assert np.isnan(loss_slopes(flops, np.where(flops > 1e21, np.nan, above), at)).all()

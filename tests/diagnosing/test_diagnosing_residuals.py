"""Tests of the residuals: closed forms where the law is linear, and for each code a table with it and one without."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from test_diagnosing_influence import COLUMNS, LINE, SQUARED, X, codes, fitted, simulated

import jaxscale as js
from jaxscale.reports.warnings import warnings_of


def diagnosed(runs):
    return js.diagnose(fitted(runs), worst=0)


def found(runs, kind):
    return {one.name: one for one in diagnosed(runs).tests if one.kind == kind}


def moved(runs, log_loss):
    return replace(runs, loss=runs.loss * np.exp(log_loss))


@pytest.fixture(scope="module")
def other():
    """A column that has nothing to do with the sizes."""
    return np.random.default_rng(8).uniform(1.0, 4.0, 30)


def test_a_further_column_has_the_slope_of_the_regression_that_takes_it():
    """Frisch & Waugh 1933; the standard error is HC3, MacKinnon & White 1985, written out."""
    random = np.random.default_rng(5)
    z = random.uniform(1.0, 9.0, 30)
    loss = 3.0 + 0.4 * X[:, 1] + 0.05 * np.log(z) + 0.05 * random.uniform(-1.0, 1.0, 30)  # none is clipped
    runs = js.Runs.from_arrays(loss=loss, x=X[:, 1], z=z, units_ok=True)
    test = next(one for one in js.diagnose(js.fit(runs, LINE, objective=SQUARED)).tests if one.name == "z")
    W = np.column_stack([X, np.log(z)])
    inverse = np.linalg.inv(W.T @ W)
    slope = inverse @ W.T @ loss
    hat, error = np.einsum("ij,jk,ik->i", W, inverse, W), loss - W @ slope
    meat = W.T @ (W * (error / (1 - hat))[:, None] ** 2)
    assert test.slope == pytest.approx(slope[2], rel=1e-6)
    assert test.std == pytest.approx(np.sqrt((inverse @ meat @ inverse)[2, 2]), rel=1e-6)


def test_a_column_that_moves_the_loss_is_named_and_one_that_does_not_is_not(other):
    runs = simulated()
    runs = replace(runs, columns={**runs.columns, "layers": other})
    assert "column-explains" not in codes(diagnosed(runs))
    finding = codes(diagnosed(moved(runs, 0.04 * np.log(other))))["column-explains"]
    assert "layers" in finding.message


@pytest.mark.parametrize("name", ["val_loss", "err17", "seed", "run_id", "seconds"])
def test_a_result_or_a_number_of_a_run_is_no_explanation(name, other):
    runs = simulated()
    runs = moved(replace(runs, columns={**runs.columns, name: other}), 0.04 * np.log(other))
    assert found(runs, "column") == {}


def test_a_saddle_is_named_as_one():
    """ln N times ln D, which no sum of powers of each has."""
    x, y = (np.log(COLUMNS[name]) - np.log(COLUMNS[name]).mean() for name in ("params", "tokens"))
    finding = codes(diagnosed(moved(simulated(noise=0.002), 0.02 * x * y)))["residual-trend"]
    assert "saddle" in finding.message
    assert "residual-trend" not in codes(diagnosed(simulated(noise=0.002)))


def test_errors_that_grow_with_size_are_named():
    size = np.log(COLUMNS["params"] / 1e7) / np.log(100.0)
    noise = np.random.default_rng(2).choice([-1.0, 1.0], 30) * np.random.default_rng(3).uniform(0.5, 1.0, 30)
    exact = simulated(noise=0.0)
    wide = diagnosed(moved(exact, 0.02 * size**2 * noise))
    assert "heteroscedastic" in codes(wide)
    assert "grows with" in codes(wide)["heteroscedastic"].message
    assert "heteroscedastic" not in codes(diagnosed(moved(exact, 0.02 * noise)))


def test_runs_whose_rows_are_alike_are_named():
    group = np.array([f"g{at % 10}" for at in range(30)], dtype=object)
    shift = np.random.default_rng(4).normal(size=10)[np.arange(30) % 10]
    runs = replace(simulated(noise=0.002), group=group)
    alike = diagnosed(moved(runs, 0.02 * shift))
    assert alike.run_correlation > 0.5
    assert codes(alike)["run-correlation"].message.endswith("--scheme cluster")  # the groups are known
    assert "run-correlation" not in codes(diagnosed(runs))


@pytest.mark.parametrize("objective", ["squared", "huber"])
def test_a_report_of_any_fit_tells_errors_that_grow_with_size(objective):
    """The fit itself has it, in the words of a diagnosis, which tests the same rows by itself."""
    size = np.log(COLUMNS["params"] / 1e7) / np.log(100.0)
    random = np.random.default_rng(2)
    noise = random.choice([-1.0, 1.0], 30) * random.uniform(0.5, 1.0, 30)
    wide = js.fit(moved(simulated(noise=0.0), 0.002 * 20.0**size * noise), objective=objective)
    even = js.fit(moved(simulated(noise=0.0), 0.01 * noise), objective=objective)
    told = codes(wide)["heteroscedastic"]
    assert "grows with params" in told.message
    assert told in warnings_of(js.Study(wide, None))
    assert told == codes(js.diagnose(wide, worst=0))["heteroscedastic"]
    assert "heteroscedastic" not in codes(even)


def test_heavy_tails_are_told_of_least_squares_and_not_of_an_objective_that_allows_them():
    noise = np.random.default_rng(2).permutation(scipy.stats.t.ppf((np.arange(30) + 0.5) / 30, 2.0))
    runs = moved(simulated(noise=0.0), 0.01 * noise)
    assert "heavy-tails" in codes(js.fit(runs, objective="squared"))
    assert "heavy-tails" not in codes(js.fit(runs, objective="huber"))
    assert "heavy-tails" not in codes(js.fit(simulated(noise=0.01), objective="squared"))

"""What a weight means: it multiplies rho of its run, ratios alone matter, and it is no number of runs."""

import numpy as np
import pytest

import jaxscale as js
from jaxscale.runs import Runs


@pytest.fixture(scope="module")
def table():
    return js.datasets.load("pilot")


def weighted(table, weight, rows=None):
    rows = np.arange(len(table)) if rows is None else rows
    columns = {name: table[name][rows] for name in ("params", "tokens", "loss")}
    return Runs.from_arrays(**columns, weight=np.asarray(weight, dtype=float))


def fitted(table, weight, rows=None):
    """Return the fit by least squares, whose standard errors are known in closed form."""
    return js.fit(weighted(table, weight, rows), objective="squared")


def test_a_common_factor_of_all_weights_changes_neither_coefs_nor_standard_errors(table):
    one, two = (fitted(table, np.full(len(table), weight)) for weight in (1.0, 2.0))
    for name in one.coefs:
        assert two.coefs[name] == pytest.approx(one.coefs[name], rel=1e-6)  # the minimum is found to 1e-9 in its value
        assert two.std[name] == pytest.approx(one.std[name], rel=1e-5)
    assert two.value == pytest.approx(2.0 * one.value, rel=1e-9)


@pytest.mark.slow
def test_rows_twice_have_the_coefs_of_weight_two_and_smaller_standard_errors(table):
    """Twice as many rows are twice as much data, and a weight is not."""
    count = len(table)
    twice = fitted(table, np.ones(2 * count), np.tile(np.arange(count), 2))
    heavy = fitted(table, np.full(count, 2.0))
    smaller = np.sqrt((count - 5) / (2 * count - 5))  # the residuals' variance, over degrees of freedom, for five coefs
    assert twice.value == pytest.approx(heavy.value, rel=1e-9)
    for name in heavy.coefs:
        assert twice.coefs[name] == pytest.approx(heavy.coefs[name], rel=1e-6)
        assert twice.std[name] == pytest.approx(smaller * heavy.std[name], rel=1e-5)


def test_a_row_of_weight_zero_is_drawn_by_no_replicate(table):
    weight = np.where(np.arange(len(table)) < 3, 0.0, 1.0)
    fit = js.fit(weighted(table, weight))
    ensemble = js.bootstrap(fit, replicates=20)
    drawn = np.stack([ensemble.weights(place) for place in range(20)])
    assert not drawn[:, :3].any()
    assert np.all(drawn.sum(axis=1) == len(table) - 3)

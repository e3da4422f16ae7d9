"""The sandwich of a straight line, by NumPy written out: of rows and of groups of rows; the intervals made of it."""

import numpy as np
import pytest
from scipy import stats

import jaxscale as js
from jaxscale.results.samples import robust_of

ROWS, GROUPS = 30, 10
RANDOM = np.random.default_rng(4)
SIZE = np.geomspace(1e6, 1e9, ROWS)
LABELS = np.repeat(np.arange(GROUPS), ROWS // GROUPS)
OFF = 0.02 * RANDOM.standard_normal(GROUPS)[LABELS] + np.linspace(0.001, 0.03, ROWS) * RANDOM.standard_normal(ROWS)
LOSS = 30.0 * SIZE**-0.12 * np.exp(OFF)
"""Errors that grow with size, and are alike within groups."""


@pytest.fixture(scope="module")
def fit():
    runs = js.Runs.from_arrays(params=SIZE, loss=LOSS, group=LABELS.astype(str))
    return js.fit(runs, "pure-power-params", objective="squared")


def written_out(labels):
    """Return the covariance of A and alpha: ln L = ln A - alpha ln N is a line, and dA = A d ln A."""
    design, target = np.stack([np.ones(ROWS), -np.log(SIZE)], axis=1), np.log(LOSS)
    inverse = np.linalg.inv(design.T @ design)
    line = inverse @ design.T @ target
    score = design * (target - design @ line)[:, None]
    count = len(np.unique(labels))
    sums = np.stack([score[labels == one].sum(axis=0) for one in np.unique(labels)])
    factor = count / (count - 1) * (ROWS - 1) / (ROWS - 2)  # of groups of one row each it is n / (n - p)
    slope = np.diag([np.exp(line[0]), 1.0])
    return factor * slope @ inverse @ (sums.T @ sums) @ inverse @ slope


@pytest.mark.parametrize(("by", "labels"), [("rows", np.arange(ROWS)), ("groups", LABELS)])
def test_of_a_straight_line_it_is_that_of_a_regression(fit, by, labels):
    np.testing.assert_allclose(fit.robust[by], written_out(labels), rtol=1e-6)  # theta ends within its tolerance


def test_errors_alike_within_groups_make_it_wider_by_groups(fit):
    assert (np.diag(fit.robust["groups"]) > np.diag(fit.robust["rows"])).all()


def test_a_scheme_that_draws_groups_has_the_errors_of_groups(fit):
    for scheme, by, dof in (("pairs", "rows", ROWS - 2), ("cluster", "groups", GROUPS - 1)):
        ensemble = js.bootstrap(fit, scheme=scheme, replicates=64, covariance=True)
        covariance, found = robust_of(ensemble)
        assert found == dof
        np.testing.assert_array_equal(covariance, fit.robust[by])
        band = ensemble.interval("A", level=0.9, method="sandwich")
        half = stats.t.ppf(0.95, dof) * np.sqrt(covariance[0, 0]) / fit.coefs["A"]  # on ln of a positive coef
        np.testing.assert_allclose(
            np.log([band.lower, band.upper]), np.log(fit.coefs["A"]) + half * np.array([-1, 1]), rtol=1e-9
        )
        loss = js.results.sample_of(ensemble, lambda coefs: np.log(coefs["A"]) - coefs["alpha"] * np.log(1e10))
        slope = np.array([1.0 / fit.coefs["A"], -np.log(1e10)])
        assert loss.robust_std == pytest.approx(np.sqrt(slope @ covariance @ slope), rel=1e-5)
        assert loss.robust_dof == dof


def test_a_table_without_groups_has_none_by_groups():
    found = js.fit(js.Runs.from_arrays(params=SIZE, loss=LOSS), "pure-power-params", objective="squared")
    assert list(found.robust) == ["rows"]

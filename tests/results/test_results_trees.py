"""Draws as a tree of data sets in the shape of ArviZ: the same numbers, under the dimensions chain and draw."""

import sys

import numpy as np
import pytest
from handmade import ensemble_of, fit_of, frontier_of

import jaxscale as js
from jaxscale.results import Study

xarray = pytest.importorskip("xarray", reason="no xarray: the tree of draws is not tested; install jaxscale[xarray]")


@pytest.fixture(scope="module")
def study():
    fit = fit_of(rows=30)
    ensemble = ensemble_of(fit, replicates=40, unusable=0.1)
    return Study(fit, ensemble, frontier_of(fit, ensemble, flops=np.geomspace(1e20, 1e22, 3)))


def test_the_tree_has_the_groups_and_dimensions_of_arviz(study):
    tree = study.to_xarray()
    assert set(tree.children) == {"posterior", "sample_stats", "frontier", "observed_data", "constant_data"}
    assert set(tree["posterior"].dataset.data_vars) == set(study.fit.coefs)
    assert tree["posterior"]["alpha"].dims == ("chain", "draw")
    assert tree["frontier"]["params"].dims == ("chain", "draw", "budget")
    assert tree["observed_data"]["loss"].dims == ("run",)
    np.testing.assert_array_equal(tree["observed_data"]["loss"], study.fit.runs.loss)


def test_a_draw_is_the_usable_replicate_of_its_number(study):
    tree, ensemble = study.to_xarray(), study.ensemble
    number = tree["posterior"]["draw"].to_numpy()
    np.testing.assert_array_equal(number, np.flatnonzero(ensemble.usable))
    np.testing.assert_array_equal(tree["posterior"]["beta"].to_numpy()[0], ensemble.coefs["beta"][number])
    np.testing.assert_array_equal(tree["sample_stats"]["objective"].to_numpy()[0], ensemble.value[number])
    np.testing.assert_array_equal(tree["frontier"]["loss"].to_numpy()[0], study.frontier.loss[number])
    np.testing.assert_array_equal(tree["frontier"]["budget"], study.frontier.flops)


def test_quantiles_over_draws_are_the_ends_of_the_percentile_band(study):
    draws = study.to_xarray()["posterior"]["alpha"]
    band = study.ensemble.interval("alpha")
    found = draws.quantile([0.025, 0.975], dim=("chain", "draw")).to_numpy()
    np.testing.assert_allclose(found, [band.lower, band.upper], rtol=1e-12)


def test_an_ensemble_and_a_frontier_have_their_own_groups(study):
    assert "frontier" not in study.ensemble.to_xarray().children
    assert set(study.frontier.to_xarray().children) == {"frontier"}


def test_without_draws_there_is_no_tree(study):
    with pytest.raises(js.UsageError, match=r"this study has no draws.*js.bootstrap\(fit\)"):
        Study(study.fit).to_xarray()
    with pytest.raises(js.UsageError, match="this frontier has no draws"):
        study.frontier.point.to_xarray()


def test_without_xarray_the_extra_is_named(study, monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(js.MissingDependencyError, match=r"pip install 'jaxscale\[xarray\]'"):
        study.to_xarray()

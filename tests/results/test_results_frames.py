"""Results as pandas frames: the same numbers as their arrays, one row per coef, replicate, budget or run."""

from dataclasses import replace

import numpy as np
import pytest
from handmade import ensemble_of, fit_of, frontier_of

from jaxscale.runs import Runs
from jaxscale.status import Status


@pytest.fixture
def fit():
    found = fit_of(rows=20)
    return replace(found, std={"E": 0.01, "A": 20.0, "B": None, "alpha": 0.02, "beta": 0.02}, fixed=("beta",))


def test_the_frame_of_a_fit_has_its_coefs_with_errors_and_intervals(fit):
    frame = replace(fit, unidentified=("B",)).to_frame(level=0.9)
    assert list(frame.index) == list(fit.coefs)
    np.testing.assert_array_equal(frame["value"], list(fit.coefs.values()))
    assert frame.loc["E", "std"] == 0.01
    assert tuple(frame.loc["E", ["low", "high"]]) == fit.interval("E", 0.9)
    assert frame.loc["B", ["std", "low", "high"]].isna().all()
    assert frame["state"].to_dict() == {**dict.fromkeys(fit.coefs, "fitted"), "B": "not identified", "beta": "fixed"}


def test_the_frame_of_an_ensemble_keeps_every_replicate_with_its_status(fit):
    ensemble = ensemble_of(fit, replicates=10, unusable=0.2)
    frame = replace(ensemble, without={"A": np.arange(10) == 7}).to_frame()
    assert list(frame.columns) == [*fit.coefs, "value", "status", "steps"]
    for name in ("E", "alpha"):
        np.testing.assert_array_equal(frame[name], ensemble.coefs[name])
    assert list(np.flatnonzero(frame["A"].isna())) == [7]
    assert list(frame["status"]) == [str(Status.NON_FINITE)] * 2 + [str(Status.CONVERGED)] * 8
    np.testing.assert_array_equal(frame["steps"], ensemble.steps)
    np.testing.assert_array_equal(frame["value"], ensemble.value)


def test_the_frame_of_a_frontier_has_one_row_per_budget_with_bands_where_there_are_replicates(fit):
    frontier = frontier_of(fit, ensemble_of(fit, replicates=40))
    frame, alone = frontier.to_frame(level=0.8), frontier.point.to_frame()
    np.testing.assert_array_equal(frame["flops"], frontier.flops)
    for name in ("params", "tokens", "loss", "tokens_per_param"):
        np.testing.assert_array_equal(frame[name], getattr(frontier.point, name))
        np.testing.assert_array_equal(alone[name], frame[name])
        band = frontier.interval(name, level=0.8)
        np.testing.assert_array_equal(frame[f"{name}_low"], band.lower)
        np.testing.assert_array_equal(frame[f"{name}_high"], band.upper)
    assert not [name for name in alone if name.endswith(("_low", "_high"))]


def test_the_frame_of_runs_can_be_read_again():
    runs = Runs.from_arrays(
        params=[1e8, 2e8, 3e8],
        tokens=[1e9, 2e9, 4e9],
        loss=[3.0, 2.5, 2.2],
        sigma=[0.1, 0.2, 0.3],
        corpus=["a", "b", "b"],
    )
    frame = runs.take(np.array([0, 2]), "where").to_frame()
    assert list(frame.index) == [1, 3]
    assert list(frame["corpus"]) == ["a", "b"]
    again = Runs.from_frame(frame.reset_index(drop=True))
    for name in ("params", "tokens", "flops", "loss", "sigma"):
        np.testing.assert_array_equal(again[name], frame[name])


def test_a_schedule_is_an_array_in_a_cell():
    runs = Runs.from_arrays(loss=[2.0, 3.0], rates=[[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(runs.to_frame()["rates"].iloc[1], [3.0, 4.0])

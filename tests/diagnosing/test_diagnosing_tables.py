"""Real tables: the runs that a paper left out, and runs that are spoilt on purpose."""

from dataclasses import replace

import numpy as np
import pytest
from test_diagnosing_influence import codes

import jaxscale as js

DECISION = 5.76e23
"""Chinchilla's own budget, FLOP."""


@pytest.fixture(scope="module")
def tables(shared_data, epoch):
    farseer = shared_data / "farseer_train.csv"
    return {
        "epoch": epoch,
        "farseer": js.read_runs(farseer, map={"params": "N", "tokens": "D"}, units_ok=True),
        "pilot": js.datasets.load("pilot"),
    }


def spoilt(runs, fit, row, factor):
    """Return the table with a row at so many times the law's loss."""
    at_law = np.exp(np.log(runs.loss) + fit.residuals)
    return replace(runs, loss=np.where(np.arange(len(runs)) == row, factor * at_law, runs.loss))


@pytest.mark.slow
def test_the_five_dropped_runs_of_epochs_table_carry_the_answer_when_they_are_put_back(shared_data, epoch_fit):
    """Besiroglu et al. 2024, appendix: without them D/N is near 18 at Chinchilla's budget, with them near 6.5."""
    whole = js.read_runs(shared_data / "epoch_chinchilla.csv")
    dropped = set(whole.where("in_paper_fit == 0").row.tolist())
    found = js.diagnose(js.fit(whole), flops=DECISION)
    assert 6.0 < found.tokens_per_param < 7.5
    assert js.frontier(epoch_fit, flops=DECISION).tokens_per_param[0] == pytest.approx(18.0, abs=0.5)
    assert len(dropped & set(found.removals[-1].rows)) >= 4
    assert found.removals[-1].tokens_per_param > 16.0
    finding = codes(found)["influential-runs"]
    assert len(dropped & set(finding.rows)) >= 4
    assert dropped <= set(codes(found)["outlier-leverage"].rows)


def test_the_table_without_them_has_neither_finding(epoch_fit):
    found = codes(js.diagnose(epoch_fit, flops=DECISION))
    assert "outlier-leverage" not in found
    assert "influential-runs" not in found
    assert "floor-carries" not in found


@pytest.mark.parametrize("name", ["epoch", pytest.param("farseer", marks=pytest.mark.slow), "pilot"])
def test_a_mistyped_and_a_diverged_run_are_named(name, tables):
    runs = tables[name]
    fit, row = js.fit(runs), len(runs) // 3
    assert "outlier-leverage" not in codes(js.diagnose(fit, worst=0))
    for factor in (1.26, 3.0):
        found = codes(js.diagnose(js.fit(spoilt(runs, fit, row, factor)), worst=0))
        assert found["outlier-leverage"].rows == (runs.row[row],)


def test_depth_or_width_explains_the_pilots_residuals(tables):
    found = codes(js.diagnose(js.fit(tables["pilot"]), worst=0))
    assert "width" in found["column-explains"].message
    assert "layers" in found["column-explains"].message

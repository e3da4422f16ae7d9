"""All contestants solve the same tables, and the judge shares no code with them."""

import numpy as np
import pytest

import jaxscale as js
from benchmarks import drawing, judging
from benchmarks.rivals import RIVALS, cpp_loop, jaxscale_bootstrap
from benchmarks.rivals.spec import Outcome

REPLICATES = 6


@pytest.fixture(scope="module")
def study(separable_law_table):
    return drawing.draw(separable_law_table, replicates=REPLICATES, lanes=3, seed=0)


def test_the_tables_handed_out_are_those_that_jaxscale_draws(study):
    own = jaxscale_bootstrap.SHIPPED.solve(study)
    np.testing.assert_allclose(own.value, judging.huber_sums(study, own.theta), rtol=1e-12)


@pytest.mark.parametrize("only_drawn", [False, True])
def test_the_loop_in_cpp_finds_the_minima_of_jaxscale(study, only_drawn):
    reason = cpp_loop.absent()
    if reason:
        pytest.skip(reason)
    ensemble = js.bootstrap(study.fits["chinchilla"], replicates=REPLICATES, seed=0)
    found = cpp_loop.solve(study, only_drawn=only_drawn)
    assert found.failed == 0
    np.testing.assert_allclose(found.value, judging.huber_sums(study, found.theta), rtol=1e-12)
    np.testing.assert_allclose(found.value, ensemble.value, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # SciPy's, of steps that overflow
@pytest.mark.parametrize("rival", RIVALS, ids=lambda rival: rival.name)
def test_every_contestant_reports_the_value_at_its_own_coefs(study, rival):
    if rival.absent():
        pytest.skip(rival.absent())
    outcome = rival.solve(study)
    assert outcome.theta.shape == (REPLICATES, 5)
    np.testing.assert_allclose(outcome.value, judging.huber_sums(study, outcome.theta), rtol=1e-12)


def test_without_a_compiler_the_loop_says_so(monkeypatch):
    monkeypatch.setattr(cpp_loop.shutil, "which", lambda name: None)
    cpp_loop.compiled.cache_clear()
    assert cpp_loop.absent() == cpp_loop.NO_COMPILER


def test_the_judge_knows_a_contestant_that_beats_jaxscale(study):
    theta = jaxscale_bootstrap.SHIPPED.solve(study).theta
    off = theta + np.array([0.0, 0.0, 1e-3, 0.0, 0.0])
    values = judging.huber_sums(study, theta), judging.huber_sums(study, off)
    outcomes = [Outcome(theta, values[0], 0), Outcome(off, values[1], 0)]
    worse, better = judging.judge(study, outcomes, own=1)
    np.testing.assert_allclose(worse.lead, np.max(values[1] - values[0]))
    assert worse.lead > 0 == better.lead

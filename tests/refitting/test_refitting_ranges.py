"""Replicates by ranges: each depends on the fit, the survey and its index, and on nothing else."""

from dataclasses import replace

import numpy as np
import pytest

import jaxscale as js
from jaxscale.engine.compiling import Clock
from jaxscale.errors import UsageError
from jaxscale.refitting import gather, refit, survey

REPLICATES = 400
TOKENS = np.array([1.0, 2.0, 4.0, 8.0, 16.0]) * 1e9


def smooth():
    columns = {"params": np.geomspace(1e7, 1e10, 30)}
    return js.simulate("pure-power-params", {"A": 30.0, "alpha": 0.12}, columns=columns, noise=0.02, seed=1)


def at_a_bound():
    """Runs of three close sizes: in most replicates alpha, and with it the split of E and A, has no value."""
    random, params = np.random.default_rng(103), np.repeat([1e8, 1.4e8, 2e8], 5)
    loss = (2.7 + 20000 / np.tile(TOKENS, 3) ** 0.484) * np.exp(0.006 * random.standard_normal(15))
    return js.Runs.from_arrays(params=params, tokens=np.tile(TOKENS, 3), loss=loss)


def in_a_valley():
    """Few runs and a small threshold: resampled tables have several minima, and some have theirs at a bound."""
    random = np.random.default_rng(0)
    columns = {"params": 10 ** random.uniform(7, 10, 32), "tokens": 10 ** random.uniform(9, 11.5, 32)}
    coefs = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
    return js.simulate("chinchilla", coefs, columns=columns, noise=0.05, seed=0)


TABLES = {"smooth": smooth, "at a bound": at_a_bound, "several minima": in_a_valley}


@pytest.fixture(scope="module", params=TABLES)
def fit(request):
    return js.fit(TABLES[request.param](), "pure-power-params" if request.param == "smooth" else "chinchilla")


@pytest.fixture(scope="module")
def surveyed(fit):
    return survey(fit, seed=7)


@pytest.fixture(scope="module")
def whole(fit):
    return js.bootstrap(fit, replicates=REPLICATES, seed=7)


def assert_rows(chunk, ensemble, rows):
    for at, name in enumerate(ensemble.fit.law.names):
        np.testing.assert_array_equal(chunk.coefs[:, at], ensemble.coefs[name][rows])
        np.testing.assert_array_equal(
            chunk.is_open[:, at], ensemble.without.get(name, np.zeros(len(ensemble), bool))[rows]
        )
    for name in ("value", "status", "steps"):
        np.testing.assert_array_equal(getattr(chunk, name), getattr(ensemble, name)[rows])


@pytest.mark.parametrize("rows", [range(100, 200), range(250, 262), range(399, 400), [300, 3, 257]], ids=str)
def test_a_range_is_to_the_bit_those_rows_of_the_whole(fit, surveyed, whole, rows):
    assert_rows(refit(fit, surveyed, rows), whole, list(rows))


def test_chunks_in_any_order_are_the_whole(fit, surveyed, whole):
    chunks = [refit(fit, surveyed, rows) for rows in (range(300, 400), range(120), range(120, 300))]
    gathered = gather(fit, surveyed, chunks)
    for name in fit.law.names:
        np.testing.assert_array_equal(gathered.coefs[name], whole.coefs[name])
    np.testing.assert_array_equal(gathered.status, whole.status)
    assert [one.code for one in gathered.findings] == [one.code for one in whole.findings]


def test_seconds_and_programs_are_those_of_each_clock_once(fit, surveyed):
    one, other = Clock(1.0, 20.0, 3), Clock(400.0, 8000.0, 50)
    parts = ((range(8), one), (range(8, 16), other), (range(16, 20), one))
    made = gather(fit, surveyed, [replace(refit(fit, surveyed, rows), clock=clock) for rows, clock in parts]).provenance
    assert (made.compile_seconds, made.run_seconds, made.programs) == (401.0, 8020.0, 53)


def test_the_survey_of_one_table_has_what_it_was_chosen_for(request, fit, surveyed):
    """Else the ranges above would agree for want of anything that replicates could share."""
    name = request.node.callspec.params["fit"]
    assert bool(surveyed.bounds) == (name != "smooth")
    assert np.sum(surveyed.index < 0) > 10  # minima, from which replicates begin


def test_a_missing_and_a_double_replicate_are_named(fit, surveyed):
    few, more = refit(fit, surveyed, range(8)), refit(fit, surveyed, range(9, 12))
    with pytest.raises(UsageError, match=r"not the replicates 0 … 11, each once: 8 is missing"):
        gather(fit, surveyed, [few, more])
    with pytest.raises(UsageError, match="0 is there twice"):
        gather(fit, surveyed, [few, few])


@pytest.mark.parametrize("rows", [[], [-1], [0.5], [[1]]], ids=str)
def test_what_is_no_range_of_replicates_is_refused(fit, surveyed, rows):
    with pytest.raises(UsageError, match="range of whole numbers from 0 on"):
        refit(fit, surveyed, rows)

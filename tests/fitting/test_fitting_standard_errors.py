"""Standard errors of few runs: what they cover with Student's quantile, and where there are none."""

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import jaxscale as js
from jaxscale.errors import RunsError
from jaxscale.fitting.covariance import covariance_at
from jaxscale.fitting.groups import by_group, check_group_sizes
from jaxscale.fitting.optimum import Views
from jaxscale.laws import LAWS
from jaxscale.numerics.rho import Rho

TRUTH = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
TABLES = 24
"""Simulated tables per number of runs: 120 intervals, five for each table."""


def table(count, seed):
    random = np.random.default_rng(1_000 * count + seed)
    half = -(-count // 2)
    params = np.tile(np.geomspace(4e7, 4e9, half), 2)[:count]
    ratio = np.concatenate([random.uniform(6, 20, half), random.uniform(40, 160, count - half)])
    noise = (0.002, 0.005, 0.01)[seed % 3]
    return js.simulate(
        "chinchilla", TRUTH, columns={"params": params, "tokens": ratio * params}, noise=noise, seed=seed
    )


@pytest.mark.parametrize("objective", ["squared", "huber"])
@pytest.mark.parametrize("count", [6, 8, 12])
def test_an_interval_by_the_standard_error_covers_what_it_says(count, objective):
    missed = []
    for seed in range(TABLES):
        fit = js.fit(table(count, seed), objective=objective)
        limits = {name: fit.interval(name) for name in TRUTH}
        missed += [not low <= TRUTH[name] <= high for name, (low, high) in limits.items() if fit.std[name]]
    assert len(missed) > 0.9 * 5 * TABLES  # a floor at zero has no interval
    # One in twenty is missed. The five of a table go together, so that 24 tables are worth about 48 intervals, and
    # of so many more than 15 % are missed by chance in one of a hundred trials.
    assert np.mean(missed) < 0.15


def test_the_interval_is_students_on_the_line_where_the_coef_was_fitted():
    fit = js.fit(table(8, 0), objective="squared")
    assert fit.dof == 3
    reach = stats.t.ppf(0.95, 3)
    for name, coef in fit.coefs.items():
        low, high = fit.interval(name, level=0.9)
        assert low == pytest.approx(coef * np.exp(-reach * fit.std[name] / coef), rel=1e-9)
        assert high == pytest.approx(coef * np.exp(reach * fit.std[name] / coef), rel=1e-9)


def test_with_as_many_runs_as_coefs_there_is_no_standard_error_and_the_fit_says_so():
    fit = js.fit(table(5, 1), objective="squared")
    assert fit.dof == 0
    assert set(fit.std.values()) == {None}
    assert fit.interval("alpha") is None
    (found,) = [one.message for one in fit.findings if one.code == "few-rows"]
    assert "no degree of freedom is left, so that there are no standard errors" in found


def test_with_one_run_more_the_fit_says_how_wide_an_interval_is():
    fit = js.fit(table(6, 1), objective="squared")
    (found,) = [one.message for one in fit.findings if one.code == "few-rows"]
    for text in (found, fit.summary()):
        assert "1 degree of freedom" in text
        assert "12.7" in text  # Student's 0.975 quantile, tan(0.475 π)


def grouped(rows_of_second):
    count = 12 + rows_of_second
    random = np.random.default_rng(5)
    params, tokens = 10 ** random.uniform(7.5, 10, count), 10 ** random.uniform(9, 11.5, count)
    group = np.where(np.arange(count) < 12, "first", "second")
    loss = (np.where(group == "first", 1.8, 1.5) + 480 / params**0.35 + 2100 / tokens**0.37) * np.exp(
        0.004 * random.standard_normal(count)
    )
    return js.Runs.from_arrays(params=params, tokens=tokens, loss=loss, group=group)


def test_a_group_of_fewer_runs_that_count_than_coefs_of_its_own_is_refused():
    """Three runs determine three numbers, and two do not."""
    for rows, counting in ((4, 4), (3, 3), (3, 2), (2, 2)):
        runs, law = by_group(grouped(rows), LAWS.resolve("chinchilla"), ("E", "A", "B"))
        runs = replace(runs, weight=np.append(np.ones(12 + counting), np.zeros(rows - counting)))
        refused = pytest.raises(RunsError, match=r"2 runs of group 'second'") if counting < 3 else nullcontext()
        with refused:
            check_group_sizes(runs, law, law.names)


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "dof"), [(3, 0), (4, 1)])
def test_a_group_with_as_many_runs_as_coefs_of_its_own_has_no_standard_errors_of_these(rows, dof):
    fit = js.fit(grouped(rows), objective="squared", per_group=("E", "A", "B"))
    own = [f"{name}[second]" for name in "EAB"]
    assert fit.status.is_usable
    assert fit.dof == 12 + rows - 8
    assert [fit.dof_of(name) for name in own] == [dof] * 3
    assert all((fit.std[name] is None) is (dof == 0) for name in own)
    assert all(fit.std[name] is not None for name in ("E[first]", "alpha", "beta"))
    (found,) = [one.message for one in fit.findings if one.code == "few-rows-in-group"]
    assert ("have no standard errors" if dof == 0 else "12.7 standard errors") in found
    part = js.fitting.group_of(fit, "second")
    assert part.dof == dof
    assert (part.interval("E") is None) is (dof == 0)


def test_a_variance_beyond_float64_is_infinite_and_raises_no_warning():
    jacobian = np.array([[1.0, 0.0], [0.0, 1e-170]] * 2)  # its inverse squared is 1e340
    ones = np.ones(4)
    views = Views(ones, Rho(ones, ones, ones, ones), jacobian, np.zeros((4, 3)))
    pairs, free = ((0, 0), (0, 1), (1, 1)), np.ones(2, bool)
    found = covariance_at(js.squared(), pairs, views, ones, np.inf, free)
    assert found[1, 1] == np.inf
    assert found[0, 0] == pytest.approx(1.0)  # 4 / (4 - 2) over two rows

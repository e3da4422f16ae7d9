"""Limits by profile likelihood: Student's of a line, SciPy's own profile of a sum of powers, and what is refused."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq, least_squares

import jaxscale as js
from jaxscale.errors import UsageError
from jaxscale.refitting import profile

PARAMS = np.geomspace(1e7, 1e10, 30)


@pytest.fixture(scope="module")
def line():
    runs = js.simulate("pure-power-params", {"A": 30.0, "alpha": 0.12}, columns={"params": PARAMS}, noise=0.02, seed=1)
    return js.fit(runs, "pure-power-params", objective="squared")


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_of_a_line_it_is_students_interval(line, level):
    """ln L is linear in ln A and alpha, so that the profile is a parabola in each; Fit.interval is one in ln alpha."""
    np.testing.assert_allclose(profile(line, "A", level=level), line.interval("A", level), rtol=1e-6)
    reach = stats.t.ppf(0.5 + level / 2, 28) * line.std["alpha"]
    limits = line.coefs["alpha"] + np.array([-reach, reach])
    np.testing.assert_allclose(profile(line, "alpha", level=level), limits, rtol=1e-6)


@pytest.fixture(scope="module")
def curved():
    columns = {"params": PARAMS}
    runs = js.simulate("power-params", {"E": 1.7, "A": 400.0, "alpha": 0.33}, columns=columns, noise=0.01, seed=3)
    return js.fit(runs, "power-params", objective="squared")


@pytest.mark.parametrize("name", ["E", "alpha"])
def test_of_a_power_with_a_floor_it_is_scipys_profile(curved, name):
    """brentq on the F statistic of SciPy's least squares with that coef held, to 1e-6 of the limit."""
    x, y = np.log(PARAMS), np.log(curved.runs.loss)
    middle, place = x.mean(), {"E": 0, "alpha": 2}[name]
    coefs = curved.coefs
    start = np.array([coefs["E"], np.log(coefs["A"]) - coefs["alpha"] * middle, coefs["alpha"]])

    def squares(point):
        return np.log(point[0] + np.exp(point[1] - point[2] * (x - middle))) - y

    def held(value):
        rest = [at for at in range(3) if at != place]
        found = least_squares(
            lambda some: squares(np.insert(some, place, value)), start[rest], xtol=1e-15, ftol=1e-15, gtol=1e-15
        )
        return 2.0 * found.cost

    best = 2.0 * least_squares(squares, start, xtol=1e-15, ftol=1e-15, gtol=1e-15).cost
    most = stats.f.ppf(0.95, 1, 27)

    def excess(value):
        return (held(value) / best - 1.0) * 27 - most

    want = brentq(excess, 0.5 * coefs[name], coefs[name]), brentq(excess, coefs[name], 1.5 * coefs[name])
    np.testing.assert_allclose(profile(curved, name), want, rtol=1e-6)


def test_a_coef_at_its_bound_has_one_limit():
    bend = -5e-3 * (np.log(PARAMS) - np.log(PARAMS).mean()) ** 2
    loss = 5 * PARAMS**-0.05 * np.exp(bend + 0.01 * np.random.default_rng(1).standard_normal(30))
    fit = js.fit(js.Runs.from_arrays(params=PARAMS, loss=loss), "power-params", objective="squared")
    assert fit.at_bound == ("E",)
    low, high = profile(fit, "E")
    assert low == 0.0
    held = js.fit(fit.runs, "power-params", objective="squared", fix={"E": high})
    t = np.sqrt((held.value / fit.value - 1.0) * fit.dof)
    assert t == pytest.approx(stats.t.ppf(0.95, fit.dof), rel=1e-5)


def test_what_has_no_profile_is_refused(line):
    robust = js.fit(line.runs, "pure-power-params")
    fixed = js.fit(line.runs, "pure-power-params", objective="squared", fix={"A": 30.0})
    refused = {
        "needs an objective that is a likelihood": (robust, "A"),
        "the coef 'A' is fixed": (fixed, "A"),
        r"unknown coef 'alpah'\. Did you mean 'alpha'": (line, "alpah"),
    }
    for words, (fit, name) in refused.items():
        with pytest.raises(UsageError, match=words):
            profile(fit, name)

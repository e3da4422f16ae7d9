"""Limits by profile likelihood: Student's of a line, SciPy's and lmfit's own profiles, and what is refused."""

import lmfit
import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq, least_squares

import jaxscale as js
from jaxscale.errors import IntervalError, UsageError
from jaxscale.refitting import profile

PARAMS = np.geomspace(1e7, 1e10, 30)
LINES = ("real", "positive")


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


def lmfits(residuals, start, name):
    """The 95 % limits of a parameter by lmfit's conf_interval, of the residuals of named parameters."""
    parameters = lmfit.Parameters()
    for one, value in start.items():
        parameters.add(one, value=value)
    minimiser = lmfit.Minimizer(lambda at: residuals(**at.valuesdict()), parameters)
    tight = {"xtol": 1e-14, "ftol": 1e-14, "gtol": 1e-14}
    found = minimiser.leastsq(**tight)
    limits = lmfit.conf_interval(minimiser, found, p_names=[name], sigmas=[0.95])[name]
    return [value for _, value in limits[::2]]


@pytest.mark.parametrize("name", ["E", "log_A", "alpha"])
def test_of_a_power_with_a_floor_it_is_lmfits_interval(curved, name):
    """To 1e-4, which is to what lmfit looks for its ends."""
    x, y, coefs = np.log(PARAMS), np.log(curved.runs.loss), curved.coefs

    def residuals(E, log_A, alpha):
        return np.log(E + np.exp(log_A - alpha * x)) - y

    want = lmfits(residuals, {"E": coefs["E"], "log_A": np.log(coefs["A"]), "alpha": coefs["alpha"]}, name)
    found = profile(curved, lambda coefs: np.log(coefs["A"]) if name == "log_A" else coefs[name])
    np.testing.assert_allclose(found, want, rtol=1e-4)


@pytest.fixture(scope="module")
def surface(separable_law_table):
    return js.fit(separable_law_table, objective="squared")


BUDGET = 1e24


def law_with(quantity):
    """The loss of Chinchilla's law with one coef replaced by what follows from all, by Hoffmann's eq. 4."""

    def coefs_of(E, log_B, alpha, **own):
        spent = np.log(BUDGET / 6.0)
        if quantity == "a":
            beta = own["a"] * alpha / (1.0 - own["a"])
            return E, own["log_A"], log_B, alpha, beta
        beta = own["beta"]
        log_params = own["log_params"] if quantity == "log_params" else (spent - own["log_ratio"]) / 2.0
        log_gain = log_params - beta / (alpha + beta) * spent  # ln G, G^(alpha + beta) = alpha A / (beta B)
        return E, np.log(beta / alpha) + log_B + (alpha + beta) * log_gain, log_B, alpha, beta

    return coefs_of


@pytest.mark.parametrize(
    ("own", "spare", "line", "ours"),
    [
        ("a", "beta", "unit", lambda coefs: coefs["beta"] / (coefs["alpha"] + coefs["beta"])),
        ("log_params", "log_A", "positive", js.allocation.at_optimum("chinchilla", "params", flops=BUDGET)),
        ("log_ratio", "log_A", "positive", js.allocation.at_optimum("chinchilla", "tokens_per_param", flops=BUDGET)),
    ],
    ids=["exponent", "best size", "tokens per param"],
)
def test_of_what_follows_from_coefs_it_is_lmfits_interval_of_a_law_written_in_it(surface, own, spare, line, ours):
    n, d, y = np.log(surface.runs["params"]), np.log(surface.runs["tokens"]), np.log(surface.runs.loss)
    coefs, coefs_of = surface.coefs, law_with(own)
    point = ours({name: np.array([value]) for name, value in coefs.items()})[0]
    start = {"E": coefs["E"], "log_A": np.log(coefs["A"]), "log_B": np.log(coefs["B"])}
    start |= {"alpha": coefs["alpha"], "beta": coefs["beta"], own: point if own == "a" else np.log(point)}
    del start[spare]

    def residuals(**at):
        E, log_A, log_B, alpha, beta = coefs_of(**at)
        return np.log(E + np.exp(log_A - alpha * n) + np.exp(log_B - beta * d)) - y

    want = lmfits(residuals, start, own)
    found = profile(surface, ours, line=line)
    np.testing.assert_allclose(found if own == "a" else np.log(found), want, rtol=1e-4)


def test_followed_from_the_point_fit_it_ends_where_a_fit_from_all_starts_has_it(curved):
    """Under Huber's rho, whose minima are kinks: at both limits the objective has risen alike, to 1e-6 of the rise."""
    fit = js.fit(curved.runs, "power-params")
    limits = profile(fit, lambda coefs: coefs["alpha"], line="positive")
    held = [js.fit(fit.runs, "power-params", fix={"alpha": limit}).value for limit in limits]
    rise = held[0] - fit.value
    assert rise > 1e-3 * fit.value
    assert held[1] - fit.value == pytest.approx(rise, rel=1e-6)


@pytest.fixture(scope="module")
def faint():
    """Runs that hardly know their floor, which may be nothing."""
    noise = np.exp(0.02 * np.random.default_rng(2).standard_normal(30))
    runs = js.Runs.from_arrays(params=PARAMS, loss=(0.8 + 40.0 * PARAMS**-0.15) * noise)
    return js.fit(runs, "power-params", objective="squared")


def test_a_path_goes_on_where_another_coef_comes_to_its_bound(faint):
    """The lower limit of alpha is that of a law without a floor, a line in ln L, with the floor's degree of freedom."""
    x, y = np.log(PARAMS), np.log(faint.runs.loss)
    most = faint.value * (1.0 + stats.f.ppf(0.95, 1, 27) / 27)

    def excess(alpha):
        return np.sum((y + alpha * x - (y + alpha * x).mean()) ** 2) - most

    slope = -stats.linregress(x, y).slope
    low, high = profile(faint, lambda coefs: coefs["alpha"])
    assert low == pytest.approx(brentq(excess, 0.5 * slope, slope), rel=1e-6)
    assert low < faint.coefs["alpha"] < high


def test_a_coef_without_a_limit_has_the_end_of_its_support_and_a_function_is_refused(faint):
    assert profile(faint, "E")[0] == 0.0
    for line in LINES:
        with pytest.raises(IntervalError, match="no coefs near the fit's at which the quantity is"):
            profile(faint, lambda coefs: coefs["E"], line=line)


def test_limits_do_not_depend_on_the_line_on_which_they_are_looked_for(curved):
    loss = [profile(curved, lambda coefs: coefs["E"] + coefs["A"] * 1e12 ** -coefs["alpha"], line=one) for one in LINES]
    np.testing.assert_allclose(loss[0], loss[1], rtol=1e-7)


def test_of_a_line_under_another_rho_it_is_the_sandwichs_interval(line):
    """Where the threshold lies beyond all residuals, the rise is a parabola, which the covariance alone scales."""
    robust = js.fit(line.runs, "pure-power-params", objective=js.huber(1.0))
    reach = stats.t.ppf(0.975, 28) * np.sqrt(robust.covariance[1, 1])
    limits = robust.coefs["alpha"] + np.array([-reach, reach])
    np.testing.assert_allclose(profile(robust, lambda coefs: coefs["alpha"]), limits, rtol=1e-6)


def test_what_has_no_profile_is_refused(line):
    robust = js.fit(line.runs, "pure-power-params", objective="absolute")
    fixed = js.fit(line.runs, "pure-power-params", objective="squared", fix={"A": 30.0})
    refused = {
        "the objective 'absolute' has no curvature": (robust, "A"),
        "the coef 'A' has no profile: it is fixed": (fixed, "A"),
        "which is not on the line 'unit'": (line, lambda coefs: coefs["A"]),
        r"unknown coef 'alpah'\. Did you mean 'alpha'": (line, "alpah"),
    }
    for words, (fit, name) in refused.items():
        with pytest.raises(UsageError, match=words):
            profile(fit, name, line="unit")

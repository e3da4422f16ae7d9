"""Student's t with its scale estimated, and ln cosh: SciPy's minimum of the same likelihood is the witness."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import gammaln
from scipy.stats import t as student

import jaxscale as js
from jaxscale import precision
from jaxscale.objectives.student import StudentRho, likeliest_scale, minus_log_likelihood

PARAMS = np.geomspace(1e7, 1e10, 30)
NOISE = student.rvs(3, size=30, random_state=4) * 0.01
RUNS = js.Runs.from_arrays(params=PARAMS, loss=(1.7 + 300.0 * PARAMS**-0.25) * np.exp(NOISE))
LAW = "power-params"


@pytest.fixture(scope="module")
def fit():
    return js.fit(RUNS, LAW, objective="student-t")


def residuals_of(coefs):
    return np.log(coefs["E"] + coefs["A"] * PARAMS ** -coefs["alpha"]) - np.log(RUNS.loss)


def likelihood(coefs, scale, dof=4.0):
    """Minus the log likelihood of SciPy's t."""
    return -float(np.sum(student.logpdf(residuals_of(coefs), dof, scale=scale)))


def test_coefs_and_scale_are_where_scipy_finds_the_greatest_likelihood(fit):
    assert fit.status is js.Status.CONVERGED
    found = np.log([*fit.coefs.values(), fit.objective.scale])

    def of(point):
        return likelihood(dict(zip(fit.coefs, np.exp(point[:3]), strict=True)), float(np.exp(point[3])))

    options = {"maxiter": 20_000, "maxfev": 20_000, "xatol": 1e-9, "fatol": 1e-12}
    other = minimize(of, found + 0.05, method="Nelder-Mead", options=options)
    other = minimize(of, other.x, method="Nelder-Mead", options=options)
    assert of(found) <= other.fun + 1e-9
    np.testing.assert_allclose(other.x, found, atol=1e-5)  # the likelihood is flat to 1e-12 within the root of that


def test_the_profile_over_the_scale_is_lowest_at_the_estimate(fit):
    best = likelihood(fit.coefs, fit.objective.scale)
    for factor in (0.8, 0.99, 1.01, 1.25):
        held = js.fit(RUNS, LAW, objective=js.student_t(scale=factor * fit.objective.scale))
        assert held.status is js.Status.CONVERGED
        assert held.objective.scale == factor * fit.objective.scale
        assert likelihood(held.coefs, held.objective.scale) > best
        assert likelihood(held.coefs, held.objective.scale) < likelihood(fit.coefs, held.objective.scale)


def test_the_value_is_the_likelihood_in_units_of_the_squared_scale(fit):
    scale, dof = fit.objective.scale, 4.0
    constant = 30 * (gammaln(0.5 * (dof + 1)) - gammaln(0.5 * dof) - 0.5 * np.log(dof * np.pi) - np.log(scale))
    assert fit.value == pytest.approx(scale**2 * (likelihood(fit.coefs, scale) + constant), rel=1e-9)
    np.testing.assert_allclose(fit.residuals, residuals_of(fit.coefs), atol=1e-13)


def test_the_scale_has_the_unit_of_the_residual_and_other_weights_do_not_move_it(fit):
    heavy = js.Runs.from_arrays(params=PARAMS, loss=RUNS.loss, weight=np.full(30, 7.0))
    assert js.fit(heavy, LAW, objective="student-t").objective.scale == pytest.approx(fit.objective.scale, rel=1e-8)


def test_an_exact_table_has_a_scale_of_rounding_and_its_coefs():
    exact = js.Runs.from_arrays(params=PARAMS, loss=1.7 + 300.0 * PARAMS**-0.25)
    found = js.fit(exact, LAW, objective="student-t")
    assert found.is_usable
    assert found.objective.scale < 1e-10
    np.testing.assert_allclose(list(found.coefs.values()), [1.7, 300.0, 0.25], rtol=1e-6)


def test_a_run_that_is_far_off_hardly_moves_the_coefs(fit):
    loss = RUNS.loss.copy()
    loss[12] *= 2.0
    off = js.Runs.from_arrays(params=PARAMS, loss=loss)
    robust = js.fit(off, LAW, objective="student-t").coefs["alpha"] - fit.coefs["alpha"]
    plain = js.fit(off, LAW, objective="squared").coefs["alpha"] - js.fit(RUNS, LAW, objective="squared").coefs["alpha"]
    assert abs(robust) < 0.1 * abs(plain)


def test_the_likeliest_scale_is_that_of_scipy():
    residuals, weight = NOISE, np.linspace(0.5, 2.0, 30)
    found = likeliest_scale(residuals, weight, 4.0, 1e-12)

    def of(log_scale):
        return -float(weight @ student.logpdf(residuals, 4.0, scale=np.exp(log_scale[0])))

    other = minimize(of, [np.log(0.02)], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-14})
    assert found == pytest.approx(float(np.exp(other.x[0])), rel=1e-6)
    differ = minus_log_likelihood(residuals, weight, 4.0, 0.02) - minus_log_likelihood(residuals, weight, 4.0, found)
    assert differ == pytest.approx(of([np.log(0.02)]) - of([np.log(found)]), rel=1e-9)


def test_many_degrees_of_freedom_are_half_the_square():
    with precision.float64():
        value, slope, *_ = StudentRho(1e9)(np.array([-0.3, 0.1]), np.array(0.5))
    np.testing.assert_allclose(value, [0.045, 0.005], rtol=1e-8)
    np.testing.assert_allclose(slope, [-0.3, 0.1], rtol=1e-8)


def test_a_wide_log_cosh_is_least_squares_and_a_narrow_one_the_absolute_value():
    wide, squared = (js.fit(RUNS, LAW, objective=one) for one in (js.log_cosh(1e3), js.squared()))
    np.testing.assert_allclose(list(wide.coefs.values()), list(squared.coefs.values()), rtol=1e-6)
    assert wide.value == pytest.approx(0.5 * squared.value, rel=1e-6)
    narrow, absolute = (js.fit(RUNS, LAW, objective=one) for one in (js.log_cosh(1e-7), js.absolute()))
    assert narrow.value / 1e-7 == pytest.approx(absolute.value, rel=1e-3)


def test_the_minimum_of_log_cosh_is_that_of_scipy():
    found = js.fit(RUNS, LAW, objective=js.log_cosh(0.01))

    def of(point):
        size = np.abs(residuals_of(dict(zip(found.coefs, np.exp(point), strict=True)))) / 0.01
        return 1e-4 * float(np.sum(size + np.log1p(np.exp(-2.0 * size)) - np.log(2.0)))

    start = np.log(list(found.coefs.values()))
    other = minimize(lambda point: 1e3 * of(point), start + 0.02, method="BFGS", options={"gtol": 1e-9})
    assert of(start) <= of(other.x) * (1 + 1e-10)
    np.testing.assert_allclose(other.x, start, atol=1e-4)
    assert found.value == pytest.approx(of(start), rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["student-t", js.log_cosh(0.01)], ids=["student-t", "log-cosh"])
def test_a_replicate_is_the_fit_of_its_own_weights(objective):
    fitted = js.fit(RUNS, LAW, objective=objective)
    ensemble = js.bootstrap(fitted, replicates=64)
    assert ensemble.usable.mean() > 0.9
    held = js.student_t(scale=fitted.objective.scale) if objective == "student-t" else objective
    for place in (3, 17, 41):
        table = js.Runs.from_arrays(params=PARAMS, loss=RUNS.loss, weight=ensemble.weights(place))
        one = js.fit(table, LAW, objective=held)
        assert one.value == pytest.approx(float(ensemble.value[place]), rel=1e-9)


@pytest.mark.parametrize("given", [{"dof": 0.0}, {"dof": np.inf}, {"scale": -1.0}, {"scale": "0.1"}])
def test_what_is_no_positive_number_is_refused(given):
    with pytest.raises(js.UsageError, match=f"{next(iter(given))} = "):
        js.student_t(**given)


def test_a_solution_needs_a_scale(fit):
    law = js.LAWS.resolve(LAW)
    with pytest.raises(js.UsageError, match="estimates no scale"):
        js.fitting.solution(law, "student-t", law.theta(fit.coefs), (PARAMS,), np.log(RUNS.loss), np.ones(30))

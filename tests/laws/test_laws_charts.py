"""Coordinates of a law in which it is fitted: the same law, whatever they are, and smooth where coefs are infinite."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import least_squares

import jaxscale as js
from jaxscale import precision
from jaxscale.laws import LAWS
from jaxscale.laws.predicting import random_coefs, random_columns
from jaxscale.numerics.powers import bent
from jaxscale.status import Status

CHARTED = pytest.mark.parametrize("law", [law for law in LAWS if law.chart is not None], ids=lambda law: law.name)


@CHARTED
def test_coefs_come_back_from_their_coordinates_and_give_the_same_loss(law):
    random = np.random.default_rng(0)
    columns = random_columns(law, random, 20)
    for _ in range(20):
        coefs = random_coefs(law, random)
        theta = law.theta(coefs)
        np.testing.assert_allclose(law.coordinates.to_coefs(theta), law.vector(coefs), rtol=1e-10)
        with precision.float64():
            by_theta = np.asarray(law.chart.loss(*(jnp.asarray(columns[name]) for name in law.inputs), *theta))
        np.testing.assert_allclose(by_theta, js.predict(law, coefs, **columns), rtol=1e-11)


@CHARTED
def test_slopes_are_differences_of_coefs_and_carry_covariances_there_and_back(law):
    random = np.random.default_rng(1)
    theta = law.theta(random_coefs(law, random))
    step = 1e-6 * np.eye(len(theta))
    by_difference = (law.coordinates.to_coefs(theta + step) - law.coordinates.to_coefs(theta - step)).T / 2e-6
    slopes = law.chart.slopes(theta)
    np.testing.assert_allclose(slopes, by_difference, rtol=1e-5, atol=1e-5 * np.abs(slopes).max())
    root = random.standard_normal((len(theta), len(theta)))
    covariance = root @ root.T
    carried = law.coordinates.of_coefs(theta, covariance)
    np.testing.assert_allclose(carried, slopes @ covariance @ slopes.T, rtol=1e-12)
    np.testing.assert_allclose(law.coordinates.of_theta(theta, carried), covariance, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("exponent", [-0.3, -1e-3, -1e-9, 0.0, 1e-9, 1e-3, 0.3])
def test_a_bent_power_and_its_derivatives_are_those_of_its_series(exponent):
    """(e^(xu) - 1)/x = Σ x^k u^(k+1)/(k+1)!, summed in longdouble."""
    for reach in (-3.0, -0.4, 0.0, 0.7, 3.0):
        order = np.arange(80, dtype=np.longdouble)
        factorial = np.cumprod(np.maximum(order + 1, 1))
        terms = np.longdouble(reach) ** (order + 1) / factorial
        powers = np.longdouble(exponent) ** order
        slope = np.where(order > 0, order * np.longdouble(exponent) ** np.maximum(order - 1, 0), 0)
        bend = np.where(order > 1, order * (order - 1) * np.longdouble(exponent) ** np.maximum(order - 2, 0), 0)
        with precision.float64():
            one = lambda x, u=reach: bent(x, u)  # noqa: E731
            got = [float(f(jnp.asarray(exponent))) for f in (one, jax.grad(one), jax.grad(jax.grad(one)))]
        want = [float(np.sum(part * terms)) for part in (powers, slope, bend)]
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)


@pytest.fixture(scope="module")
def farseer_fit(shared_data):
    return js.fit(js.read_runs(shared_data / "farseer_train.csv"), "farseer")


def test_farseer_ends_at_the_minimum_that_scipy_finds_in_coordinates_of_its_own(farseer_fit):
    """SciPy with levels, slopes and powers about the mean size: four starts."""
    runs = farseer_fit.runs
    size, length = (np.log(np.asarray(runs[name])) for name in ("params", "tokens"))
    size = size - size.mean()

    def shape(power):
        return size if power == 0 else np.expm1(power * size) / power

    def residual(at):
        levels = [at[k] + at[k + 1] * shape(at[k + 2]) for k in (0, 3, 6)]
        data = levels[1] + np.exp(at[0]) * length.mean() - np.exp(levels[0]) * length
        return np.logaddexp(levels[2], data) - np.log(runs.loss)

    def total(found):
        off = np.abs(residual(found))
        return np.sum(np.where(off < 1e-3, off**2 / 2, 1e-3 * (off - 5e-4)))

    options = {"x_scale": "jac", "xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15, "max_nfev": 500}
    random, ends = np.random.default_rng(0), []
    for _ in range(4):
        begin = np.array([-1.1, -0.1, 0.1, -2.0, -0.7, -0.1, -0.8, -0.1, 0.1]) + 0.05 * random.standard_normal(9)
        rough = least_squares(residual, begin, x_scale="jac", max_nfev=300).x
        ends.append(total(least_squares(residual, rough, loss="huber", f_scale=1e-3, **options).x))
    assert farseer_fit.status is Status.CONVERGED
    assert farseer_fit.value == pytest.approx(min(ends), rel=1e-9)
    assert farseer_fit.value <= 3.92e-4
    assert farseer_fit.certificate.agreeing_starts == farseer_fit.certificate.starts


def test_replicates_of_farseer_pass_through_a_power_of_zero(farseer_fit):
    """On the public split alpha is within half a standard error of 0, where a_1 and b_1 are infinite."""
    ensemble = js.bootstrap(farseer_fit, replicates=200)
    assert ensemble.usable.all()
    alpha = ensemble.coefs["alpha"]
    assert (alpha > 0).any()
    assert (alpha < 0).any()
    assert np.std(alpha) == pytest.approx(farseer_fit.std["alpha"], rel=0.25)


FIXED = [
    {"alpha": 0.1},
    {"a_1": -0.12},
    {"b_3": 1.0},
    {"gamma": 0.17, "beta": -0.1},
    {"a_1": -0.12, "alpha": 0.12},
    {"a_2": 88.0, "b_2": -6.0},
    {"a_3": -0.021, "gamma": 0.17, "b_3": -0.09},
]


@pytest.mark.parametrize("fixed", FIXED, ids=str)
def test_a_chart_with_fixed_coefs_has_them_as_coordinates(fixed):
    law = LAWS.resolve("farseer").holding(fixed)
    assert law == LAWS.resolve("farseer")
    coefs = law.constants("farseer2025")
    met = law.chart.meeting(law.vector(coefs), {law.names.index(name): value for name, value in fixed.items()})
    theta = law.coordinates.to_theta(met)
    for name, value in fixed.items():
        assert met[law.names.index(name)] == value
        assert theta[law.names.index(name)] == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(law.coordinates.to_coefs(theta), met, rtol=1e-10)
    if len(fixed) < 3 and {"a_3", "gamma", "b_3"}.isdisjoint(fixed):
        at = {"params": np.full(3, 2e9), "tokens": np.array([1e9, 1e11, 1e13])}  # the middle: levels stay as they are
        after = js.predict("farseer", dict(zip(law.names, met, strict=True)), **at)
        np.testing.assert_allclose(after, js.predict("farseer", coefs, **at), rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("fixed", FIXED[:4], ids=str)
def test_a_fixed_coef_of_farseer_is_held_and_no_start_of_scipys_ends_lower(farseer_fit, fixed):
    runs = farseer_fit.runs
    held = js.fit(runs, "farseer", fix=fixed)
    assert held.status is Status.CONVERGED
    assert {name: held.coefs[name] for name in fixed} == fixed
    assert held.value > farseer_fit.value
    law, free = held.law, [at for at, name in enumerate(farseer_fit.law.names) if name not in fixed]
    size, length = np.log(np.asarray(runs["params"])), np.log(np.asarray(runs["tokens"]))

    def residual(point):
        coefs = np.array([fixed.get(name, 0.0) for name in law.names])
        coefs[free] = point
        levels = [coefs[k] * np.exp(coefs[k + 1] * size) + coefs[k + 2] for k in (0, 3, 6)]
        return np.logaddexp(levels[2], levels[1] - np.exp(levels[0]) * length) - np.log(runs.loss)

    options = {"loss": "huber", "f_scale": 1e-3, "x_scale": "jac", "max_nfev": 3000}
    for begin in (held.coefs, farseer_fit.law.constants("farseer2025")):
        start = law.chart.meeting(law.vector(begin), {law.names.index(name): value for name, value in fixed.items()})
        off = np.abs(residual(least_squares(residual, start[free], **options).x))
        assert held.value <= np.sum(np.where(off < 1e-3, off**2 / 2, 1e-3 * (off - 5e-4))) * (1 + 1e-9)

"""Rho functions: derivatives, limits, bounds, and what the sum over rows may not depend on."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jaxscale as js
from jaxscale import precision
from jaxscale.errors import UsageError
from jaxscale.objectives import OBJECTIVES

RESIDUALS = np.concatenate([-np.geomspace(1e-6, 1.0, 25), np.geomspace(1e-6, 1.0, 25)])
SCALE = 1e-3 * (1 + 1e-3)  # between two of the residuals
EVERY = pytest.mark.parametrize("objective", tuple(OBJECTIVES), ids=lambda objective: objective.name)


def score(objective, residual, scale=SCALE):
    with precision.float64():
        parts = objective.rho(jnp.asarray(residual, jnp.float64), jnp.asarray(scale, jnp.float64))
        return [np.asarray(part) for part in parts]


@EVERY
def test_slope_and_curvature_are_the_derivatives_of_the_value(objective):
    step = 1e-7 * np.abs(RESIDUALS)  # small enough not to cross the bend
    value = [score(objective, RESIDUALS + shift * step)[0] for shift in (-1, 1)]
    _, slope, curvature, _ = score(objective, RESIDUALS)
    np.testing.assert_allclose(slope, (value[1] - value[0]) / (2 * step), rtol=1e-7)  # eps / 1e-7, on both terms
    slopes = [score(objective, RESIDUALS + shift * step)[1] for shift in (-1, 1)]
    np.testing.assert_allclose(curvature, (slopes[1] - slopes[0]) / (2 * step), rtol=1e-7, atol=1e-6)


@EVERY
def test_the_value_is_even_convex_around_zero_and_zero_there(objective):
    value, slope, curvature, _ = score(objective, RESIDUALS)
    np.testing.assert_array_equal(value, score(objective, -RESIDUALS)[0])
    inside = np.abs(RESIDUALS) < np.sqrt(objective.dof or np.inf) * SCALE  # Student's t is convex only there
    assert np.all(curvature[inside] >= 0)
    assert np.all(curvature[~inside] < 0)
    assert np.all(slope * RESIDUALS > 0)
    assert score(objective, np.zeros(1))[0] == 0.0


@EVERY
@settings(deadline=None)
@given(at=st.floats(-1, 1), other=st.floats(-1, 1))
def test_the_majoriser_bounds_the_value_from_above(objective, at, other):
    """rho(s) ≤ rho(r) + rho'(r) (s - r) + m (s - r)² / 2: what makes a reweighted least-squares step descend."""
    value, slope, _, majoriser = (part[0] for part in score(objective, np.array([at, other])))
    bound = value + slope * (other - at) + 0.5 * majoriser * (other - at) ** 2
    there = score(objective, np.array([other]))[0][0]
    assert there <= bound * (1 + 1e-12) + 1e-15


@EVERY
def test_the_majoriser_is_slope_over_miss(objective):
    _, slope, _, majoriser = score(objective, RESIDUALS)
    np.testing.assert_allclose(majoriser, slope / RESIDUALS, rtol=1e-14)


@EVERY
def test_a_miss_of_zero_has_finite_derivatives(objective):
    assert all(np.isfinite(part).all() for part in score(objective, np.zeros(1)))


def test_huber_is_half_the_square_inside_and_a_line_outside():
    delta = 0.01
    value = score(js.huber(), RESIDUALS, delta)[0]
    inside = np.abs(RESIDUALS) <= delta
    np.testing.assert_allclose(value[inside], 0.5 * RESIDUALS[inside] ** 2, rtol=1e-15)
    np.testing.assert_allclose(value[~inside], delta * np.abs(RESIDUALS[~inside]) - 0.5 * delta**2, rtol=1e-13)


def test_a_wide_huber_is_half_the_squared_score_and_a_narrow_one_the_absolute():
    np.testing.assert_allclose(
        score(js.huber(), RESIDUALS, 1e3)[0], 0.5 * score(js.squared(), RESIDUALS)[0], rtol=1e-15
    )
    narrow = 1e-12
    np.testing.assert_allclose(score(js.huber(), RESIDUALS, narrow)[0] / narrow, np.abs(RESIDUALS), rtol=1e-6)
    np.testing.assert_allclose(score(js.absolute(), RESIDUALS, narrow)[0], np.abs(RESIDUALS), rtol=1e-6)


@pytest.mark.parametrize("delta", [0.0, -1e-3, float("nan"), float("inf"), "0.001", None])
def test_a_delta_that_is_no_positive_number_is_refused(delta):
    with pytest.raises(UsageError, match="delta = "):
        js.huber(delta)


def test_any_real_number_is_a_delta():
    assert js.huber(np.float32(0.5)).delta == 0.5
    assert js.huber(1) == js.huber(1.0)


def test_an_unknown_space_is_refused():
    with pytest.raises(UsageError, match="neither 'log' nor 'linear'"):
        js.squared(space="logarithmic")


def test_equal_objectives_are_equal_and_hashable():
    assert js.huber(1e-3) == js.huber(1e-3)
    assert hash(js.absolute(space="linear")) == hash(js.absolute(space="linear"))
    assert js.huber(1e-3) != js.huber(1e-2)


COLUMNS = {"params": np.geomspace(1e7, 1e10, 30)}
RUNS = js.simulate("power-params", {"E": 1.7, "A": 300.0, "alpha": 0.25}, columns=COLUMNS, noise=0.01, seed=1)


def weighted(weight):
    return js.Runs.from_arrays(loss=RUNS.loss, params=RUNS["params"], weight=weight)


@EVERY
def test_the_mean_over_rows_has_the_minimum_of_the_sum(objective):
    total, mean = (js.fit(weighted(np.full(30, w)), "power-params", objective=objective) for w in (1.0, 1 / 30))
    assert total.status is mean.status is js.Status.CONVERGED
    np.testing.assert_allclose(list(mean.coefs.values()), list(total.coefs.values()), rtol=1e-9)
    assert mean.value == pytest.approx(total.value / 30, rel=1e-12)


@EVERY
def test_a_weight_of_two_is_a_row_written_twice(objective):
    weight = np.ones(30)
    weight[[3, 8]] = 2.0
    index = np.sort(np.concatenate([np.arange(30), [3, 8]]))
    twice = js.Runs.from_arrays(loss=RUNS.loss[index], params=RUNS["params"][index])
    heavy = js.fit(weighted(weight), "power-params", objective=objective)
    doubled = js.fit(twice, "power-params", objective=objective)
    assert heavy.value == pytest.approx(doubled.value, rel=1e-12)
    np.testing.assert_allclose(list(heavy.coefs.values()), list(doubled.coefs.values()), rtol=1e-8)


def test_the_value_is_the_sum_over_rows_that_numpy_finds():
    fit = js.fit(weighted(np.linspace(0.5, 2, 30)), "power-params")
    residual = np.log(js.predict(fit, params=RUNS["params"])) - np.log(RUNS.loss)
    size = np.abs(residual)
    huber = np.where(size <= 1e-3, 0.5 * residual**2, 1e-3 * (size - 0.5e-3))
    assert fit.value == pytest.approx(np.sum(np.linspace(0.5, 2, 30) * huber), rel=1e-12)
    np.testing.assert_allclose(fit.residuals, residual, rtol=0, atol=1e-14)


def test_a_jax_gradient_of_the_value_is_the_slope():
    with precision.float64():
        for objective in OBJECTIVES:
            got = jax.vmap(jax.grad(lambda r, o=objective: o.rho(r, SCALE).value))(jnp.asarray(RESIDUALS))
            np.testing.assert_allclose(np.asarray(got), score(objective, RESIDUALS)[1], rtol=1e-14)

"""The solution of a fit as a function of its data: implicit derivatives against refits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxscale as js
from jaxscale import precision
from jaxscale.fitting import solution
from jaxscale.laws import LAWS

LAW = LAWS.resolve("pure-power-params")
PARAMS = np.geomspace(1e7, 1e10, 12)
TARGET = np.log(30.0) - 0.12 * np.log(PARAMS) + 0.01 * np.random.default_rng(1).standard_normal(12)
START = LAW.theta({"A": 25.0, "alpha": 0.1})


def solver(objective):
    return jax.jit(lambda target, weight: solution(LAW, objective, START, (PARAMS,), target, weight))


def by_differences(function, point, step=1e-4):
    columns = [(function(point + step * e) - function(point - step * e)) / (2 * step) for e in np.eye(len(point))]
    return np.stack([np.asarray(column) for column in columns], axis=1)


@pytest.mark.parametrize("objective", [js.squared(), js.huber(0.01)], ids=["squared", "huber"])
def test_the_derivatives_in_targets_and_weights_are_those_of_refits(objective):
    with precision.float64():
        solve, weight = solver(objective), np.linspace(0.5, 1.5, 12)
        in_target = jax.jit(jax.jacobian(solve))(TARGET, weight)
        in_weight = jax.jit(jax.jacobian(solve, argnums=1))(TARGET, weight)
        # a refit is good to 1e-9 and the step is 1e-4; nothing crosses a bend in between
        np.testing.assert_allclose(in_target, by_differences(lambda t: solve(t, weight), TARGET), rtol=1e-4, atol=2e-5)
        np.testing.assert_allclose(in_weight, by_differences(lambda w: solve(TARGET, w), weight), rtol=1e-4, atol=2e-5)


def test_least_squares_in_logs_has_the_derivative_of_linear_regression():
    """theta = (ln A, ln alpha): d ln A and d alpha are the rows of (XᵀX)⁻¹ Xᵀ."""
    with precision.float64():
        theta = solver(js.squared())(TARGET, np.ones(12))
        slopes = jax.jacobian(solver(js.squared()))(TARGET, np.ones(12))
    design = np.stack([np.ones(12), -np.log(PARAMS)], axis=1)
    hat = np.linalg.pinv(design)
    np.testing.assert_allclose([theta[0], np.exp(theta[1])], hat @ TARGET, rtol=1e-9)
    slopes = np.asarray(slopes) * np.array([[1.0], [float(np.exp(theta[1]))]])
    np.testing.assert_allclose(slopes, hat, rtol=1e-8, atol=1e-12)


def test_the_solution_is_that_of_fit_and_works_under_vmap():
    fit = js.fit(js.Runs.from_arrays(params=PARAMS, loss=np.exp(TARGET)), LAW, objective=js.squared())
    with precision.float64():
        many = jax.vmap(solver(js.squared()), in_axes=(None, 0))(TARGET, jnp.ones((2, 12)))
    for theta in np.asarray(many):
        np.testing.assert_allclose(np.exp(theta), list(fit.coefs.values()), rtol=1e-8)


def test_least_absolute_deviations_follow_the_two_points_that_they_pass_through():
    """The minimum is the line through two of the points, and does not move with the others."""
    with precision.float64():
        theta = np.asarray(solver(js.absolute())(TARGET, np.ones(12)))
        slopes = np.asarray(jax.jacobian(solver(js.absolute()))(TARGET, np.ones(12)))
    miss = theta[0] - np.exp(theta[1]) * np.log(PARAMS) - TARGET
    touched = np.argsort(np.abs(miss))[:2]
    assert np.abs(miss[touched]).max() < 1e-12
    through = np.linalg.inv(np.stack([np.ones(2), -np.log(PARAMS[touched])], axis=1))
    np.testing.assert_allclose(slopes[:, touched] * np.array([[1.0], [np.exp(theta[1])]]), through, rtol=1e-9)
    np.testing.assert_allclose(np.delete(slopes, touched, axis=1), 0.0, atol=1e-12)

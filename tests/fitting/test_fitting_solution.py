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


OBJECTIVES = {"squared": js.squared(), "huber": js.huber(0.01), "absolute": js.absolute()}


def program(objective):
    """One program per objective: theta (2,), and its derivatives (2, 12) in targets and in weights."""

    def solve(target, weight):
        theta = solution(LAW, objective, START, (PARAMS,), target, weight)
        return theta, theta

    return jax.jit(jax.jacobian(solve, argnums=(0, 1), has_aux=True))


@pytest.fixture(scope="module")
def solved():
    compiled = {name: program(objective) for name, objective in OBJECTIVES.items()}

    def answer(name, target, weight):
        with precision.float64():
            (in_target, in_weight), theta = compiled[name](target, weight)
            return np.asarray(theta), np.asarray(in_target), np.asarray(in_weight)

    return answer


def by_differences(function, point, step=1e-5):
    columns = [(function(point + step * e) - function(point - step * e)) / (2 * step) for e in np.eye(len(point))]
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("name", ["squared", "huber"])
def test_the_derivatives_in_targets_and_weights_are_those_of_refits(solved, name):
    weight = np.linspace(0.5, 1.5, 12)
    _, in_target, in_weight = solved(name, TARGET, weight)
    close = {"rtol": 1e-5, "atol": 1e-6}  # a refit is good to 1e-13 or so, and the step is 1e-5
    np.testing.assert_allclose(in_target, by_differences(lambda t: solved(name, t, weight)[0], TARGET), **close)
    np.testing.assert_allclose(in_weight, by_differences(lambda w: solved(name, TARGET, w)[0], weight), **close)


def test_least_squares_in_logs_has_the_derivative_of_linear_regression(solved):
    """theta = (ln A, ln alpha): d ln A and d alpha are the rows of (XᵀX)⁻¹ Xᵀ."""
    theta, slopes, _ = solved("squared", TARGET, np.ones(12))
    hat = np.linalg.pinv(np.stack([np.ones(12), -np.log(PARAMS)], axis=1))
    np.testing.assert_allclose([theta[0], np.exp(theta[1])], hat @ TARGET, rtol=1e-9)
    np.testing.assert_allclose(slopes * np.array([[1.0], [np.exp(theta[1])]]), hat, rtol=1e-8, atol=1e-12)


def test_the_solution_is_that_of_fit_and_works_under_vmap():
    fit = js.fit(js.Runs.from_arrays(params=PARAMS, loss=np.exp(TARGET)), LAW, objective=js.squared())
    with precision.float64():
        many = jax.vmap(lambda weight: solution(LAW, js.squared(), START, (PARAMS,), TARGET, weight))(jnp.ones((2, 12)))
    for theta in np.asarray(many):
        np.testing.assert_allclose(np.exp(theta), list(fit.coefs.values()), rtol=1e-8)


def test_least_absolute_deviations_follow_the_two_points_that_they_pass_through(solved):
    """The minimum is the line through two of the points, and does not move with the others."""
    theta, slopes, _ = solved("absolute", TARGET, np.ones(12))
    residual = theta[0] - np.exp(theta[1]) * np.log(PARAMS) - TARGET
    touched = np.argsort(np.abs(residual))[:2]
    assert np.abs(residual[touched]).max() < 1e-12
    through = np.linalg.inv(np.stack([np.ones(2), -np.log(PARAMS[touched])], axis=1))
    np.testing.assert_allclose(slopes[:, touched] * np.array([[1.0], [np.exp(theta[1])]]), through, rtol=1e-9)
    np.testing.assert_allclose(np.delete(slopes, touched, axis=1), 0.0, atol=1e-12)

"""Departures of the truth from a law: their terms, and what is left of a prediction, by plain NumPy."""

import numpy as np
import pytest

import jaxscale as js
from jaxscale.designing.criteria import DesignProblem, factors_of
from jaxscale.designing.misfit import SIZE, potential_terms
from jaxscale.designing.posterior import Evidence, Posterior, Prior

NOISE = 0.1


def test_terms_are_inputs_squares_and_products_from_minus_one_to_one():
    """ln x from ln 1 to ln 100 and y from -3 to 5, over all parts; z does not vary, and w is a mixture."""
    bought = (np.array([1.0, 10.0]), np.array([-3.0, 1.0]), np.full(2, 7.0), np.ones((2, 3)))
    aimed = (np.array([100.0]), np.array([5.0]), np.full(1, 7.0), np.ones((1, 3)))
    first, second = potential_terms(bought, aimed)
    np.testing.assert_allclose(first, SIZE * np.array([[-1, -1, 1, 1, 1], [0, 0, 0, 0, 0]]), atol=1e-15)
    np.testing.assert_allclose(second, SIZE * np.ones((1, 5)))


def line(x, *, a, b):
    """L = a + b x."""
    return a + b * x


@pytest.mark.parametrize("places", [[], [0], [1, 3]])
def test_what_is_left_of_a_prediction_is_that_of_a_larger_linear_law(places):
    """Of a + b x + noise (w x' + v x'^2) with w, v standard normal: least squares with the prior of all four coefs."""
    law = js.Law("line", line, ("x",), (js.Coef("a", "real", (0.0, 4.0)), js.Coef("b", "real", (0.0, 4.0))))
    known, candidates, region = np.array([-1.0, -0.5, 0.0]), np.array([-0.8, 0.2, 0.6, 1.0]), np.array([1.5, 2.0])
    prior = Prior(np.array([2.0, 2.0]), np.array([0.7, 0.6]))
    evidence = Evidence((known,), 2.0 + 2.0 * known, np.ones(3))
    believed = Posterior(np.tile(prior.mean, (4, 1)), prior.mean, NOISE)
    question = DesignProblem(law, evidence, prior, believed, (candidates,), "linear", None, (region,))
    factors = factors_of(question, "prediction")

    def rows(x):
        scaled = (x - 0.5) / 1.5
        return np.stack([np.ones_like(x), x, NOISE * SIZE * scaled, NOISE * SIZE * scaled**2], axis=1)

    some = np.concatenate([rows(known), rows(candidates)[places]])
    information = np.diag([0.7**-2, 0.6**-2, 1.0, 1.0]) + some.T @ some / NOISE**2
    expected = np.mean(np.sum(rows(region) @ np.linalg.inv(information) * rows(region), axis=1))
    assert factors.criterion(factors.after(places)) == pytest.approx(expected, rel=1e-6)

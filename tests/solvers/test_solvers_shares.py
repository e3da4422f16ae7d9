"""Residuals that see a share of the coordinates: the derivatives are those of the whole, the zeros left out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxscale import precision
from jaxscale.numerics.small_spd import pack_indices, unpack
from jaxscale.objectives import OBJECTIVES
from jaxscale.solvers.problem import Data, Problem, derivatives, evaluate
from jaxscale.solvers.shares import Share

SEEN = ((0, 2, 4), (1, 3, 4))
"""Two kinds with two coordinates of their own each, in turn, and the last one in common."""


def residual(theta, row):
    x, _ = row
    return jnp.exp(theta[0]) + theta[1] * x ** theta[2]


SHARE = Share(residual, lambda row: row[1], SEEN)
PROBLEM = Problem.shared(SHARE, OBJECTIVES.resolve("huber").rho)
THETA = (0.1, -0.2, 1.5, 0.7, 0.3)


def test_only_pairs_that_some_row_sees_together_are_left():
    apart = {(0, 1), (0, 3), (1, 2), (2, 3)}
    assert PROBLEM.pairs == tuple(pair for pair in pack_indices(5) if pair not in apart)


@pytest.mark.parametrize("kind", [0.0, 1.0])
def test_a_row_has_the_derivatives_of_the_whole_miss(kind):
    with precision.float64():
        row, theta = (jnp.asarray(1.7), jnp.asarray(kind)), tuple(map(jnp.asarray, THETA))
        value, slope, bend = derivatives(PROBLEM, theta, row)
        whole = lambda point: PROBLEM.residual(tuple(point), row)  # noqa: E731
        np.testing.assert_allclose(value, whole(jnp.stack(theta)), rtol=1e-15)
        np.testing.assert_allclose(slope, jax.grad(whole)(jnp.stack(theta)), rtol=1e-14)
        full = unpack(jnp.stack(bend)[None], 5, PROBLEM.pairs)[0]
        np.testing.assert_allclose(full, jax.hessian(whole)(jnp.stack(theta)), rtol=1e-13, atol=1e-15)


def test_the_sums_are_those_of_the_problem_without_shares():
    with precision.float64():
        rows = (jnp.linspace(0.5, 3.0, 9), jnp.asarray([0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0]))
        lanes = jnp.asarray(THETA) + jnp.asarray([[0.0], [0.1]])
        weight, scale = jnp.ones((2, 9)), jnp.asarray([1.0, 0.1])
        plain = Problem(PROBLEM.residual, PROBLEM.rho, 5)
        pair = [evaluate(one, Data(rows, weight), lanes, scale, jnp.ones(5)) for one in (PROBLEM, plain)]
        for mine, other in zip(*pair, strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-12, atol=1e-14)

"""The surrogate of the residuals: Taylor's polynomial of second order, in coordinates in which the metric is 1."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxscale import precision
from jaxscale.objectives import OBJECTIVES
from jaxscale.solvers.lanes import fresh_lanes
from jaxscale.solvers.loop import Tolerances, minimise
from jaxscale.solvers.newton import Newton
from jaxscale.solvers.problem import Data, Problem, derivatives, evaluate
from jaxscale.solvers.surrogate import descend, no_surrogate, surrogate_evaluation, surrogate_of
from jaxscale.status import Status

ROWS, LANES, SCALE = 40, 7, 1e-2
X = np.linspace(-3.0, 3.0, ROWS)
BASE = np.array([0.5, -1.2, -1.0])
NOISE = 0.02 * np.random.default_rng(0).standard_t(3, ROWS)


def residual(theta, row):
    """ln(e^a + e^(b - x e^c)) - y: a law with a floor, as in log space."""
    x, y = row
    a, b, c = theta
    return jnp.log(jnp.exp(a) + jnp.exp(b - x * jnp.exp(c))) - y


Y = np.log(np.exp(BASE[0]) + np.exp(BASE[1] - X * np.exp(BASE[2]))) + NOISE
HUBER = Problem(residual, OBJECTIVES.resolve("huber").rho, 3)
WEIGHT = np.random.default_rng(1).poisson(1.0, (LANES, ROWS)).astype(np.float64)


@pytest.fixture(scope="module")
def at_base():
    with precision.float64():
        rows = (jnp.asarray(X), jnp.asarray(Y))
        residual, slope, bend = jax.vmap(lambda row: derivatives(HUBER, tuple(jnp.asarray(BASE)), row))(rows)
        residual, slope, bend = np.asarray(residual), np.stack(slope, axis=1), np.stack(bend, axis=1)
    mass = np.minimum(1.0, SCALE / np.abs(residual))
    return rows, surrogate_of(residual, slope, bend, mass, BASE, 0.0), (slope, mass)


def objective(rows, theta, weight=WEIGHT):
    with precision.float64():
        scale = jnp.full(len(theta), SCALE)
        there = evaluate(HUBER, Data(rows, jnp.asarray(weight)), jnp.asarray(theta), scale, jnp.ones(3))
        return jax.tree.map(np.asarray, there)


def said(surrogate, z, weight=WEIGHT):
    with precision.float64():
        light, scale = jnp.asarray(weight, jnp.float32), jnp.full(len(z), SCALE, jnp.float32)
        data = Data((surrogate.residual, surrogate.jacobian, surrogate.second, surrogate.kind), light)
        there = surrogate_evaluation(HUBER, data, jnp.asarray(z, jnp.float32), scale, jnp.ones(3, jnp.float32))
        return jax.tree.map(np.asarray, there)


def test_the_metric_is_one_in_the_frame(at_base):
    _, surrogate, (slope, mass) = at_base
    turned = slope @ surrogate.frame
    np.testing.assert_allclose(turned.T @ (mass[:, None] * turned), np.eye(3), atol=1e-12)


def test_at_the_base_it_is_the_objective_with_its_gradient_and_hessian(at_base):
    rows, surrogate, _ = at_base
    z = np.zeros((LANES, 3))
    there, here = said(surrogate, z), objective(rows, BASE + z)
    np.testing.assert_allclose(there.value, here.value, rtol=1e-5)
    np.testing.assert_allclose(there.gradient, here.gradient @ surrogate.frame, atol=1e-5)
    np.testing.assert_allclose(
        there.curvature, surrogate.frame.T @ np.asarray(here.curvature) @ surrogate.frame, atol=1e-4
    )


def test_away_from_the_base_its_error_is_of_third_order(at_base):
    rows, surrogate, _ = at_base
    direction = np.random.default_rng(2).standard_normal((LANES, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    gaps = []
    for length in (0.2, 0.1):
        z = length * direction
        gaps.append(np.abs(said(surrogate, z).value - objective(rows, surrogate.theta(z)).value))
    assert np.median(gaps[0] / gaps[1]) > 2**2.5  # 2³ for the third order, 2² for the second
    assert np.all(gaps[0] > 1e-6)  # above float32's rounding, or the ratio would say nothing


def test_rows_that_are_not_finite_and_coordinates_without_effect_leave_it_finite():
    residual, slope, bend = np.ones(9), np.ones((9, 2)) * [1.0, 0.0], np.zeros((9, 3))
    residual[4] = np.nan
    surrogate = surrogate_of(residual, slope, bend, np.ones(9), np.zeros(2), 0.0)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(surrogate))
    np.testing.assert_array_equal(surrogate.frame[:, 1], [0.0, 1.0])


def descended(surrogate, steps=10, active=(1.0, 1.0, 1.0), weight=WEIGHT):
    with precision.float64():
        scale = jnp.full(LANES, SCALE)
        found = jax.jit(partial(descend, HUBER))(
            surrogate, Data((), jnp.asarray(weight)), scale, jnp.asarray(active), np.int32(steps)
        )
        return tuple(map(np.asarray, found))


def solved(rows, theta):
    with precision.float64():
        lanes = fresh_lanes(Newton(), theta, np.full(LANES, SCALE))
        tolerances = Tolerances(np.float64(SCALE), np.float64(0.0), np.float64(0.0))
        run = jax.jit(partial(minimise, HUBER, Newton()))
        bounded, steps, noise = np.zeros(3, bool), np.int32(200), np.float64(1e-16)
        ended = run(Data(rows, jnp.asarray(WEIGHT)), lanes, jnp.ones(3), bounded, tolerances, noise, steps)
        return jax.tree.map(np.asarray, ended)


def test_it_leads_lanes_to_the_same_minima_with_fewer_evaluations_left(at_base):
    rows, surrogate, _ = at_base
    theta, value = descended(surrogate)
    np.testing.assert_allclose(value, objective(rows, np.tile(BASE, (LANES, 1))).value, rtol=1e-5)
    assert np.all(objective(rows, theta).value < value)
    with_it, without = solved(rows, theta), solved(rows, np.tile(BASE, (LANES, 1)))
    for lanes in (with_it, without):
        np.testing.assert_array_equal(lanes.status, Status.CONVERGED)
    np.testing.assert_allclose(with_it.here.value, without.here.value, rtol=1e-12)
    np.testing.assert_allclose(with_it.theta, without.theta, rtol=1e-8)
    assert np.mean(with_it.steps) < np.mean(without.steps)


def test_no_steps_lead_nowhere(at_base):
    _, surrogate, _ = at_base
    np.testing.assert_array_equal(descended(surrogate, steps=0)[0], np.tile(BASE, (LANES, 1)))


def test_it_moves_no_coordinate_that_is_inactive(at_base):
    rows = at_base[0]
    with precision.float64():
        residual, slope, bend = jax.vmap(lambda row: derivatives(HUBER, tuple(jnp.asarray(BASE)), row))(rows)
        slope, bend = np.stack(slope, axis=1) * [1.0, 0.0, 1.0], np.stack(bend, axis=1) * [1.0, 0.0, 1.0, 0.0, 0.0, 1.0]
    fixed = surrogate_of(np.asarray(residual), slope, bend, np.minimum(1.0, SCALE / np.abs(residual)), BASE, 0.0)
    theta, value = descended(fixed, active=(1.0, 0.0, 1.0))
    np.testing.assert_array_equal(theta[:, 1], BASE[1])
    assert np.all(objective(rows, theta).value < value)


def test_a_model_that_is_not_finite_where_it_leads_leaves_its_lane_at_the_base(at_base):
    _, surrogate, _ = at_base
    steep = surrogate._replace(second=tuple(np.full_like(column, np.inf) for column in surrogate.second))
    np.testing.assert_array_equal(descended(steep)[0], np.tile(BASE, (LANES, 1)))


def test_a_model_that_says_nothing_has_the_shapes_of_one_that_does(at_base):
    _, surrogate, _ = at_base
    nothing = no_surrogate(HUBER, ROWS)
    assert [leaf.shape for leaf in jax.tree.leaves(nothing)] == [leaf.shape for leaf in jax.tree.leaves(surrogate)]
    assert [leaf.dtype for leaf in jax.tree.leaves(nothing)] == [leaf.dtype for leaf in jax.tree.leaves(surrogate)]

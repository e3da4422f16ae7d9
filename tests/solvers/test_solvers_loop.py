"""The loop on a small problem of its own: minima against SciPy, and lanes that know nothing of one another."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize

import jaxscale.objectives as objectives
from jaxscale import precision
from jaxscale.solvers.lanes import fresh_lanes
from jaxscale.solvers.loop import Tolerances, minimise
from jaxscale.solvers.newton import Newton
from jaxscale.solvers.problem import Data, Problem
from jaxscale.solvers.verdict import judge
from jaxscale.status import RUNNING, Status

LANES, ROWS = 8, 32
HUBER = objectives.huber(0.02)


def residual(theta, row):
    x, y = row
    return theta[0] * jnp.exp(-theta[1] * x) + theta[2] - y


PROBLEM = Problem(residual, HUBER.rho, 3)
MINIMISE = jax.jit(partial(minimise, PROBLEM, Newton()))
X = np.linspace(0.0, 3.0, ROWS)
RANDOM = np.random.default_rng(8)
Y = 2.0 * np.exp(-1.3 * X) + 0.5 + 0.05 * RANDOM.standard_normal(ROWS)
WEIGHT = RANDOM.integers(0, 4, (LANES, ROWS)).astype(float)
START = np.array([1.5, 1.0, 0.3]) + 0.1 * RANDOM.standard_normal((LANES, 3))


def run(weight=WEIGHT, start=START, x=X, y=Y, max_steps=300, active=(1.0, 1.0, 1.0), scale=0.0, lanes=None, close=0.0):
    with precision.float64():
        moved = MINIMISE(
            Data((jnp.asarray(x), jnp.asarray(y)), jnp.asarray(weight)),
            jax.tree.map(jnp.asarray, fresh_lanes(Newton(), np.asarray(start), np.full(LANES, scale)))
            if lanes is None
            else lanes,
            jnp.asarray(active),
            jnp.zeros(3, bool),
            Tolerances(jnp.float64(HUBER.scale), jnp.float64(0.0), jnp.float64(close)),
            jnp.float64(1e-15),
            jnp.int32(max_steps),
        )
        return jax.tree.map(np.asarray, moved)


def total(theta, weight):
    residual = theta[0] * np.exp(-theta[1] * X) + theta[2] - Y
    size = np.abs(residual)
    return np.sum(weight * np.where(size <= 0.02, 0.5 * residual**2, 0.02 * (size - 0.01)))


def test_converged_means_that_scipy_finds_nothing_lower():
    lanes = run()
    assert set(lanes.status) == {int(Status.CONVERGED)}
    for lane in range(LANES):
        assert lanes.here.value[lane] == pytest.approx(total(lanes.theta[lane], WEIGHT[lane]), rel=1e-13)
        for spread in (0.0, 0.01, 0.1):
            start = lanes.theta[lane] + spread * RANDOM.standard_normal(3)
            options = {"xatol": 1e-12, "fatol": 1e-16, "maxiter": 2000}
            found = minimize(total, start, args=(WEIGHT[lane],), method="Nelder-Mead", options=options)
            assert found.fun >= lanes.here.value[lane] * (1 - 1e-9)


def test_the_gradient_vanishes_and_the_curvature_is_positive_where_it_says_converged():
    here = run().here
    size = np.sqrt(np.einsum("bjj->bj", here.metric) * here.value[:, None])  # what one unit of each theta weighs
    assert np.all(np.abs(here.gradient) <= 1e-6 * size)
    assert np.all(np.linalg.eigvalsh(here.curvature) > 0)


def slopes(theta, weight):
    fall = np.exp(-theta[1] * X)
    pull = weight * np.clip(theta[0] * fall + theta[2] - Y, -0.02, 0.02)
    return np.array([np.sum(pull * fall), -np.sum(pull * theta[0] * X * fall), np.sum(pull)])


def bends(theta, weight):
    """Sum of w (rho'' J Jᵀ + rho' ∇²r), written out."""
    fall = np.exp(-theta[1] * X)
    residual = theta[0] * fall + theta[2] - Y
    jacobian = np.stack([fall, -theta[0] * X * fall, np.ones(ROWS)])
    inside, pull = weight * (np.abs(residual) <= 0.02), weight * np.clip(residual, -0.02, 0.02)
    bend = (jacobian * inside) @ jacobian.T
    bend[0, 1] -= np.sum(pull * X * fall)
    bend[1, 0] = bend[0, 1]
    bend[1, 1] += np.sum(pull * theta[0] * X**2 * fall)
    return bend


def test_derivatives_are_those_of_the_objective():
    """One step of no length: the loop's own evaluation at the start, against the formulas."""
    here = run(max_steps=1, scale=0.02).here
    for lane in range(LANES):
        theta, weight = START[lane], WEIGHT[lane]
        assert here.value[lane] == pytest.approx(total(theta, weight), rel=1e-13)
        np.testing.assert_allclose(here.gradient[lane], slopes(theta, weight), rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(here.curvature[lane], bends(theta, weight), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("x", "y"), [(50.0, -1e9), (np.nan, np.inf), (-1e9, 0.0)])  # exp(1e9) overflows
def test_rows_of_weight_zero_change_nothing_whatever_they_hold(x, y):
    weight = WEIGHT.copy()
    weight[:, [4, 9]] = 0.0
    spoiled_x, spoiled_y = X.copy(), Y.copy()
    spoiled_x[4], spoiled_y[9] = x, y
    clean, dirty = run(weight=weight), run(weight=weight, x=spoiled_x, y=spoiled_y)
    np.testing.assert_array_equal(clean.status, dirty.status)
    np.testing.assert_allclose(clean.theta, dirty.theta, rtol=1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e308])
def test_a_lane_that_is_not_finite_says_so_and_leaves_its_neighbours_bit_identical(bad):
    start = START.copy()
    start[3] = bad
    clean, dirty = run(), run(start=start)
    keep = np.arange(LANES) != 3
    for name in ("theta", "status", "steps", "scale", "damping"):
        np.testing.assert_array_equal(getattr(clean, name)[keep], getattr(dirty, name)[keep])
    assert dirty.status[3] == int(Status.NON_FINITE)


def test_a_lane_does_not_depend_on_its_place_in_the_batch():
    order = np.roll(np.arange(LANES), 3)
    moved = run(weight=WEIGHT[order], start=START[order])
    np.testing.assert_array_equal(moved.theta, run().theta[order])


def test_a_lane_that_runs_out_of_steps_still_runs():
    lanes = run(max_steps=2)
    assert set(lanes.status) == {RUNNING}
    assert set(lanes.steps) == {2}


def test_a_lane_goes_on_where_it_stopped_as_if_it_had_not():
    done, again = run(), run(max_steps=3)
    while np.any(again.status == RUNNING):
        again = run(max_steps=3, lanes=jax.tree.map(np.asarray, again))
    for left, right in zip(jax.tree.leaves(done), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_lane_that_may_end_close_to_its_minimum_ends_there_and_sooner():
    exact, close = run(), run(close=1e-18)
    assert set(close.status) == {int(Status.CONVERGED)}
    assert np.all(close.decrement <= 1e-18 * close.here.value)
    assert np.all(close.steps <= exact.steps)
    assert np.mean(close.steps) < np.mean(exact.steps)
    np.testing.assert_allclose(close.here.value, exact.here.value, rtol=1e-14)  # the rounding of a sum of 32
    np.testing.assert_allclose(close.theta, exact.theta, rtol=1e-8)  # the root of the decrement, for condition 1e2


def test_an_inactive_coordinate_never_moves():
    lanes = run(active=(1.0, 0.0, 1.0))
    np.testing.assert_array_equal(lanes.theta[:, 1], START[:, 1])
    assert set(lanes.status) == {int(Status.CONVERGED)}


def test_a_lane_without_any_weight_is_never_converged():
    weight = WEIGHT.copy()
    weight[2] = 0.0
    lanes = run(weight=weight)
    assert lanes.status[2] != int(Status.CONVERGED)
    assert lanes.status[2] != int(Status.AT_BOUND)


def test_two_rows_do_not_identify_three_coordinates():
    weight = WEIGHT.copy()
    weight[5] = 0.0
    weight[5, [3, 20]] = 1.0
    assert run(weight=weight).status[5] not in (int(Status.CONVERGED), int(Status.AT_BOUND))


def test_two_coordinates_that_act_alike_are_singular_even_where_the_curvature_has_filled_in():
    """The metric of equal columns has rank two; what the gradient leaves in the curvature makes it look like three."""
    done = run()
    jacobian = np.array([[1.0, 2.0, 0.5], [1.0, 2.0, 0.5], [0.3, -1.0, 2.0]])
    alike = np.tile(jacobian @ jacobian.T, (LANES, 1, 1))
    filled = alike + 1e-6 * np.eye(3)
    with precision.float64():
        for metric, want in ((alike, Status.SINGULAR), (filled, Status.CONVERGED)):
            here = done.here._replace(metric=metric, curvature=filled, gradient=np.zeros((LANES, 3)))
            lanes = jax.tree.map(jnp.asarray, done._replace(here=here))
            judged = judge(HUBER.rho, lanes, jnp.zeros(3, bool), jnp.ones(LANES), jnp.float64(0.0))
            assert set(np.asarray(judged.status).tolist()) == {int(want)}


@pytest.mark.parametrize(("sign", "want"), [(1.0, Status.AT_BOUND), (-1.0, Status.SINGULAR)])
def test_a_term_that_vanishes_is_at_a_bound_only_if_coming_back_raises_the_objective(sign, want):
    """A term c e^theta far out: its curvature, like its slope, has the sign of c."""
    done, left = run(), np.diag([1.0, 1.0, 1e-20])
    curvature, metric = (np.tile(one, (LANES, 1, 1)) for one in (left * [1.0, 1.0, sign], left))
    here = done.here._replace(metric=metric, curvature=curvature, gradient=np.zeros((LANES, 3)))
    with precision.float64():
        lanes = jax.tree.map(jnp.asarray, done._replace(here=here))
        judged = judge(HUBER.rho, lanes, jnp.array([False, False, True]), jnp.ones(LANES), jnp.float64(0.0))
        assert set(np.asarray(judged.status).tolist()) == {int(want)}

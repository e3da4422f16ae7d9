"""Surrogates of the residuals: Taylor's polynomials of second order, in coordinates in which the metric is 1."""

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
from jaxscale.solvers.problem import LENGTHS, Data, Problem, best_length, derivatives, evaluate
from jaxscale.solvers.surrogate import UNLIKELY, descend, quadratic, surrogate_evaluation, surrogates_of
from jaxscale.status import Status

ROWS, LANES, SCALE = 40, 7, 1e-2
X = np.linspace(-3.0, 3.0, ROWS)
BASES = np.array([[0.5, -1.2, -1.0], [0.45, -1.1, -1.05]])
WHICH = np.array([0, 1, 0, 0, 1, 1, 0])
NOISE = 0.02 * np.random.default_rng(0).standard_t(3, ROWS)


def residual(theta, row):
    """ln(e^a + e^(b - x e^c)) - y: a law with a floor, as in log space."""
    x, y = row
    a, b, c = theta
    return jnp.log(jnp.exp(a) + jnp.exp(b - x * jnp.exp(c))) - y


Y = np.log(np.exp(BASES[0, 0]) + np.exp(BASES[0, 1] - X * np.exp(BASES[0, 2]))) + NOISE
HUBER = Problem(residual, OBJECTIVES.resolve("huber").rho, 3)
MODEL = quadratic(HUBER.rho, 3)
WEIGHT = np.random.default_rng(1).poisson(1.0, (LANES, ROWS)).astype(np.float64)


def views(active=(1.0, 1.0, 1.0)):
    """Rows, residuals (2, n), slopes (2, n, 3) and second derivatives (2, n, 6) at both bases."""
    keep = np.array(active)
    pairs = np.array([keep[j] * keep[k] for j in range(3) for k in range(j, 3)])
    with precision.float64():
        rows = (jnp.asarray(X), jnp.asarray(Y))
        found = [jax.vmap(partial(derivatives, HUBER, tuple(jnp.asarray(base))))(rows) for base in BASES]
        residual = np.stack([np.asarray(one[0]) for one in found])
        slope, bend = (np.stack([np.stack(one[part], axis=1) for one in found]) for part in (1, 2))
    return rows, residual, slope * keep, bend * pairs


def made(**changed):
    rows, residual, slope, bend = views(**changed)
    mass = np.minimum(1.0, SCALE / np.abs(residual))
    return rows, surrogates_of(residual, slope, bend, mass, BASES, np.zeros(2)), (slope, mass)


@pytest.fixture(scope="module")
def at_bases():
    return made()


def objective(rows, theta, weight=WEIGHT):
    with precision.float64():
        scale = jnp.full(len(theta), SCALE)
        there = evaluate(HUBER, Data(rows, jnp.asarray(weight)), jnp.asarray(theta), scale, jnp.ones(3))
        return jax.tree.map(np.asarray, there)


def point(surrogates, z):
    return surrogates.base[WHICH] + np.einsum("bij,bj->bi", surrogates.frame[WHICH], z)


def said(surrogates, z, weight=WEIGHT):
    with precision.float64():
        light, scale = jnp.asarray(weight, jnp.float32), jnp.full(len(z), SCALE, jnp.float32)
        own = tuple(jnp.asarray(surrogates.terms[WHICH, place]) for place in range(surrogates.terms.shape[1]))
        there = surrogate_evaluation(MODEL, Data((), light, None, own), jnp.asarray(z, jnp.float32), scale)
        return jax.tree.map(np.asarray, there)


def test_the_metric_is_one_in_each_frame(at_bases):
    _, surrogates, (slope, mass) = at_bases
    turned = slope @ surrogates.frame
    metric = turned.transpose(0, 2, 1) @ (mass[:, :, None] * turned)
    np.testing.assert_allclose(metric, np.broadcast_to(np.eye(3), (2, 3, 3)), atol=1e-12)


def test_at_the_base_it_is_the_objective_with_its_gradient_and_hessian(at_bases):
    rows, surrogates, _ = at_bases
    z, frame = np.zeros((LANES, 3)), surrogates.frame[WHICH]
    there, here = said(surrogates, z), objective(rows, BASES[WHICH])
    np.testing.assert_allclose(there.value, here.value, rtol=1e-5)
    np.testing.assert_allclose(there.gradient, np.einsum("bj,bjk->bk", here.gradient, frame), atol=1e-5)
    np.testing.assert_allclose(there.curvature, frame.transpose(0, 2, 1) @ here.curvature @ frame, atol=1e-4)


@pytest.mark.parametrize("size", [1, 2, pytest.param(5, marks=pytest.mark.slow)])
def test_its_own_derivatives_are_those_of_its_residual(size):
    """Against JAX's gradient and Hessian of the value, and the value against the quadratic form."""
    random = np.random.default_rng(size)
    z, value, slope = random.standard_normal(size), random.standard_normal(), random.standard_normal(size)
    bend = random.standard_normal((size, size))
    bend += bend.T
    upper = np.triu_indices(size)
    with precision.float64():
        row = (jnp.zeros(()), tuple(jnp.asarray([value, *slope, *bend[upper]])))

        def ask(point):
            return derivatives(quadratic(HUBER.rho, size), tuple(point), row)

        residual, first, second = ask(jnp.asarray(z))
        gradient, hessian = jax.grad(lambda point: ask(point)[0]), jax.hessian(lambda point: ask(point)[0])
        np.testing.assert_allclose(residual, value + slope @ z + z @ bend @ z / 2, rtol=1e-12)
        np.testing.assert_allclose(first, gradient(jnp.asarray(z)), rtol=1e-12)
        np.testing.assert_allclose(second, hessian(jnp.asarray(z))[upper], rtol=1e-12, atol=1e-12)


def test_away_from_the_base_its_error_is_of_third_order(at_bases):
    rows, surrogates, _ = at_bases
    direction = np.random.default_rng(2).standard_normal((LANES, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    gaps = []
    for length in (0.2, 0.1):
        z = length * direction
        gaps.append(np.abs(said(surrogates, z).value - objective(rows, point(surrogates, z)).value))
    assert np.median(gaps[0] / gaps[1]) > 2**2.5  # 2³ for the third order, 2² for the second
    assert np.all(gaps[0] > 1e-6)  # above float32's rounding, or the ratio would say nothing


def test_a_row_that_is_not_finite_is_dear_and_a_coordinate_without_effect_keeps_its_unit():
    residual, slope, bend = np.ones((1, 9)), np.ones((1, 9, 2)) * [1.0, 0.0], np.zeros((1, 9, 3))
    residual[0, 4] = np.nan
    surrogates = surrogates_of(residual, slope, bend, np.ones((1, 9)), np.zeros((1, 2)), np.zeros(1))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(surrogates))
    assert surrogates.terms[0, 0, 4] == np.float32(UNLIKELY)
    np.testing.assert_array_equal(surrogates.frame[0, :, 1], [0.0, 1.0])


def test_a_row_whose_derivatives_float32_does_not_hold_is_dear_too():
    """One of weight zero, which the metric does not see: no warning, and nothing infinite."""
    random = np.random.default_rng(4)
    residual, slope, weight = np.ones((1, 9)), random.standard_normal((1, 9, 2)), np.ones((1, 9))
    slope[0, 4], weight[0, 4] = 1e50, 0.0
    surrogates = surrogates_of(residual, slope, np.zeros((1, 9, 3)), weight, np.zeros((1, 2)), np.zeros(1))
    assert np.isfinite(surrogates.terms).all()
    np.testing.assert_array_equal(surrogates.terms[0, :, 4], np.float32([UNLIKELY, 0, 0, 0, 0, 0]))
    assert np.all(np.delete(surrogates.terms[0, 0], 4) == 1.0)


def descended(surrogates, steps=10, weight=WEIGHT):
    with precision.float64():
        lead = jax.jit(partial(descend, MODEL, steps=steps))
        found = lead(surrogates, WHICH, Data((), jnp.asarray(weight)), jnp.asarray(SCALE))
        return tuple(map(np.asarray, found))


def solved(rows, theta):
    with precision.float64():
        lanes = fresh_lanes(Newton(), theta, np.full(LANES, SCALE))
        tolerances = Tolerances(np.float64(SCALE), np.float64(0.0), np.float64(0.0))
        run = jax.jit(partial(minimise, HUBER, Newton()))
        bounded, steps, noise = np.zeros(3, bool), np.int32(200), np.float64(1e-16)
        ended = run(Data(rows, jnp.asarray(WEIGHT)), lanes, jnp.ones(3), bounded, tolerances, noise, steps)
        return jax.tree.map(np.asarray, ended)


def test_it_leads_lanes_to_the_same_minima_with_fewer_evaluations_left(at_bases):
    rows, surrogates, _ = at_bases
    theta, value = descended(surrogates, 20)
    z = np.linalg.solve(surrogates.frame[WHICH], (theta - BASES[WHICH])[:, :, None])[:, :, 0]
    np.testing.assert_allclose(value, said(surrogates, z).value, rtol=1e-4)
    assert np.all(objective(rows, theta).value < objective(rows, BASES[WHICH]).value)
    with_it, without = solved(rows, theta), solved(rows, BASES[WHICH])
    for lanes in (with_it, without):
        np.testing.assert_array_equal(lanes.status, Status.CONVERGED)
    np.testing.assert_allclose(with_it.here.value, without.here.value, rtol=1e-12)
    np.testing.assert_allclose(with_it.theta, without.theta, rtol=1e-8)
    assert np.mean(with_it.steps) < np.mean(without.steps)


def test_no_steps_lead_nowhere(at_bases):
    _, surrogates, _ = at_bases
    np.testing.assert_array_equal(descended(surrogates, steps=0)[0], BASES[WHICH])


def test_it_moves_no_coordinate_that_is_inactive():
    rows, fixed, _ = made(active=(1.0, 0.0, 1.0))
    theta, value = descended(fixed)
    np.testing.assert_array_equal(theta[:, 1], BASES[WHICH, 1])
    assert np.all(value < objective(rows, BASES[WHICH]).value)


def test_a_model_that_is_not_finite_where_it_leads_leaves_its_lane_at_the_base(at_bases):
    _, surrogates, _ = at_bases
    terms = surrogates.terms.copy()
    terms[:, 4:] = np.inf
    np.testing.assert_array_equal(descended(surrogates._replace(terms=terms))[0], BASES[WHICH])


def test_the_best_length_of_a_step_is_the_one_at_which_the_objective_is_lowest():
    """Of lengths along a line on which every residual is a quadratic, so that the prediction is exact."""
    rows = (jnp.asarray(X, jnp.float32), jnp.asarray(NOISE, jnp.float32))
    line = Problem(lambda theta, row: theta[0] + theta[1] * row[0] + theta[0] * theta[1] - row[1], HUBER.rho, 2)
    random = np.random.default_rng(3)
    with precision.float64():
        theta, step = (jnp.asarray(0.1 * random.standard_normal((LANES, 2))) for _ in range(2))
        data, scale = Data(rows, jnp.asarray(WEIGHT)), jnp.full(LANES, SCALE)
        length, value = best_length(line, data, theta, step, scale)
        every = np.stack([evaluate(line, data, theta - at * step, scale, jnp.ones(2)).value for at in LENGTHS], axis=1)
    np.testing.assert_allclose(value, every.min(axis=1), rtol=1e-12)
    np.testing.assert_array_equal(length, np.array(LENGTHS)[every.argmin(axis=1)])

"""Optima under constraints: conditions of Karush, Kuhn and Tucker, SciPy, and derivatives against differences."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize

from jaxscale import precision
from jaxscale.planning import certify, constrained_optimum

HUNDRED = 100
LEAST = -10.0
"""Of each logarithm: a constraint in which an amount is divided by another has no end of its own."""


@dataclass(frozen=True)
class Sums:
    """A sum of monomials of three amounts under sums of monomials: a geometric programme in logarithms."""

    is_convex: bool = False
    kept: int = 0

    def objective(self, x, p):
        return jnp.log(jnp.sum(p["level"] * jnp.exp(-p["power"] @ x)))

    def constraints(self, x, p):
        over = jnp.log(jnp.sum(p["price"] * jnp.exp(p["use"] @ x), axis=1)) - jnp.log(p["cap"])
        return jnp.concatenate([over, LEAST - x])


def slacks(x, p):
    """Return the same of NumPy, with the other sign."""
    over = np.log(np.sum(p["price"] * np.exp(p["use"] @ x), axis=1)) - np.log(p["cap"])
    return np.concatenate([-over, x - LEAST])


def settings(random):
    return {
        "level": random.uniform(0.5, 2.0, 4),
        "power": random.uniform(0.1, 0.6, (4, 3)),
        "price": random.uniform(0.5, 2.0, (4, 2)),
        "use": np.concatenate([random.uniform(0.2, 1.0, (1, 2, 3)), random.uniform(-0.3, 1.0, (3, 2, 3))]),
        "cap": random.uniform(20.0, 60.0, 4),
    }


@pytest.fixture(scope="module")
def found():
    """A hundred programmes, their optima and certificates."""
    random = np.random.default_rng(0)
    every = [settings(random) for _ in range(HUNDRED)]
    p = jax.tree.map(lambda *leaves: np.stack(leaves), *every)

    def one(p):
        best = constrained_optimum(Sums(), p, jnp.zeros(3))
        return best, certify(Sums(), p, best)

    with precision.float64():
        best, certificate = jax.tree.map(np.asarray, jax.jit(jax.vmap(one))(p))
    return every, best, certificate


def test_the_conditions_are_met_and_the_limits_kept(found):
    _, best, certificate = found
    assert certificate.is_met.all()
    assert certificate.residual.max() <= 1e-8
    assert certificate.slack.min() >= -1e-9
    assert (best.multipliers >= 0).all()
    assert 1 < np.mean(np.sum(best.multipliers > 0, axis=1)) < 3  # several bind, and not all


@pytest.mark.slow
def test_scipy_finds_nothing_lower(found):
    """From the optimum and from elsewhere, by sequential quadratic programming."""
    every, best, _ = found
    for at, p in enumerate(every):
        with precision.float64():
            objective = jax.jit(partial(Sums().objective, p=p))
        for start in (np.zeros(3), best.x[at]):
            other = minimize(
                lambda x, p=p: float(np.log(np.sum(p["level"] * np.exp(-p["power"] @ x)))),
                start,
                method="SLSQP",
                constraints={
                    "type": "ineq",
                    "fun": lambda x, p=p: slacks(x, p),
                },
                options={"ftol": 1e-13, "maxiter": 300},
            )
            if other.success and slacks(other.x, p).min() > -1e-9:
                with precision.float64():
                    assert other.fun >= float(objective(best.x[at])) - 1e-8


ACTIVE = {"at": 0.0, "cap": 2.0, "price": 3.0}


@dataclass(frozen=True)
class Nearest:
    """The point nearest to (at + 4, at + 1) below a line, in a box: solved by hand."""

    is_convex: bool = True
    kept: int = 0

    def objective(self, x, p):
        return 0.5 * ((x[0] - p["at"] - 4.0) ** 2 + (x[1] - p["at"] - 1.0) ** 2)

    def constraints(self, x, p):
        return jnp.stack([x[0] + p["price"] * x[1] - p["cap"], x[0] - 10.0, -5.0 - x[1]])


def by_hand(p):
    """Return the projection on the line x + price y = cap, and its multiplier."""
    away = p["at"] + 4.0 + p["price"] * (p["at"] + 1.0) - p["cap"]
    multiplier = away / (1.0 + p["price"] ** 2)
    return np.array([p["at"] + 4.0 - multiplier, p["at"] + 1.0 - multiplier * p["price"]]), multiplier


def nearest(p):
    return constrained_optimum(Nearest(), p, jnp.zeros(2))


def test_a_projection_is_the_one_found_by_hand():
    with precision.float64():
        found = jax.jit(nearest)(ACTIVE)
    x, multiplier = by_hand(ACTIVE)
    np.testing.assert_allclose(found.x, x, atol=1e-10)
    np.testing.assert_allclose(found.multipliers, [multiplier, 0.0, 0.0], atol=1e-10)


@pytest.mark.parametrize("mode", [jax.jacfwd, jax.jacrev], ids=["forward", "reverse"])
def test_derivatives_at_an_active_constraint_are_those_by_hand(mode):
    """Of the point and of its multiplier, under jit and vmap; the closed form by differences of 1e-6."""
    caps = np.array([1.0, 2.0, 3.0])
    with precision.float64():
        every = jax.jit(jax.vmap(lambda cap: mode(nearest)({**ACTIVE, "cap": cap})))(caps)
    for at, cap in enumerate(caps):
        for name in ACTIVE:
            step = 1e-6
            high, low = ({**ACTIVE, "cap": cap, name: {**ACTIVE, "cap": cap}[name] + side * step} for side in (1, -1))
            (x_high, m_high), (x_low, m_low) = by_hand(high), by_hand(low)
            np.testing.assert_allclose(every.x[name][at], (x_high - x_low) / (2 * step), rtol=1e-6, atol=1e-8)
            np.testing.assert_allclose(every.multipliers[name][at][0], (m_high - m_low) / (2 * step), rtol=1e-6)


def test_second_derivatives_are_those_of_first_ones():
    with precision.float64():
        bend = jax.jit(jax.hessian(lambda price: nearest({**ACTIVE, "price": price}).x))(3.0)
        slope = jax.jit(jax.jacfwd(lambda price: nearest({**ACTIVE, "price": price}).x))
        by_differences = (slope(3.0 + 1e-5) - slope(3.0 - 1e-5)) / 2e-5
    np.testing.assert_allclose(bend, by_differences, rtol=1e-6)

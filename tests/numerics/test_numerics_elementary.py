"""Functions with derivatives of their own: the logarithm under the compiler options of the engine, and long sums."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from jaxscale import precision
from jaxscale.engine.compiling import REASSOCIATE
from jaxscale.laws.learning_rates import gain
from jaxscale.numerics.elementary import decaying, log

OPTIONS = pytest.mark.parametrize("options", [None, REASSOCIATE], ids=["plain", "reassociated"])


def evaluated(values, options, function=log):
    with precision.float64():
        return np.asarray(jax.jit(function, compiler_options=options)(jnp.asarray(values)))


@OPTIONS
def test_it_is_within_two_units_in_the_last_place(options):
    random = np.random.default_rng(0)
    near_one = 1 + random.choice([-1, 1], 1000) * 10 ** random.uniform(-15.5, -0.3, 1000)
    around_the_seam = np.sqrt(0.5) * (1 + 1e-16 * np.arange(-40, 40))
    values = np.concatenate(
        [
            10 ** random.uniform(-307, 308, 2000),
            near_one,
            around_the_seam,
            2 * around_the_seam,
            2.0 ** np.arange(-60, 60),
        ]
    )
    with mpmath.workdps(40):
        want = np.array([float(mpmath.log(mpmath.mpf(value))) for value in values.tolist()])
    ulp = np.spacing(np.maximum(np.abs(want), np.finfo(float).tiny))
    assert np.all(np.abs(evaluated(values, options) - want) <= 2 * ulp)


@OPTIONS
def test_the_edges_are_those_of_numpy(options):
    edges = np.array([0.0, -0.0, -1.0, -np.inf, np.inf, np.nan, 1.0, np.finfo(float).tiny, np.finfo(float).max])
    with np.errstate(divide="ignore", invalid="ignore"):
        np.testing.assert_allclose(evaluated(edges, options), np.log(edges), rtol=1e-15)


def test_its_derivatives_are_those_of_the_logarithm():
    values = np.geomspace(1e-3, 1e3, 32)
    for order, want in ((1, 1 / values), (2, -1 / values**2)):
        function = log
        for _ in range(order):
            function = jax.grad(function)
        np.testing.assert_allclose(evaluated(values, None, jax.vmap(function)), want, rtol=1e-15)


def test_float32_is_left_to_jax():
    values = np.geomspace(1e-3, 1e3, 32, dtype=np.float32)
    np.testing.assert_array_equal(np.asarray(jax.jit(log)(values)), np.asarray(jax.jit(jnp.log)(values)))


def plain_gain(drops, rates, since, *, C, beta, gamma):
    return jnp.sum(drops * (1.0 - (1.0 + C * rates**-gamma * since) ** -beta))


def derivatives(function):
    return jax.jit(
        lambda nodes, at: [d(lambda c: function(*nodes, **c))(at) for d in (lambda f: f, jax.grad, jax.hessian)]
    )


def test_the_gain_and_its_derivatives_are_those_of_the_plain_sum():
    random = np.random.default_rng(4)
    nodes = random.normal(0, 1e-4, 30), random.uniform(1e-5, 3e-4, 30), 10 ** random.uniform(-5, 1, 30)
    with precision.float64():
        ours, plain = derivatives(gain), derivatives(plain_gain)
        for coefs in ((2.0, 0.6, 0.64), (0.5, 0.27, 0.9), (1e-3, 1.5, 1.4)):
            at = dict(zip(("C", "beta", "gamma"), coefs, strict=True))
            got, want = jax.tree.leaves(ours(nodes, at)), jax.tree.leaves(plain(nodes, at))
            np.testing.assert_allclose(got, want, rtol=1e-9)


@pytest.mark.parametrize("half", [1e-2, 0.7, 9.0, 30.0, 1e5, 1e12, 1e40])
@pytest.mark.parametrize("amount", [1e-6, 0.3, 2.9, 40.0])
def test_what_decays_and_its_derivatives_are_those_of_sixty_digits(amount, half):
    """R (1 - exp(-x/R)), both first and the second derivatives in R, where x/R is small and where it is large."""
    with precision.float64():
        at = (jnp.float64(amount), jnp.float64(half))
        got = [decaying(*at), *jax.grad(decaying, (0, 1))(*at), jax.grad(jax.grad(decaying, 1), 1)(*at)]
    with mpmath.workdps(120):
        x, R = mpmath.mpf(amount), mpmath.mpf(half)
        fades = mpmath.exp(-x / R)
        want = [R * (1 - fades), fades, 1 - (1 + x / R) * fades, -(x**2) / R**3 * fades]
        want = [float(one) for one in want]
    np.testing.assert_allclose(np.array(got), want, rtol=2e-14, atol=1e-300)


def test_what_never_decays_stays_as_it_is():
    with precision.float64():
        assert float(decaying(jnp.float64(3.7), jnp.float64(np.inf))) == 3.7
        assert float(jax.grad(decaying)(jnp.float64(3.7), jnp.float64(np.inf))) == 1.0

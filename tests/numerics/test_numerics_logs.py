"""The logarithm of the engine's programs, against 40 digits, under the compiler options that they use."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from jaxscale import precision
from jaxscale.engine.compiling import REASSOCIATE
from jaxscale.numerics.logs import log

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

"""A sum that carries its own derivatives has those that JAX would find."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale import precision
from jaxscale.laws.learning_rates import gain


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

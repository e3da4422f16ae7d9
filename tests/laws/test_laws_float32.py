"""The slopes of every law where JAX computes in float32, as it does unless told otherwise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxscale as js
from jaxscale.laws.predicting import random_coefs, random_columns

QUICK = {"chinchilla", "kaplan-flops", "kaplan-compute"}
"""Those with FLOP, whose square float32 cannot hold, and a plain one; the others are slow together."""
SETS, ROWS = 40, 16
HELD = float(np.finfo(np.float32).tiny / np.finfo(np.float32).eps)
"""The least number of which float32 holds all digits."""


@pytest.mark.parametrize(
    "law",
    [pytest.param(law, marks=[pytest.mark.slow] * (law.name not in QUICK), id=law.name) for law in js.LAWS],
)
def test_every_slope_of_a_law_in_float32_is_that_of_float64(law):
    """In coefs and inputs of the documented range, to a thousandth of the gradient, each component by its own size."""
    random = np.random.default_rng(5)
    chosen = [random_coefs(law, random) for _ in range(SETS)] + [law.constants(one.name) for one in law.published]
    sets = np.array([[one[name] for name in law.names] for one in chosen], np.float32)
    columns = random_columns(law, random, ROWS)
    inputs = [np.asarray(columns[name], np.float32) for name in law.inputs]

    def loss(coefs, *run):
        return law.loss(*run, **dict(zip(law.names, coefs, strict=True)))

    def gradients(dtype):
        places, rows = tuple(range(1 + len(inputs))), (0,) * len(inputs)
        every = jax.vmap(jax.vmap(jax.grad(loss, argnums=places), (None, *rows)), (0, *(None,) * len(inputs)))
        found = jax.jit(every)(*(jnp.asarray(part, dtype) for part in (sets, *inputs)))
        return [np.asarray(part, float) for part in found]

    with jax.enable_x64(False):
        single = gradients(jnp.float32)
    with jax.enable_x64(True):
        double = gradients(jnp.float64)
    sizes = [sets[:, None, :], *inputs]
    wrong, whole = (np.zeros((len(sets), ROWS)) for _ in range(2))
    for size, one, other in zip(sizes, single, double, strict=True):
        is_held = (other == 0) | (np.abs(other) > HELD)  # a slope of a learning rate in FLOP is below what there is
        off = np.where(is_held, (one - other) * size, 0.0).reshape(len(sets), ROWS, -1)
        wrong, whole = wrong + np.sum(off**2, axis=-1), whole + np.sum((other * size).reshape(off.shape) ** 2, axis=-1)
    assert (np.sqrt(wrong) <= 1e-3 * np.sqrt(whole)).all()

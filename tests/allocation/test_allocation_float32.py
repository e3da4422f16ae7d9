"""Derivatives of the optimum where JAX computes in float32, as it does unless told otherwise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_allocation_minima import drawn

import jaxscale as js
from jaxscale import precision
from jaxscale.allocation import allocate
from jaxscale.allocation.inputs import can_allocate
from jaxscale.costs.training import fixed_inputs

TRADING = [law for law in js.LAWS if can_allocate(law)]
SPLIT = [law for law in TRADING if law.published]
BUDGETS = (1e19, 1e22)


def elasticities(law, dtype, flops):
    """Return d ln N* / d coef times the coef, of every coef, computed in one dtype."""
    coefs = law.constants(law.published[0].name)
    ends = {name: (law.input(name).low, law.input(name).high) for name in fixed_inputs(law)}
    fixed = {name: np.sqrt(low * high) if low > 0 else 0.5 * (low + high) for name, (low, high) in ends.items()}
    given = {name: jnp.asarray(value, dtype) for name, value in coefs.items()}
    found = jax.grad(lambda own: allocate(law, own, flops=flops, fixed=fixed).log_params)(given)
    assert {one.dtype for one in found.values()} == {np.dtype(dtype)}
    return np.array([float(found[name]) * value for name, value in coefs.items()])


@pytest.mark.slow
@pytest.mark.parametrize("law", SPLIT, ids=lambda law: law.name)
def test_the_gradient_in_float32_is_that_of_float64_to_a_thousandth(law):
    for flops in BUDGETS:
        single = elasticities(law, jnp.float32, flops)
        with precision.float64():
            double = elasticities(law, jnp.float64, flops)
        np.testing.assert_allclose(single, double, rtol=0.0, atol=1e-3 * np.abs(double).max())


@pytest.mark.slow
@pytest.mark.parametrize("law", TRADING, ids=lambda law: law.name)
def test_in_all_of_its_range_a_gradient_in_float32_is_right_or_refused(law):
    """In coefs, held inputs and ln C, each by its own size; where float32 says that there is no optimum, it is refused.

    It may say so of slopes below 1e-28, as where tokens are repeated a hundred times, and beyond 9e18 tokens.
    """
    sets, fixed, flops = (np.asarray(part, np.float32) for part in drawn(law, np.random.default_rng(17)))

    def split(coefs, beside, log_flops):
        given = dict(zip(law.names, coefs, strict=True)), dict(zip(fixed_inputs(law), beside, strict=True))
        found = allocate(law, given[0], flops=jnp.exp(log_flops), fixed=given[1])
        return found.log_params, found.is_interior

    def gradients(dtype):
        every = jax.jit(jax.vmap(jax.grad(split, argnums=(0, 1, 2), has_aux=True)))
        asked = (jnp.asarray(part, dtype) for part in (sets, fixed, np.log(flops.astype(np.float64))))
        (of_coefs, of_fixed, of_flops), is_interior = every(*asked)
        parts = [np.asarray(of_coefs, float) * sets, np.asarray(of_fixed, float) * fixed, of_flops[:, None]]
        return np.concatenate(parts, axis=1), np.asarray(is_interior)

    with jax.enable_x64(False):
        single, is_single = gradients(jnp.float32)
    with precision.float64():
        double, is_double = gradients(jnp.float64)
    assert is_double[is_single].all()
    assert is_single.sum() >= 0.75 * is_double.sum()
    wrong = np.linalg.norm(single - double, axis=1) > 1e-3 * np.linalg.norm(double, axis=1)
    assert not wrong[is_single].any()
    assert (single[~is_single] == 0).all()

"""Derivatives of the optimum where JAX computes in float32, as it does unless told otherwise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxscale as js
from jaxscale import precision
from jaxscale.allocation import allocate
from jaxscale.allocation.inputs import can_allocate
from jaxscale.costs.training import fixed_inputs

SPLIT = [law for law in js.LAWS if can_allocate(law) and law.published]
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

"""Powers of positive numbers and their derivatives."""

import jax
import mpmath
import numpy as np
import pytest

from jaxscale import precision
from jaxscale.numerics.powers import power

CASES = [(1e9, -0.34), (2.0, 3.0), (1e-8, 0.5), (7e22, -0.05), (1.0, -2.0), (3.0, 0.0)]


@pytest.mark.parametrize(("base", "exponent"), CASES)
def test_power_agrees_with_fifty_digits(base, exponent):
    with mpmath.workdps(50), precision.float64():
        exact = mpmath.power(base, exponent)
        got = float(power(base, exponent))
        # exp(y ln x) loses |y ln x| eps, at most 30 here
        assert abs(got / exact - 1) < 1e-14


@pytest.mark.parametrize(("base", "exponent"), CASES)
def test_the_derivatives_are_those_of_the_textbook(base, exponent):
    with precision.float64():
        in_base, in_exponent = jax.grad(power, argnums=(0, 1))(base, exponent)
        value = float(power(base, exponent))
    np.testing.assert_allclose(in_base, exponent * value / base, rtol=1e-13, atol=0)
    np.testing.assert_allclose(in_exponent, np.log(base) * value, rtol=1e-13, atol=0)


def test_the_second_derivative_in_the_exponent_is_finite_at_zero():
    with precision.float64():
        bend = jax.grad(jax.grad(power, argnums=1), argnums=1)(1e9, 0.0)
    np.testing.assert_allclose(bend, np.log(1e9) ** 2, rtol=1e-13)

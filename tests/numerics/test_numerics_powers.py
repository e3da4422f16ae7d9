"""Powers of positive numbers: their derivatives, and where a user's function is rewritten to have them."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from jaxscale import precision
from jaxscale.numerics.powers import power, with_exponentials

CASES = [(1e9, -0.34), (2.0, 3.0), (1e-8, 0.5), (7e22, -0.05), (1.0, -2.0), (3.0, 0.0)]

X, Y = np.geomspace(1e-3, 1e11, 9), np.linspace(0.5, 3.0, 9)


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


def separable(x, y, *, E, A, alpha):
    return E + A * x**-alpha + jnp.power(y / 2.0, alpha)


def nested(x, y, *, E, A, alpha):
    return (E + A * jnp.sqrt(x) ** alpha) ** (alpha / y)


def shifted(x, y, *, E, A, alpha):
    return E + (x - A) ** 2 + (y - 1.0) ** alpha


def inner(x, y, *, E, A, alpha):
    return {"loss": jax.jit(lambda z: z**alpha)(x) + E, "more": A * y}


COEFS = {"E": 1.7, "A": 3.0, "alpha": 0.4}
POSITIVE = dict.fromkeys(COEFS, True)


def programs(function, is_positive=(True, True)):
    with precision.float64():
        return tuple(
            str(jax.make_jaxpr(one)(X, Y, **COEFS))
            for one in (function, with_exponentials(function, is_positive, POSITIVE))
        )


@pytest.mark.parametrize("function", [separable, nested, shifted, inner])
def test_the_function_and_its_derivatives_are_the_same(function):
    with precision.float64():
        rewritten = with_exponentials(function, (True, True), POSITIVE)

        def total(one, coefs):
            return sum(jnp.nansum(leaf) for leaf in jax.tree.leaves(one(jnp.asarray(X), jnp.asarray(Y), **coefs)))

        for derive in (lambda f: f, jax.grad, jax.hessian):
            want, got = (
                jax.tree.leaves(derive(lambda c, one=one: total(one, c))(COEFS)) for one in (function, rewritten)
            )
            np.testing.assert_allclose(np.stack(got), np.stack(want), rtol=1e-12)


def test_negative_bases_keep_their_powers():
    with precision.float64():
        args = (-np.ones(3), np.zeros(3))
        rewritten = with_exponentials(lambda x, y, *, n: x**n + y, (False, False), {"n": True})
        np.testing.assert_array_equal(rewritten(*args, n=3.0), -np.ones(3))


@pytest.mark.parametrize(("function", "left"), [(separable, 0), (nested, 0), (shifted, 1), (inner, 1)])
def test_powers_are_left_only_where_the_sign_of_the_base_is_not_known(function, left):
    before, after = programs(function)
    assert before.count("= pow ") >= max(left, 1)
    assert after.count("= pow ") == left
    unknown = programs(function, (False, False))[1]
    assert unknown.count("= pow ") == before.count("= pow ")

"""Supports: maps of the real line onto an interval, with their inverses and slopes."""

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxscale import precision
from jaxscale.errors import UsageError
from jaxscale.numerics.supports import POSITIVE, REAL, SUPPORTS, UNIT, to_theta

ALL = pytest.mark.parametrize("support", tuple(SUPPORTS), ids=lambda support: support.name)


def onto(support, theta):
    with precision.float64():
        return np.asarray(support.from_real(jax.numpy.asarray(theta, jax.numpy.float64)))


@ALL
def test_to_real_inverts_from_real(support):
    theta = np.linspace(-12, 12, 97)
    # where the unit interval ends, 1 - coef keeps only eps / (1 - coef) = e^12 eps of its digits
    np.testing.assert_allclose(support.to_real(onto(support, theta)), theta, rtol=1e-14, atol=4 * np.exp(12) * 2.3e-16)


@ALL
def test_the_map_of_the_host_is_that_of_the_device(support):
    theta = np.linspace(-30, 30, 61)
    np.testing.assert_allclose(support.to_coef(theta), onto(support, theta), rtol=1e-15 * 30)  # exp loses |theta| eps


@ALL
def test_slope_is_the_derivative_of_the_map(support):
    theta = np.linspace(-8, 8, 33)
    step = 1e-5
    difference = (onto(support, theta + step) - onto(support, theta - step)) / (2 * step)
    np.testing.assert_allclose(support.slope(onto(support, theta)), difference, rtol=1e-7)  # step² + eps / step / slope


@ALL
def test_the_map_rises_and_stays_inside(support):
    coefs = onto(support, np.linspace(-30, 30, 61))
    assert np.all(np.diff(coefs) > 0)
    assert all(support.contains(coef) for coef in coefs)


@pytest.mark.parametrize(
    ("support", "outside"),
    [
        (POSITIVE, [0.0, -1.0, np.inf, np.nan]),
        (UNIT, [0.0, 1.0, -0.1, 1.1, np.nan]),
        (REAL, [np.inf, -np.inf, np.nan]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_edges_and_nan_are_outside_and_refused_by_name(support, outside):
    for value in outside:
        assert not support.contains(value)
        with pytest.raises(UsageError, match=f"b = .*outside its support '{support.name}'"):
            to_theta(("a", "b"), (REAL, support), np.array([1.0, value]))


@given(st.lists(st.floats(1e-300, 1e300), min_size=1, max_size=5))
def test_a_whole_batch_goes_to_the_real_line_at_once(values):
    batch = np.array([values, values])
    theta = to_theta(tuple(f"c{i}" for i in range(len(values))), (POSITIVE,) * len(values), batch)
    np.testing.assert_array_equal(theta, np.log(batch))

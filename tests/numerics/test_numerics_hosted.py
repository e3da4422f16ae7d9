"""Functions of JAX on NumPy arrays: the same numbers whatever the padding, and one program for many lengths."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxscale.numerics.hosted import LENGTHS, extended, hosted, rho_of, shared_length
from jaxscale.objectives import absolute, huber, squared


@given(count=st.integers(1, 10**7))
def test_a_shared_length_holds_its_entries_and_wastes_at_most_half_of_itself_or_an_eighth(count):
    length = shared_length(count)
    assert length >= max(count, 2)
    assert shared_length(length) == length
    assert count <= 2 or length - count < (length / 8 if count > 128 else length / 2)


def test_no_entries_have_no_length():
    assert shared_length(0) == 0


def test_an_array_is_extended_by_its_last_entry_along_one_axis():
    np.testing.assert_array_equal(extended(np.array([[1.0, 2.0]]), 3, axis=1), [[1.0, 2.0, 2.0]])
    np.testing.assert_array_equal(extended(np.array([[1.0, 2.0]]), 2), [[1.0, 2.0], [1.0, 2.0]])


def test_a_tree_of_arrays_comes_back_in_float64():
    found = hosted(halves, {"x": np.array([1e300, 3.0])})
    assert found["half"].dtype == np.float64
    np.testing.assert_array_equal(found["half"], [5e299, 1.5])


def halves(tree):
    return {"half": jnp.asarray(tree["x"]) / 2.0}


def test_lengths_within_a_rung_share_one_program():
    calls = []

    def rho(residual, scale):
        calls.append(residual.shape)  # when it is traced, that is, once a program
        return squared().rho(residual, scale)

    for count in (0, 1, 7, LENGTHS[0], LENGTHS[0] + 1, LENGTHS[1]):
        rho_of(rho, np.ones(count), 1.0)
    assert calls == [(LENGTHS[0],), (LENGTHS[1],)]


@pytest.mark.parametrize("shape", [(), (3,), (2, 70), (20000,)])
@pytest.mark.parametrize("objective", [huber(0.3), squared(), absolute()], ids=lambda one: one.name)
def test_rho_has_the_shape_of_its_residuals_and_the_values_of_its_definition(objective, shape):
    residual, scale = np.random.default_rng(0).normal(size=shape), 0.3
    value = np.asarray(rho_of(objective.rho, residual, scale).value)
    size = np.abs(residual)
    expected = {
        "huber": np.where(size <= scale, size**2 / 2, scale * (size - scale / 2)),
        "squared": size**2,
        "absolute": np.sqrt(size**2 + scale**2) - scale,
    }
    assert value.shape == shape
    np.testing.assert_allclose(value, expected[objective.name], rtol=1e-9, atol=1e-15)


def test_every_row_may_have_a_scale_of_its_own():
    residual, scale = np.array([[0.1, 2.0], [0.1, 2.0]]), np.array([[1.0], [0.05]])
    psi = rho_of(huber().rho, residual, scale).psi
    np.testing.assert_array_equal(psi, [[0.1, 1.0], [0.05, 0.05]])

"""Small symmetric systems by elimination over the lanes, against LAPACK."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxscale import precision
from jaxscale.numerics import small_spd

EPS = np.finfo(np.float64).eps
SOLVE = jax.jit(small_spd.solve)
ABSOLUTE = jax.jit(small_spd.absolute_value)


def solve(matrix, right):
    with precision.float64():
        return tuple(np.asarray(part) for part in SOLVE(jnp.asarray(matrix), jnp.asarray(right)))


def rotations(random, lanes, size):
    return np.linalg.qr(random.standard_normal((lanes, size, size)))[0]


def symmetric(vectors, values):
    matrix = np.einsum("bij,bj,bkj->bik", vectors, values, vectors)
    return 0.5 * (matrix + np.swapaxes(matrix, 1, 2))


@settings(deadline=None, max_examples=60)  # the first example compiles
@given(seed=st.integers(0, 2**32 - 1), decades=st.floats(0, 8))
def test_solve_agrees_with_lapack_up_to_condition_numbers_of_1e8(seed, decades):
    random = np.random.default_rng(seed)
    vectors = rotations(random, 4, 5)
    values = 10.0 ** random.uniform(0, decades, (4, 5))
    values[:, 0], values[:, 1] = 1.0, 10.0**decades
    matrix, right = symmetric(vectors, values), random.standard_normal((4, 5))
    got, pivot = solve(matrix, right)
    want = np.linalg.solve(matrix, right[..., None])[..., 0]
    # two backward stable solvers differ by a few p eps times the condition number
    limit = 200 * EPS * 10.0**decades * np.linalg.norm(want, axis=1)
    assert np.all(np.linalg.norm(got - want, axis=1) <= limit)
    assert np.all(pivot > 0)


def test_the_pivot_is_positive_exactly_for_positive_definite_matrices():
    random = np.random.default_rng(1)
    vectors = rotations(random, 40, 5)
    values = random.uniform(0.1, 2.0, (40, 5))
    values[::2, 3] *= -1.0
    pivot = solve(symmetric(vectors, values), np.ones((40, 5)))[1]
    np.testing.assert_array_equal(pivot > 0, np.arange(40) % 2 == 1)


def test_the_pivot_of_a_singular_matrix_is_at_rounding():
    random = np.random.default_rng(2)
    values = random.uniform(0.5, 2.0, (16, 5))
    values[:, 2] = 0.0
    vectors = rotations(random, 16, 5)
    pivot = solve(symmetric(vectors, values), np.ones((16, 5)))[1]
    # the last pivot of A + dA is its smallest eigenvalue over the null vector's last component squared
    null = np.abs(vectors[:, 4, 2])
    assert np.all(np.abs(pivot) <= 20 * EPS / null**2)


def test_a_lane_of_nan_leaves_its_neighbours_bit_identical():
    random = np.random.default_rng(3)
    matrix = symmetric(rotations(random, 6, 5), random.uniform(0.5, 2.0, (6, 5)))
    right = random.standard_normal((6, 5))
    spoiled, spoiled_right = matrix.copy(), right.copy()
    spoiled[2], spoiled_right[4] = np.nan, np.nan
    clean, dirty = solve(matrix, right), solve(spoiled, spoiled_right)
    keep = [0, 1, 3, 5]
    for before, after in zip(clean, dirty, strict=True):
        np.testing.assert_array_equal(before[keep], after[keep])
    assert np.all(np.isnan(dirty[0][[2, 4]]))


@pytest.mark.parametrize("size", range(1, 10))
def test_absolute_agrees_with_the_eigenvalues_of_lapack(size):
    random = np.random.default_rng(size)
    values = random.standard_normal((6, size)) * 10.0 ** random.uniform(-3, 3, (6, 1))
    matrix = symmetric(rotations(random, 6, size), values)
    values, vectors = np.linalg.eigh(matrix)
    want = symmetric(vectors, np.abs(values))
    with precision.float64():
        got = np.asarray(ABSOLUTE(jnp.asarray(matrix)))
    assert np.all(np.abs(got - want) <= 100 * size * EPS * np.abs(values).max(axis=1)[:, None, None])


def test_absolute_leaves_a_diagonal_matrix_of_zeros_and_repeats_alone():
    matrix = np.stack([np.diag([2.0, -2.0, 0.0]), np.zeros((3, 3))])
    with precision.float64():
        np.testing.assert_array_equal(np.asarray(ABSOLUTE(jnp.asarray(matrix))), np.abs(matrix))


def test_a_unit_measures_the_pivots_and_changes_no_solution():
    random = np.random.default_rng(5)
    matrix = symmetric(rotations(random, 8, 5), random.uniform(0.5, 2.0, (8, 5)))
    right, unit = random.standard_normal((8, 5)), np.full((8, 5), 1e3)
    with precision.float64():
        got, pivot = SOLVE(jnp.asarray(matrix), jnp.asarray(right), jnp.asarray(unit))
        bare, plain = SOLVE(jnp.asarray(matrix), jnp.asarray(right), jnp.ones((8, 5)))
    np.testing.assert_array_equal(got, bare)
    np.testing.assert_allclose(pivot, np.asarray(plain) / 1e3, rtol=1e-15)
    last = np.linalg.det(matrix) / np.linalg.det(matrix[:, :4, :4])  # a pivot is a ratio of leading minors
    assert np.all(np.asarray(plain) <= last * (1 + 1e-12))


def test_unpack_restores_the_triangle_that_pack_indices_lists():
    full = np.arange(16.0).reshape(4, 4)
    full = full + full.T
    packed = np.array([[full[j, k] for j, k in small_spd.pack_indices(4)]])
    np.testing.assert_array_equal(np.asarray(small_spd.unpack(jnp.asarray(packed), 4))[0], full)

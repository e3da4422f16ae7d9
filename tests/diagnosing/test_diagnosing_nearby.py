"""Rows that are off beside their neighbours: closed forms, and tables whose law misses by more than the mistake."""

import numpy as np
import pytest

from jaxscale.diagnosing.nearby import _left_out, apart, apart_from_nearby

X = np.stack(np.meshgrid(np.linspace(-1.5, 1.5, 8), np.linspace(-1.5, 1.5, 7)), axis=-1).reshape(-1, 2)
ONES = np.ones(len(X))


def noise(seed):
    return 0.02 * np.random.default_rng(seed).standard_normal(len(X))


def places(residual):
    found = apart_from_nearby(residual, ONES, X, len(X) - 5.0)
    return None if found is None or not found.places.size else found.places.tolist()


def test_predictions_without_a_row_are_those_of_the_other_rows():
    """Written out, one row left out at a time: k(x, X) (K + N)⁻¹ y, and k(x, x) + 1/w less what that explains."""
    random = np.random.default_rng(0)
    y, weight = random.standard_normal(len(X)), random.uniform(0.5, 2.0, len(X))
    kernel = 4.0 * np.exp(-0.5 * np.sum((X[:, None] - X[None]) ** 2, axis=2))
    kept = np.setdiff1d(np.arange(len(X)), [3, 17])
    error, variance = _left_out(y, weight, kernel, kept)
    prior = kernel + 256.0
    for at in (0, 3, 17, 55):
        rest = np.setdiff1d(kept, [at])
        solved = np.linalg.solve(prior[np.ix_(rest, rest)] + np.diag(1.0 / weight[rest]), prior[rest, at])
        assert error[at] == pytest.approx(y[at] - solved @ y[rest], rel=1e-6)
        assert variance[at] == pytest.approx(prior[at, at] + 1.0 / weight[at] - solved @ prior[rest, at], rel=1e-6)


@pytest.mark.parametrize("size", [0.23, -0.23])
@pytest.mark.parametrize("row", [9, 20, 31])
def test_a_typo_of_a_quarter_is_found_among_residuals_of_its_size(size, row):
    """A law that misses by up to 0.3, smoothly: the typo is no larger than what stands beside it."""
    smooth = 0.3 * np.sin(2.0 * X[:, 0]) * X[:, 1]
    residual = smooth + noise(1)
    typo = np.where(np.arange(len(X)) == row, size, 0.0)
    assert places(residual) is None
    assert np.max(np.abs(residual)) > abs(size)
    assert places(residual + typo) == [row]


def test_two_rows_side_by_side_do_not_hide_one_another():
    residual = 0.3 * np.sin(2.0 * X[:, 0]) * X[:, 1] + noise(2)
    off = np.isin(np.arange(len(X)), [27, 28])
    assert places(residual + 0.23 * off) == [27, 28]


def test_normal_errors_are_not_blamed():
    """At 1 % in a table, and the gap besides, more than 2 of 40 tables come less than once in a hundred tries."""
    random = np.random.default_rng(5)
    assert sum(places(random.standard_normal(len(X))) is not None for _ in range(40)) <= 2


def test_few_rows_and_exact_ones_say_nothing():
    assert apart_from_nearby(noise(3)[:9], ONES[:9], X[:9], 4.0) is None
    assert apart_from_nearby(0.0 * ONES, ONES, X, 40.0) is None


def test_rows_are_apart_beyond_a_gap_only():
    tail = np.array([10.0, 9.0, 7.0, 5.0, 3.5, *np.linspace(-2.0, 2.0, 35)])
    assert apart(tail, 40.0).tolist() == []
    assert apart(np.array([30.0, -25.0, *np.linspace(-2.0, 2.0, 38)]), 40.0).tolist() == [0, 1]
    assert apart(np.linspace(-2.0, 2.0, 40), 40.0).tolist() == []

"""Normal noise of groups: two variances, those of the analysis of variance, written out with NumPy."""

import numpy as np
import pytest

from jaxscale.resampling import SCHEMES, Fitted, redraw

GROUPS, SIZE, DRAWN = 10, 3, 2000
ROWS = GROUPS * SIZE
CODE = np.arange(ROWS) % GROUPS
NAMES = np.array([f"run-{one}" for one in CODE], dtype=object)
WEIGHT = 2.0 ** (np.arange(ROWS) % 3)
LEVERAGE = np.full(ROWS, 2.0 / ROWS)


def noise_of(standard, weight=WEIGHT, draws=DRAWN):
    """Return what replicates have in place of residuals of one variance (n,): (draws, n)."""
    residual = standard * np.sqrt(1.0 - LEVERAGE) / np.sqrt(np.where(weight > 0, weight, 1.0))
    fitted = Fitted(np.zeros(ROWS), np.where(weight > 0, residual, 0.0), np.where(weight > 0, LEVERAGE, 0.0))
    drawn = redraw(SCHEMES.resolve("parametric-cluster"), 5, np.arange(draws), weight, NAMES, fitted)
    np.testing.assert_array_equal(drawn.weight, np.tile(weight, (draws, 1)))
    return (fitted.residual - drawn.shift) * np.sqrt(weight)


def variances(standard):
    """Within groups and between them, around a mean of zero."""
    mean = np.array([standard[one == CODE].mean() for one in range(GROUPS)])
    within = np.sum((standard - mean[CODE]) ** 2) / (ROWS - GROUPS)
    return within, max(np.sum(mean**2) / GROUPS - within / SIZE, 0.0)


def parts(noise):
    """Return the means of the groups (draws, g) and what is left of each row (draws, n)."""
    common = np.stack([noise[:, one == CODE].mean(axis=1) for one in range(GROUPS)], axis=1)
    return common, noise - common[:, CODE]


@pytest.mark.parametrize("shared", [0.0, 0.05])
def test_both_variances_are_those_of_the_residuals(shared):
    random = np.random.default_rng(1)
    standard = 0.02 * random.standard_normal(ROWS) + shared * random.standard_normal(GROUPS)[CODE]
    within, between = variances(standard)
    common, rest = parts(noise_of(standard))
    # five standard errors of a variance of so many independent numbers
    assert np.var(rest) * SIZE / (SIZE - 1) == pytest.approx(within, rel=5 * np.sqrt(2 / (DRAWN * (ROWS - GROUPS))))
    assert np.var(common) == pytest.approx(between + within / SIZE, rel=5 * np.sqrt(2 / (DRAWN * GROUPS)))


def test_a_row_of_weight_zero_gets_no_noise_and_changes_none_of_the_others_variances():
    random = np.random.default_rng(2)
    standard, weight = 0.02 * random.standard_normal(ROWS), WEIGHT.copy()
    weight[[0, 10, 20]] = 0.0  # a whole group
    noise = noise_of(standard, weight)
    assert (noise[:, [0, 10, 20]] == 0.0).all()
    left = standard[weight > 0]
    mean = np.array([standard[one == CODE].mean() for one in range(1, GROUPS)])
    within = np.sum((left - mean[CODE[weight > 0] - 1]) ** 2) / (len(left) - len(mean))
    rest = parts(noise)[1][:, weight > 0]
    assert np.var(rest) * SIZE / (SIZE - 1) == pytest.approx(within, rel=5 * np.sqrt(2 / (DRAWN * (len(left) - 9))))

"""Shapley effects: they add up, agree with the average over all orders, and with a two-way analysis of variance."""

from itertools import permutations

import numpy as np
import pytest

from jaxscale.numerics.shapley import shapley_effects

RANDOM = np.random.default_rng(5)
GRID = np.stack(np.meshgrid(np.arange(3), np.arange(2), np.arange(4), indexing="ij"), axis=-1).reshape(-1, 3)
"""A full factorial design."""
STAR = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 2], [0, 0, 3]])
"""One factor at a time."""
DESIGNS = pytest.mark.parametrize("levels", [GRID, STAR, GRID[RANDOM.random(24) < 0.6]], ids=["full", "star", "holes"])


def between(values, levels):
    """The variance of the means of the rows that share all levels, by a dictionary."""
    cells = {}
    for value, level in zip(values, map(tuple, levels), strict=True):
        cells.setdefault(level, []).append(value)
    means = np.array([np.mean(cells[tuple(level)]) for level in levels])
    return np.mean((means - values.mean()) ** 2)


@DESIGNS
def test_they_add_up_to_the_variance_and_none_is_negative(levels):
    values = RANDOM.standard_normal(len(levels))
    effects = shapley_effects(values, levels)
    assert effects.sum() == pytest.approx(values.var(), rel=1e-12)
    assert (effects >= -1e-15).all()


@DESIGNS
def test_they_are_what_a_factor_adds_on_average_over_all_orders(levels):
    values = RANDOM.standard_normal(len(levels))
    expected = np.zeros(3)
    for order in permutations(range(3)):
        for place, factor in enumerate(order):
            before, after = list(order[:place]), list(order[: place + 1])
            expected[factor] += (between(values, levels[:, after]) - between(values, levels[:, before])) / 6
    np.testing.assert_allclose(shapley_effects(values, levels), expected, rtol=1e-10)


def test_on_a_full_design_an_interaction_is_halved_and_an_additive_effect_is_its_own_variance():
    main = [RANDOM.standard_normal(size) for size in (3, 2, 4)]
    values = sum(one[GRID[:, at]] for at, one in enumerate(main))
    np.testing.assert_allclose(shapley_effects(values, GRID), [one.var() for one in main], rtol=1e-12)
    left, right = np.array([-1.0, 0.0, 1.0]), np.array([-1.0, 1.0])
    product = left[GRID[:, 0]] * right[GRID[:, 1]]  # without a main effect of either
    np.testing.assert_allclose(shapley_effects(product, GRID), [product.var() / 2, product.var() / 2, 0], atol=1e-15)


def test_a_factor_without_a_choice_accounts_for_nothing():
    values = RANDOM.standard_normal(5)
    levels = np.stack([np.zeros(5, int), np.arange(5)], axis=1)
    np.testing.assert_allclose(shapley_effects(values, levels), [0.0, values.var()], atol=1e-15)

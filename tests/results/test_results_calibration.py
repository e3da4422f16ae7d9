"""The rule of widths: its scale, its conformal quantile, and the share that it promises for one group more."""

import numpy as np
import pytest

import jaxscale as js
from jaxscale.results.calibration import SHORTEST, WidthParts, calibrated


def group(random, runs, factors=(1.5, 0.02, 0.0), offset=0.7):
    """Errors in a scale of known factors; those of a group have a part in common."""
    reach = WidthParts(random.uniform(0.002, 0.05, runs), random.uniform(0.1, 5, runs), random.uniform(0.01, 0.5, runs))
    own = np.sqrt(offset) * random.standard_normal() + np.sqrt(1 - offset) * random.standard_normal(runs)
    return reach, own * reach.scale(np.array(factors))


def rule(random, groups, runs=6, **options):
    parts = [group(random, runs, **options) for _ in range(groups)]
    return calibrated([one for one, _ in parts], [error for _, error in parts], ("a",), (1.0,))


def test_the_scale_is_the_root_of_the_sum_of_squares_and_short_ways_count_as_a_factor_of_two():
    reach = WidthParts(np.array([0.1, 0.2]), np.array([0.01, 3.0]), np.array([0.5, 0.0]))
    expected = np.sqrt((2 * reach.spread) ** 2 + (0.3 * np.array([np.log(2), 3.0])) ** 2 + (0.4 * reach.fall) ** 2)
    np.testing.assert_allclose(reach.scale(np.array([2.0, 0.3, 0.4])), expected)
    assert pytest.approx(np.log(2)) == SHORTEST


def test_the_factors_of_many_groups_are_those_that_made_the_errors():
    """Of normal errors the fit of Student's distribution scales all factors alike, so that their ratio is told."""
    found = rule(np.random.default_rng(0), 800, offset=0.0)
    assert found.per_spread / found.per_distance == pytest.approx(1.5 / 0.02, rel=0.15)
    assert found.per_fall < 0.1 * found.per_distance
    half = found.half_width(WidthParts(np.array([0.03]), np.array([2.0]), np.array([0.1])), 0.9)
    assert half == pytest.approx(1.645 * np.hypot(1.5 * 0.03, 0.02 * 2.0), rel=0.05)


def test_a_group_that_is_exchangeable_with_the_others_is_held_as_often_as_promised():
    """150 times a rule of 20 groups and one group more; three factors are fitted to the same errors, for 1 % less."""
    random = np.random.default_rng(1)
    held = []
    for _ in range(150):
        found = rule(random, 20)
        reach, error = group(random, 6)
        held.append(np.mean(np.abs(error) <= found.half_width(reach, 0.8)))
    error = np.std(held) / np.sqrt(len(held))
    assert 0.79 - 2 * error < np.mean(held) < 0.86 + 2 * error


def test_every_group_counts_alike_however_many_runs_it_has():
    few, many = group(np.random.default_rng(2), 2), group(np.random.default_rng(3), 50)
    found = calibrated([few[0], many[0]], [few[1], many[1]], ("a",), (1.0,))
    assert found.mass.sum() == pytest.approx(2 / 3)
    assert sorted(set(np.round(found.mass, 12))) == pytest.approx([1 / 150, 1 / 6])
    assert found.factor(0.6) < np.inf
    assert found.factor(0.7) == np.inf  # two groups, and a third that is not known yet


def test_a_rule_needs_comparisons():
    with pytest.raises(js.UsageError, match="one comparison or more"):
        js.comparing.calibration([])

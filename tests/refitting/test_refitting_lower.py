"""What is lower is kept: only of usable replicates, only beyond rounding, and of several the lowest."""

import numpy as np
import pytest

from jaxscale.engine.scheduler import Outcome
from jaxscale.refitting.starting import keep_lower
from jaxscale.status import Status

FLOOR = 1e-20


def outcome(values, statuses=None):
    count = len(values)
    status = np.array(statuses or [Status.CONVERGED] * count, np.int8)
    theta = np.arange(2.0 * count).reshape(count, 2)
    return Outcome(theta, np.array(values), status, np.full(count, 3, np.int32))


def test_the_lowest_of_several_visits_stays_whatever_their_order():
    mine = outcome([1.0, 1.0])
    again = outcome([0.7, 0.9, 0.5, 0.8, 1.2])
    keep_lower(mine, np.array([0, 1, 0, 1, 1]), again, FLOOR)
    np.testing.assert_array_equal(mine.value, [0.5, 0.8])
    np.testing.assert_array_equal(mine.theta, again.theta[[2, 3]])
    np.testing.assert_array_equal(mine.steps, [9, 12])


@pytest.mark.parametrize("value", [1.0, 1.0 + 1e-12, 1.0 - 1e-12])
def test_the_same_minimum_is_not_kept(value):
    mine = outcome([1.0])
    keep_lower(mine, np.array([0]), outcome([value]), FLOOR)
    assert mine.value[0] == 1.0


def test_a_higher_minimum_is_not_kept():
    mine = outcome([1.0])
    keep_lower(mine, np.array([0]), outcome([1.1]), FLOOR)
    assert mine.value[0] == 1.0


def test_rounding_of_runs_without_noise_is_no_second_minimum():
    mine = outcome([3e-21])
    keep_lower(mine, np.array([0]), outcome([1e-21]), FLOOR)
    assert mine.value[0] == 3e-21


@pytest.mark.parametrize("status", [Status.STALLED, Status.NON_FINITE, Status.DEGENERATE, Status.SINGULAR])
@pytest.mark.parametrize("value", [0.5, np.nan, np.inf])
def test_what_is_not_usable_neither_gives_nor_takes(status, value):
    for mine, again in (
        (outcome([1.0]), outcome([value], [status])),
        (outcome([np.inf], [status]), outcome([0.5])),
        (outcome([np.inf], [status]), outcome([np.inf], [status])),
    ):
        before = mine.value.copy()
        keep_lower(mine, np.array([0]), again, FLOOR)
        np.testing.assert_array_equal(mine.value, before)

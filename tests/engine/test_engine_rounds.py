"""Rounds: every lane moves as far as it would alone, in whatever company, and none is touched after it ended."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxscale.engine.draws import in_blocks
from jaxscale.engine.programs import StepBudget, in_rounds

LANES, BLOCK = 24, 8


def is_moving(state):
    """A state is (evaluations left, evaluations made, sum of what its weight said)."""
    return state[:, 0] > 0


def advance(weight, state, steps):
    made = jnp.minimum(state[:, 0], steps.astype(state.dtype))
    return state + jnp.stack([-made, made, made * weight[:, 0]], axis=1)


RUN = jax.jit(partial(in_rounds, advance, is_moving, block=BLOCK))
WEIGHT = np.arange(1.0, LANES + 1).astype(np.float32)[:, None]


def run(left, first=4, later=2, most=1000, least=1):
    state = np.zeros((LANES, 3), np.float32)
    state[:, 0] = left
    return np.asarray(RUN(draw=WEIGHT, state=state, budget=StepBudget(*map(np.int32, (first, later, most, least)))))


@settings(max_examples=30, deadline=None)  # the first example compiles
@given(st.lists(st.integers(0, 40), min_size=LANES, max_size=LANES), st.integers(1, 5), st.integers(1, 5))
def test_every_lane_makes_its_evaluations_with_its_own_weight(left, first, later):
    state = run(left, first, later)
    np.testing.assert_array_equal(state[:, 0], 0)
    np.testing.assert_array_equal(state[:, 1], left)
    np.testing.assert_array_equal(state[:, 2], np.array(left) * WEIGHT[:, 0])


@pytest.mark.parametrize("most", [0, 1, 5, 7])
def test_no_lane_makes_more_than_the_most(most):
    np.testing.assert_array_equal(run(np.full(LANES, 9), most=most)[:, 1], most)


def test_the_call_ends_when_few_still_move():
    left = np.where(np.arange(LANES) % 6 == 0, 50, 3)  # four long ones, scattered
    few, one = run(left, least=5), run(left, least=4)
    np.testing.assert_array_equal(few[:, 1], np.minimum(left, 4))
    np.testing.assert_array_equal(one[:, 1], left)


@pytest.mark.parametrize("count", [0, 1, 8, 9, 24])
def test_blocks_compute_the_first_entries_and_leave_the_rest_zero(count):
    double = lambda part: jnp.stack([part, 2 * part], axis=1)  # noqa: E731 - the shortest way to say it
    found = np.asarray(in_blocks(double, jnp.arange(1, LANES + 1), BLOCK, jnp.int32(count)))
    whole = -(-count // BLOCK) * BLOCK
    np.testing.assert_array_equal(found[:whole, 1], 2 * np.arange(1, whole + 1))
    np.testing.assert_array_equal(found[whole:], 0)

"""What a compiled pass and a compiled Newton step launch: counted on a CPU, where each counts as one kernel."""

import re
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.launches import count
from jaxscale import objectives, precision
from jaxscale.solvers.lanes import fresh_lanes
from jaxscale.solvers.loop import Tolerances, minimise
from jaxscale.solvers.newton import Newton
from jaxscale.solvers.problem import Data, Problem, evaluate

LANES, ROWS, SIZE = 24, 40, 3
SUMS = 2 + SIZE + SIZE * (SIZE + 1)


def residual(theta, row):
    x, y = row
    return theta[0] * jnp.exp(-theta[1] * x) + theta[2] - y


def arguments(dtype):
    number = partial(jax.ShapeDtypeStruct, dtype=dtype)
    data = Data((number((ROWS,)),) * 2, number((LANES, ROWS)))
    return data, number((LANES, SIZE)), number((LANES,)), number((SIZE,))


def compiled_pass(objective, dtype):
    with precision.float64():
        problem = Problem(residual, objective.rho, SIZE)
        return jax.jit(evaluate, static_argnums=0).lower(problem, *arguments(dtype)).compile().as_text()


@pytest.fixture(scope="module")
def newton():
    """One compiled descent: its loop's turn is one Newton step."""
    with precision.float64():
        data, theta, scale, active = arguments(np.float64)
        number = jax.ShapeDtypeStruct((), np.float64)
        problem = Problem(residual, objectives.huber().rho, SIZE)
        lanes = jax.eval_shape(partial(fresh_lanes, Newton()), jnp.zeros(theta.shape), jnp.zeros(scale.shape))
        bounded, steps = jax.ShapeDtypeStruct((SIZE,), bool), jax.ShapeDtypeStruct((), np.int32)
        descent = jax.jit(partial(minimise, problem, Newton()))
        lowered = descent.lower(data, lanes, active, bounded, Tolerances(number, number, number), number, steps)
        return lowered.compile().as_text()


def reductions(text):
    """How many numbers each reduction over the rows of all lanes returns, by computation."""
    found = re.findall(r"= (\(.*?\)|\S+) reduce\(.*dimensions=\{1\}", text)
    return [max(1, len(re.findall(rf"\[{LANES}\]", kind))) for kind in found]


def test_all_sums_over_the_rows_are_one_reduction():
    assert SUMS in reductions(compiled_pass(objectives.huber(), np.float64))


def test_a_newton_step_passes_over_the_rows_once(newton):
    assert reductions(newton).count(SUMS) == 1
    assert count(newton)["once/loop"]["fusion"] > 0


@pytest.mark.parametrize("objective", list(objectives.OBJECTIVES), ids=lambda objective: objective.name)
def test_the_float32_pass_computes_nothing_in_float64(objective):
    text = compiled_pass(objective, np.float32)
    assert "f32[" in text
    assert "f64[" not in text


PROGRAM = """HloModule written_by_hand

%fused (p: f32[8]) -> f32[8] {
  %p = f32[8]{0:T(8)S(1)} parameter(0)
  ROOT %e = f32[8]{0} exponential(%p)
}

%turn (state: (f32[8], s32[])) -> (f32[8], s32[]) {
  %state = (f32[8]{0}, s32[]) parameter(0)
  %x = f32[8]{0} get-tuple-element(%state), index=0
  %a = (f32[8]{0}, /*index=1*/f32[8]{0}) fusion(%x), kind=kLoop, calls=%fused, metadata={op_name="jit(f)/exp"}
  %b = f32[8]{0} custom-call(%x), custom_call_target="triton"
  %c = f32[8]{0} conditional(%i, %x, %x), branch_computations={%left, %right}
  ROOT %t = (f32[8]{0}, s32[]) tuple(%b, %i)
}

%left (x: f32[8]) -> f32[8] {
  ROOT %l = f32[8]{0} copy(%x)
}

%right (x: f32[8]) -> f32[8] {
  ROOT %r = f32[8]{0} fusion(%x), kind=kLoop, calls=%fused
}

%goes_on (state: (f32[8], s32[])) -> pred[] {
  ROOT %g = pred[] fusion(%state), kind=kInput, calls=%fused
}

ENTRY %main (x: f32[8]) -> f32[8] {
  %x = f32[8]{0} parameter(0)
  %y = f32[8]{0} fusion(%x), kind=kLoop, calls=%fused
  %w = (f32[8]{0}, s32[]) while(%y), condition=%goes_on, body=%turn
  ROOT %z = f32[8]{0} get-tuple-element(%w), index=0
}
"""


def test_launches_are_counted_by_loop_and_branch():
    assert count(PROGRAM) == {
        "once": {"fusion": 1},
        "once/loop": {"custom-call": 1, "fusion": 2},
        "once/loop/branch": {"copy": 1, "fusion": 1},
    }

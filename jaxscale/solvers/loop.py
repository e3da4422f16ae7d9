"""The one loop that minimises: a continuation in the scale, steps, acceptance and finiteness, for every method."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxscale.numerics import small_spd
from jaxscale.solvers.lanes import FINE, Lanes, Method, is_far
from jaxscale.solvers.problem import Data, Evaluation, Problem, evaluate, factor_of, select
from jaxscale.solvers.verdict import judge, rounding_of
from jaxscale.status import RUNNING, Status

SETTLED = 1e-3
"""Newton decrement, relative to the value, at which a stage is good enough to lower the scale. It must also be less
than what one row at the threshold of rho contributes: the next stage resolves residuals of that size."""
LOWERING = 0.2
"""Factor from one stage's scale to the next."""
WIDE = 10.0
"""First scale of a cold lane in units of its mean absolute residual: nearly every row counts by its square."""
BOLDEST = 1e-15
"""Least damping, so that a lane given back its damping goes on with it."""
GENTLE = 0.3
"""Factor of the damping after a good step far from a minimum; one of 0.1 there has every second step refused."""
FOOTHOLD = 1e-6
"""Least damping after a refused step far from a minimum: a valley may ask for that little, and ten steps up to it are
better than five down to it each time."""
JUST_ABOVE = 1.0 + 1e-6
"""Factor on the last scale within which a scale is at it."""


class Tolerances(NamedTuple):
    """Where a lane ends; scalars.

    The last scale is the larger of `min_scale` and `relative_scale` times the lane's mean absolute residual.
    decrement: a Newton decrement, relative to the value, below which a lane ends where it stands, without the last
    step; 0 for never.
    """

    min_scale: jax.Array | np.float64
    relative_scale: jax.Array | np.float64
    decrement: jax.Array | np.float64


class Continuation(NamedTuple):
    """Where the scale of each lane stands, (B,) each.

    scale: of this evaluation.   last: the scale at which the lane may end.   is_chosen: evaluated where it stands, at
    its first scale or to choose one.   is_lowered: a stage has ended, and the next begins.   is_stuck: flat or at a
    saddle, as far as rounding can tell.
    """

    scale: Float[Array, " B"]
    last: Float[Array, " B"]
    is_chosen: Bool[Array, " B"]
    is_lowered: Bool[Array, " B"]
    is_stuck: Bool[Array, " B"]

    @property
    def is_forced(self) -> Bool[Array, " B"]:
        """Lanes whose objective is another one than before, so that no value can be compared."""
        return self.is_chosen | self.is_lowered


def minimise(
    problem: Problem,
    method: Method,
    data: Data,
    lanes: Lanes,
    active: Float[Array, " p"],
    bounded: Bool[Array, " p"],
    tolerances: Tolerances,
    rounding: Float[Array, ""],
    max_steps: Int[Array, ""],
) -> Lanes:
    """Move every lane until it ends or max_steps evaluations have passed, and judge those that ended.

    Lanes that still move stay RUNNING.   bounded: (p,) the coordinates whose far ends are edges of a support.
    rounding: the residual that rounding of the targets alone produces, in the units of the residual.   Never raises for
    numerical reasons.
    """
    moved = move(problem, method, data, lanes, active, tolerances, rounding, max_steps)
    return judge(problem.rho, moved, bounded, data.total_weight, rounding)


def move(
    problem: Problem,
    method: Method,
    data: Data,
    lanes: Lanes,
    active: Float[Array, " p"],
    tolerances: Tolerances,
    rounding: Float[Array, ""],
    max_steps: Int[Array, ""],
) -> Lanes:
    """Move every lane until it ends or max_steps evaluations have passed; that it CONVERGED is for `judge` to confirm.

    lanes: from `fresh_lanes`, or as returned before: a lane that is RUNNING goes on as if it had not been interrupted.
    A lane that is not finite leaves its neighbours bit-identical.
    """
    total_weight = data.total_weight
    one_row = total_weight / jnp.maximum(jnp.sum(data.weight > 0, axis=1), 1)

    def keep_going(carry: tuple[Lanes, jax.Array]) -> Bool[Array, ""]:
        lanes, count = carry
        return jnp.any(lanes.status == RUNNING) & (count < max_steps)

    def advance(carry: tuple[Lanes, jax.Array]) -> tuple[Lanes, jax.Array]:
        before, count = carry
        proposal = method.propose(problem, data, active, before)
        least = jnp.maximum(before.scale, tolerances.min_scale)
        blur = rounding_of(problem.rho, before.here, before.theta, least, total_weight, rounding)
        floor = total_weight * problem.rho(blur, least).value
        nothing = FINE * before.here.value + floor
        one_residual = one_row * problem.rho(before.scale, before.scale).value
        stage = continuation(before, tolerances, one_residual, is_flat=proposal.promise <= nothing)
        trial = jnp.where(stage.is_chosen[:, None], before.theta, proposal.trial)
        used = jnp.where(stage.scale > 0, stage.scale, jnp.maximum(tolerances.min_scale, 1.0))
        there = evaluate(problem, data, trial, used, active)

        steepness = total_weight * problem.rho(before.here.spread, stage.scale).psi  # psi is concave in |r|
        slack = blur * steepness + floor  # what rounding may add to a value that has not changed
        is_fine = is_finite(there)
        is_accepted = is_fine & (stage.is_forced | (there.value <= before.here.value + slack))
        here = select(is_accepted, there, before.here)
        decrement = decrement_of(here)
        is_last = ((before.decrement <= nothing) | stage.is_stuck) & ~stage.is_forced & (before.scale > 0)
        last = last_scale(tolerances, here.spread)
        is_close = (decrement < tolerances.decrement * here.value) & is_accepted & (stage.scale > 0)
        is_converged = is_last | (is_close & (stage.scale <= last * JUST_ABOVE))
        is_given_up = (before.damping > 1e10) & ~is_accepted & ~is_last
        status = jnp.where(is_converged, int(Status.CONVERGED), RUNNING)
        status = jnp.where(stage.is_chosen & ~is_fine, int(Status.NON_FINITE), status)
        status = jnp.where(is_given_up, int(Status.STALLED), status)
        kept = (before.here.value - there.value) / proposal.expected
        moved = Lanes(
            theta=jnp.where(is_accepted[:, None], trial, before.theta),
            scale=jnp.where(is_accepted, stage.scale, before.scale),
            damping=damped(before, kept, proposal.length, is_accepted, stage.is_forced, method.fresh_damping),
            is_final=jnp.isfinite(stage.scale) & (stage.scale <= stage.last * JUST_ABOVE),
            here=here,
            decrement=decrement,
            status=status.astype(jnp.int32),
            steps=before.steps + 1,
            memory=proposal.memory,
        )
        return select(before.status == RUNNING, moved, before), count + 1

    lanes, _ = jax.lax.while_loop(keep_going, advance, (lanes, jnp.zeros((), jnp.int32)))
    return lanes


def continuation(
    before: Lanes, tolerances: Tolerances, one_residual: Float[Array, " B"], *, is_flat: Bool[Array, " B"]
) -> Continuation:
    """Return the scale of the next evaluation: from a wide one, that few minima are left at, down to the last.

    one_residual: (B,) what one row at the threshold of rho contributes.   is_flat: the step promises less than
    rounding.
    """
    is_first = jnp.isinf(before.here.value)
    last = last_scale(tolerances, before.here.spread)
    is_unscaled = ~is_first & (before.scale == 0)
    is_stuck = jnp.isinf(before.decrement) & is_flat  # flat or a saddle: `judge` says which
    is_settled = before.decrement <= jnp.minimum(SETTLED * before.here.value, one_residual)
    is_lowered = ~is_first & (is_settled | is_stuck) & (before.scale > last * JUST_ABOVE)
    chosen = jnp.where(is_unscaled, jnp.maximum(last, WIDE * before.here.spread), before.scale)
    scale = jnp.where(is_lowered, jnp.maximum(last, LOWERING * before.scale), chosen)
    return Continuation(scale, last, is_first | is_unscaled, is_lowered, is_stuck)


def last_scale(tolerances: Tolerances, spread: Float[Array, " B"]) -> Float[Array, " B"]:
    """Return the scale (B,) at which lanes of this mean absolute residual may end."""
    return jnp.maximum(tolerances.min_scale, tolerances.relative_scale * spread)


def decrement_of(here: Evaluation) -> Float[Array, " B"]:
    """Return half the squared Newton decrement, the gain that the quadratic model promises; inf off convexity."""
    step, pivot = small_spd.solve(here.curvature, here.gradient)
    gain = 0.5 * jnp.sum(step * here.gradient, axis=1)
    return jnp.where(pivot > 0, gain, jnp.inf)


def damped(
    before: Lanes,
    kept: Float[Array, " B"],
    length: Float[Array, " B"],
    is_accepted: Bool[Array, " B"],
    is_forced: Bool[Array, " B"],
    fresh: float,
) -> Float[Array, " B"]:
    """Return the damping after a step of this length that kept this share of the gain that was expected."""
    damping, far = before.damping, is_far(before)
    shrunk = jnp.maximum(jnp.where(far, GENTLE, 0.1) * damping, BOLDEST)
    bolder = jnp.where(kept > 0.75, shrunk, jnp.where(kept > 0.25, damping, 4.0 * damping))
    bolder = jnp.where(length < 0.7, damping * factor_of(length), bolder)
    after = jnp.where(is_accepted, bolder, jnp.maximum(10.0 * damping, jnp.where(far, FOOTHOLD, fresh)))
    return jnp.where(is_forced & is_accepted, jnp.minimum(damping, fresh), after)


def is_finite(there: Evaluation) -> Bool[Array, " B"]:
    """Return in which lanes value, gradient, curvature and metric are all finite."""
    fine = jnp.isfinite(there.value) & jnp.all(jnp.isfinite(there.gradient), axis=1)
    return fine & jnp.all(jnp.isfinite(there.curvature), axis=(1, 2)) & jnp.all(jnp.isfinite(there.metric), axis=(1, 2))

"""The one loop that minimises: steps, acceptance, finiteness, the scale's descent, and status, for every method."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxscale.numerics import small_spd
from jaxscale.solvers.model import ROUNDING, Model, predict
from jaxscale.solvers.problem import Evaluation, Problem, Row, Tree, evaluate
from jaxscale.status import RUNNING, Status

SETTLED = 1e-3
"""Newton decrement, relative to the value, at which a stage is good enough to lower the scale. It must also be less
than what one row at the bend of the score contributes: the next stage resolves misses of that size."""
FINE = 1e-14
"""Newton decrement, relative to the value, at which a lane takes its last step, Newton's own."""
CONFIRMED = 1e-9
"""Newton decrement, relative to the value, above which no lane is called converged."""
LOWERING = 0.2
"""Factor from one stage's scale to the next."""
WIDE = 10.0
"""First scale of a cold lane in units of its mean absolute miss: nearly every row counts by its square."""
BOLDEST = 1e-15
"""Least damping, so that a lane given back its damping goes on with it."""
NEAR = 0.3
"""Newton decrement, relative to the value, within which least squares are steered by their exact Hessian."""
GENTLE = 0.3
"""Factor of the damping after a good step far from a minimum; one of 0.1 there has every second step refused."""
FOOTHOLD = 1e-6
"""Least damping after a refused step far from a minimum: a valley may ask for that little, and ten steps up to it are
better than five down to it each time."""
PIVOT = 1e-11
"""Pivot of the curvature, relative to the metric, below which a direction is not identified: the last pivot of an
exactly singular matrix is rounding over the square of the null vector's last component, 3e-13 in practice."""
REACH = 1e-13
"""Pivot of the metric, relative to its diagonal, below which two coordinates change the predictions alike: the
curvature cannot say so, since the remaining gradient fills in for a missing direction."""
INSENSITIVE = 1e-12
"""Squared effect of a coordinate, relative to the value, below which it changes no prediction."""


class Goal(NamedTuple):
    """The scale to end at: the larger of `least` and `relative` times the lane's mean absolute miss; scalars."""

    least: jax.Array | np.float64
    relative: jax.Array | np.float64


class Lanes(NamedTuple):
    """A batch in motion.

    theta (B, p); scale (B,), 0 for "not chosen yet"; damping (B,), the method's own memory of how bold to be;
    is_final (B,): the score bends, and at its last scale; here: the evaluation at theta; decrement (B,); status (B,)
    int32, `RUNNING` while it moves; steps (B,) int32; memory: the method's own pytree, leaves (B, …), or None.
    """

    theta: Float[Array, "B p"]
    scale: Float[Array, " B"]
    damping: Float[Array, " B"]
    is_final: Bool[Array, " B"]
    here: Evaluation
    decrement: Float[Array, " B"]
    status: Int[Array, " B"]
    steps: Int[Array, " B"]
    memory: Tree = None


class Early(NamedTuple):
    """The model that makes the first evaluations of lanes that all begin at its base, and how many: 0 for others."""

    model: Model
    steps: Int[Array, ""]


class Method(Protocol):
    """Where to go next: a pair of pure functions and the damping of a fresh lane."""

    @property
    def fresh_damping(self) -> float:
        """The damping of a lane that has not moved yet."""
        ...

    @property
    def max_steps(self) -> int:
        """Evaluations after which a lane is given up."""
        ...

    @property
    def needs_only_here(self) -> bool:
        """Whether proposals come from evaluations alone, never from the rows: a model may then stand in for them."""
        ...

    def propose(
        self, problem: Problem, rows: Row, weight: jax.Array, active: jax.Array, lanes: Lanes
    ) -> tuple[jax.Array, jax.Array, Tree]:
        """Return trial points (B, p), the gain (B,) that the method's model promises there, and its new memory."""
        ...

    def start(self, lanes: Lanes) -> Tree:
        """Return the memory of a fresh batch: a pytree with leading axis B, or None."""
        ...


def begin(
    method: Method,
    theta: Float[Array, "B p"] | Float[np.ndarray, "B p"],
    scale: Float[Array, " B"] | Float[np.ndarray, " B"],
) -> Lanes:
    """Return lanes that have not moved yet; NumPy in, NumPy out, but for the memory of a method that has one.

    scale: (B,) first scale of the objective, or 0 to choose it from the lane's own misses.
    """
    of: Any = theta.__array_namespace__()
    lanes, size = theta.shape
    nothing = of.zeros((lanes,), dtype=theta.dtype)
    square = of.zeros((lanes, size, size), dtype=theta.dtype)
    unknown = Evaluation(nothing + of.inf, of.zeros_like(theta), square, square, nothing)
    count = of.zeros((lanes,), dtype=of.int32)
    damping = nothing + method.fresh_damping
    fresh = Lanes(
        of.asarray(theta), of.asarray(scale), damping, nothing > 0, unknown, nothing + of.inf, count + RUNNING, count
    )
    return fresh._replace(memory=method.start(fresh))


def minimise(
    problem: Problem,
    method: Method,
    rows: Row,
    weight: Float[Array, "B n"],
    lanes: Lanes,
    active: Float[Array, " p"],
    edged: Bool[Array, " p"],
    goal: Goal,
    noise: Float[Array, ""],
    max_steps: Int[Array, ""],
    early: Early | None = None,
) -> Lanes:
    """Move every lane until it ends or max_steps evaluations have passed; lanes that still move stay RUNNING.

    lanes: from `begin`, or as returned before: a lane that is RUNNING goes on as if it had not been interrupted.
    edged: (p,) the coordinates whose far ends are edges of a support.   noise: the miss that rounding alone produces,
    in the units of the residual.   early: a model to begin with; a lane that it led uphill begins again where it began.
    Never raises for numerical reasons; a lane that is not finite leaves its neighbours bit-identical.
    """
    mass = jnp.sum(weight, axis=1)
    share = mass / jnp.maximum(jnp.sum(weight > 0, axis=1), 1)
    light = weight.astype(jnp.float32)
    begun = lanes
    early_steps = jnp.zeros((), jnp.int32) if early is None else early.steps

    def keep_going(carry: tuple[Lanes, jax.Array, jax.Array]) -> Bool[Array, ""]:
        lanes, _, count = carry
        return jnp.any(lanes.status == RUNNING) & (count < max_steps)

    def advance(carry: tuple[Lanes, jax.Array, jax.Array]) -> tuple[Lanes, jax.Array, jax.Array]:
        before, bar, count = carry
        is_early = count < early_steps  # until the turn theta is the model's z
        is_turn = (count == early_steps) & (early_steps > 0)
        is_first = jnp.isinf(before.here.value)
        target = jnp.maximum(goal.least, goal.relative * before.here.spread)
        is_unscaled = ~is_first & (before.scale == 0)
        bend = share * problem.rho(before.scale, before.scale).value
        proposed, promise, memory = method.propose(problem, rows, weight, active, before)
        floor = mass * problem.rho(noise, jnp.maximum(before.scale, goal.least)).value
        nothing = FINE * before.here.value + floor
        is_stuck = jnp.isinf(before.decrement) & (promise <= nothing)  # flat or a saddle: `judge` says which
        is_settled = before.decrement <= jnp.minimum(SETTLED * before.here.value, bend)
        is_above = before.scale > target * (1 + 1e-6)
        is_lowered = ~is_first & ~is_early & ~is_turn & (is_settled | is_stuck) & is_above
        chosen = jnp.where(is_unscaled, jnp.maximum(target, WIDE * before.here.spread), before.scale)
        new_scale = jnp.where(is_lowered, jnp.maximum(target, LOWERING * before.scale), chosen)
        trial = jnp.where((is_first | is_unscaled)[:, None], before.theta, proposed)
        used = jnp.where(new_scale > 0, new_scale, jnp.maximum(goal.least, 1.0))
        if early is None:
            there = evaluate(problem, rows, trial, weight, used, active)
        else:
            trial = jnp.where(is_turn, early.model.theta(before.theta), trial)
            memory = jax.tree.map(partial(jnp.where, is_turn), begun.memory, memory)  # what it learnt was in z
            there = jax.lax.cond(
                is_early,
                lambda: predict(problem, early.model, trial, light, used, active),
                lambda: evaluate(problem, rows, trial, weight, used, active),
            )

        is_finite = _finite(there)
        tilt = mass * problem.rho(before.here.spread, new_scale).slope  # bounds the sum of slopes: concave in |r|
        error = jnp.where(is_early, ROUNDING * before.here.spread, noise)
        slack = error * tilt + floor  # what rounding may add to a value that has not changed
        gain = before.here.value - there.value
        is_better = there.value <= before.here.value + slack
        is_forced = is_first | is_unscaled | is_lowered | is_turn
        is_accepted = is_finite & (is_forced | is_better)
        is_last = ((before.decrement <= nothing) | is_stuck) & ~is_forced & (before.scale > 0)
        status = jnp.where(is_last, int(Status.CONVERGED), RUNNING)
        status = jnp.where((is_first | is_unscaled) & ~is_finite, int(Status.NON_FINITE), status)
        status = jnp.where((before.damping > 1e10) & ~is_accepted & ~is_last, int(Status.STALLED), status)
        here = _select(is_accepted, there, before.here)
        moved = Lanes(
            theta=jnp.where(is_accepted[:, None], trial, before.theta),
            scale=jnp.where(is_accepted, new_scale, before.scale),
            damping=_learn(before, gain / promise, is_accepted, is_forced, method.fresh_damping),
            is_final=jnp.isfinite(new_scale) & (new_scale <= target * (1 + 1e-6)),
            here=here,
            decrement=_decrement(here),
            status=jnp.where(is_early | is_turn, RUNNING, status).astype(jnp.int32),
            steps=before.steps + 1,
            memory=memory,
        )
        bar = jnp.where(is_early & (count == 0), there.value, bar)
        is_misled = is_turn & ~(is_finite & (there.value <= bar + slack))
        moved = _select(is_misled, begun._replace(steps=moved.steps), moved)
        return _select(before.status == RUNNING, moved, before), bar, count + 1

    start = lanes._replace(theta=jnp.where(early_steps > 0, 0.0, lanes.theta))
    lanes, _, _ = jax.lax.while_loop(keep_going, advance, (start, begun.here.value, jnp.zeros((), jnp.int32)))
    return lanes._replace(status=judge(lanes, edged, mass * problem.rho(noise, lanes.scale).value))


def judge(lanes: Lanes, edged: Bool[Array, " p"], floor: Float[Array, " B"]) -> Int[Array, " B"]:
    """Return the final status (B,) of each lane, from its value, gradient and curvature and nothing else.

    A coordinate that no longer changes any prediction is at a bound, if coming back from there would raise the
    objective: a term that vanishes exponentially has a curvature of the sign of its coefficient. The other coordinates
    must form a strict minimum with a Newton decrement at rounding.   floor: (B,) the objective of rounding alone.
    """
    here = lanes.here
    effect = jnp.diagonal(here.metric, axis1=1, axis2=2)
    is_inert = edged & (effect <= INSENSITIVE * here.value[:, None])
    keep = ~is_inert
    both = keep[:, :, None] & keep[:, None, :]
    alone = jax.vmap(jnp.diag)(is_inert.astype(here.value.dtype))
    unit = jnp.where(is_inert | (effect <= 0), 1.0, effect)  # a curvature of nothing but rounding is no curvature
    gradient = jnp.where(keep, here.gradient, 0.0)
    step, pivot = small_spd.solve(jnp.where(both, here.curvature, 0.0) + alone, gradient, unit=unit)
    _, reach = small_spd.solve(jnp.where(both, here.metric, 0.0) + alone, gradient, unit=unit)
    decrement = 0.5 * jnp.sum(step * here.gradient * keep, axis=1)
    status = jnp.where(jnp.any(is_inert, axis=1), int(Status.AT_BOUND), int(Status.CONVERGED))
    status = jnp.where(decrement <= CONFIRMED * here.value + floor, status, int(Status.STALLED))
    is_wrong_way = is_inert & (jnp.diagonal(here.curvature, axis1=1, axis2=2) <= 0)
    is_strict = (pivot > PIVOT) & (reach > REACH) & ~jnp.any(is_wrong_way, axis=1)
    status = jnp.where(is_strict, status, int(Status.SINGULAR))
    return jnp.where(lanes.status == int(Status.CONVERGED), status, lanes.status).astype(jnp.int32)


def is_far(lanes: Lanes) -> Bool[Array, " B"]:
    """Return which lanes are least squares, a score that never bends, and not near a minimum yet."""
    return jnp.isinf(lanes.scale) & ~(lanes.decrement <= NEAR * lanes.here.value)


def _decrement(here: Evaluation) -> Float[Array, " B"]:
    """Return half the squared Newton decrement, the gain that the quadratic model promises; inf off convexity."""
    step, pivot = small_spd.solve(here.curvature, here.gradient)
    gain = 0.5 * jnp.sum(step * here.gradient, axis=1)
    return jnp.where(pivot > 0, gain, jnp.inf)


def _learn(
    before: Lanes, kept: jax.Array, is_accepted: jax.Array, is_forced: jax.Array, fresh: float
) -> Float[Array, " B"]:
    """Return the damping after a step that kept this share of the gain its model promised."""
    damping, far = before.damping, is_far(before)
    shrunk = jnp.maximum(jnp.where(far, GENTLE, 0.1) * damping, BOLDEST)
    bolder = jnp.where(kept > 0.75, shrunk, jnp.where(kept > 0.25, damping, 4.0 * damping))
    after = jnp.where(is_accepted, bolder, jnp.maximum(10.0 * damping, jnp.where(far, FOOTHOLD, fresh)))
    return jnp.where(is_forced & is_accepted, jnp.minimum(damping, fresh), after)


def _finite(there: Evaluation) -> Bool[Array, " B"]:
    fine = jnp.isfinite(there.value) & jnp.all(jnp.isfinite(there.gradient), axis=1)
    return fine & jnp.all(jnp.isfinite(there.curvature), axis=(1, 2)) & jnp.all(jnp.isfinite(there.metric), axis=(1, 2))


def _select(mask: Bool[Array, " B"], yes: Tree, no: Tree) -> Tree:
    """Return the pytree that takes `yes` in the lanes of mask and `no` elsewhere."""
    return jax.tree.map(lambda a, b: jnp.where(mask.reshape(mask.shape + (1,) * (a.ndim - 1)), a, b), yes, no)

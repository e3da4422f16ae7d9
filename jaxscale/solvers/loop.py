"""The one loop that minimises: steps, acceptance, finiteness, the scale's descent, and status, for every method."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxscale.numerics import small_spd
from jaxscale.solvers.problem import Evaluation, Problem, Row, Tree, evaluate, select
from jaxscale.status import RUNNING, Status

SETTLED = 1e-3
"""Newton decrement, relative to the value, at which a stage is good enough to lower the scale. It must also be less
than what one row at the threshold of rho contributes: the next stage resolves residuals of that size."""
FINE = 1e-14
"""Newton decrement, relative to the value, at which a lane takes its last step, Newton's own."""
CONFIRMED = 1e-9
"""Newton decrement, relative to the value, above which no lane is called converged."""
LOWERING = 0.2
"""Factor from one stage's scale to the next."""
WIDE = 10.0
"""First scale of a cold lane in units of its mean absolute residual: nearly every row counts by its square."""
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


class Tolerances(NamedTuple):
    """Where a lane ends; scalars.

    The last scale is the larger of `min_scale` and `relative_scale` times the lane's mean absolute residual.
    decrement: a Newton decrement, relative to the value, below which a lane ends where it stands, without the last
    step; 0 for never.
    """

    min_scale: jax.Array | np.float64
    relative_scale: jax.Array | np.float64
    decrement: jax.Array | np.float64


class Lanes(NamedTuple):
    """A batch in motion.

    theta (B, p); scale (B,), 0 for "not chosen yet"; damping (B,), the method's own memory of how bold to be;
    is_final (B,): rho has a scale, and is at its last one; here: the evaluation at theta; decrement (B,); status (B,)
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

    scale: (B,) first scale of the objective, or 0 to choose it from the lane's own residuals.
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
    most = jnp.full_like(lanes.scale, jnp.inf)
    moved = move(problem, method, rows, weight, lanes, active, tolerances, rounding, max_steps, most)
    return judge(problem, moved, bounded, jnp.sum(weight, axis=1), rounding)


def move(
    problem: Problem,
    method: Method,
    rows: Row,
    weight: Float[Array, "B n"],
    lanes: Lanes,
    active: Float[Array, " p"],
    tolerances: Tolerances,
    rounding: Float[Array, ""],
    max_steps: Int[Array, ""],
    most: Float[Array, " B"],
) -> Lanes:
    """Move every lane until it ends or max_steps evaluations have passed; that it CONVERGED is for `judge` to confirm.

    lanes: from `begin`, or as returned before: a lane that is RUNNING goes on as if it had not been interrupted.
    most: (B,) the highest value at which a lane may begin; one that begins higher is STALLED there.
    A lane that is not finite leaves its neighbours bit-identical.
    """
    mass = jnp.sum(weight, axis=1)
    share = mass / jnp.maximum(jnp.sum(weight > 0, axis=1), 1)

    def keep_going(carry: tuple[Lanes, jax.Array]) -> Bool[Array, ""]:
        lanes, count = carry
        return jnp.any(lanes.status == RUNNING) & (count < max_steps)

    def advance(carry: tuple[Lanes, jax.Array]) -> tuple[Lanes, jax.Array]:
        before, count = carry
        is_first = jnp.isinf(before.here.value)
        target = jnp.maximum(tolerances.min_scale, tolerances.relative_scale * before.here.spread)
        is_unscaled = ~is_first & (before.scale == 0)
        bend = share * problem.rho(before.scale, before.scale).value
        proposed, promise, memory = method.propose(problem, rows, weight, active, before)
        least = jnp.maximum(before.scale, tolerances.min_scale)
        blur = _blur(problem, before, least, mass, rounding)
        floor = mass * problem.rho(blur, least).value
        nothing = FINE * before.here.value + floor
        is_stuck = jnp.isinf(before.decrement) & (promise <= nothing)  # flat or a saddle: `judge` says which
        is_settled = before.decrement <= jnp.minimum(SETTLED * before.here.value, bend)
        is_above = before.scale > target * (1 + 1e-6)
        is_lowered = ~is_first & (is_settled | is_stuck) & is_above
        chosen = jnp.where(is_unscaled, jnp.maximum(target, WIDE * before.here.spread), before.scale)
        new_scale = jnp.where(is_lowered, jnp.maximum(target, LOWERING * before.scale), chosen)
        trial = jnp.where((is_first | is_unscaled)[:, None], before.theta, proposed)
        used = jnp.where(new_scale > 0, new_scale, jnp.maximum(tolerances.min_scale, 1.0))
        there = evaluate(problem, rows, trial, weight, used, active)

        is_finite = _finite(there)
        tilt = mass * problem.rho(before.here.spread, new_scale).psi  # bounds the sum of slopes: concave in |r|
        slack = blur * tilt + floor  # what rounding may add to a value that has not changed
        gain = before.here.value - there.value
        is_better = there.value <= before.here.value + slack
        is_forced = is_first | is_unscaled | is_lowered
        is_accepted = is_finite & (is_forced | is_better)
        is_last = ((before.decrement <= nothing) | is_stuck) & ~is_forced & (before.scale > 0)
        here = select(is_accepted, there, before.here)
        decrement = _decrement(here)
        is_above = new_scale > jnp.maximum(tolerances.min_scale, tolerances.relative_scale * here.spread) * (1 + 1e-6)
        is_close = (decrement < tolerances.decrement * here.value) & is_accepted & ~is_above & (new_scale > 0)
        status = jnp.where(is_last | is_close, int(Status.CONVERGED), RUNNING)
        status = jnp.where((is_first | is_unscaled) & ~is_finite, int(Status.NON_FINITE), status)
        status = jnp.where(is_first & is_finite & (there.value > most), int(Status.STALLED), status)
        status = jnp.where((before.damping > 1e10) & ~is_accepted & ~is_last, int(Status.STALLED), status)
        moved = Lanes(
            theta=jnp.where(is_accepted[:, None], trial, before.theta),
            scale=jnp.where(is_accepted, new_scale, before.scale),
            damping=_learn(before, gain / promise, is_accepted, is_forced, method.fresh_damping),
            is_final=jnp.isfinite(new_scale) & (new_scale <= target * (1 + 1e-6)),
            here=here,
            decrement=decrement,
            status=status.astype(jnp.int32),
            steps=before.steps + 1,
            memory=memory,
        )
        return select(before.status == RUNNING, moved, before), count + 1

    lanes, _ = jax.lax.while_loop(keep_going, advance, (lanes, jnp.zeros((), jnp.int32)))
    return lanes


def judge(
    problem: Problem, lanes: Lanes, bounded: Bool[Array, " p"], mass: Float[Array, " B"], rounding: Float[Array, ""]
) -> Lanes:
    """Return the lanes, those that converged with a final status from value, gradient and curvature and nothing else.

    A coordinate that no longer changes any prediction is at a bound, if coming back from there would raise the
    objective: a term that vanishes exponentially has a curvature of the sign of its coefficient. The other coordinates
    must form a strict minimum with a Newton decrement at rounding.   mass: (B,) each lane's weight.   rounding: as in
    `minimise`.
    """
    here, blur = lanes.here, _blur(problem, lanes, lanes.scale, mass, rounding)
    floor = mass * problem.rho(blur, lanes.scale).value
    effect = jnp.diagonal(here.metric, axis1=1, axis2=2)
    is_inert = bounded & (effect <= INSENSITIVE * here.value[:, None])
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
    final = jnp.where(lanes.status == int(Status.CONVERGED), status, lanes.status)
    return lanes._replace(status=final.astype(jnp.int32))


def is_far(lanes: Lanes) -> Bool[Array, " B"]:
    """Return which lanes are least squares and not near a minimum yet."""
    return jnp.isinf(lanes.scale) & ~(lanes.decrement <= NEAR * lanes.here.value)


def _blur(
    problem: Problem, lanes: Lanes, scale: Float[Array, " B"], mass: Float[Array, " B"], rounding: Float[Array, ""]
) -> Float[Array, " B"]:
    """Return the residual that rounding alone produces: of the targets, and of each coordinate by what a row sees of
    it.
    """
    unit = problem.rho(jnp.zeros_like(scale), scale).curvature  # what a small residual weighs in the metric
    effect = jnp.diagonal(lanes.here.metric, axis1=1, axis2=2)
    seen = jnp.sqrt(effect / (unit * mass)[:, None])
    return rounding + jnp.finfo(seen.dtype).eps * jnp.sum(jnp.abs(lanes.theta) * seen, axis=1)


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

"""The best split of one budget, for any law that trades params for tokens: pure, and differentiable in everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxscale.allocation.splits import Split, check_held, check_trade_off, held_inputs
from jaxscale.laws import LAWS, Law
from jaxscale.precision import plainly

GRID = 64
"""Points that bracket the optimum before Newton's method starts: a law need not be convex, only smooth."""
ALIKE = 16.0
"""Differences between losses, in units of their rounding, that say nothing."""
STEPS = 60
"""Safeguarded Newton steps at most; a step that leaves the bracket is replaced by bisection."""

Search: TypeAlias = tuple[jax.Array, jax.Array, jax.Array, jax.Array, jax.Array]
"""Both ends of the bracket, the point, how far it moved last, and the steps so far."""


class Allocation(NamedTuple):
    """The optimum on a budget, scalars: ln N, N, D, loss in nats per token, and whether it lies inside the range.

    is_interior is False where no interior optimum exists between one param and one token, or none that can be told
    from its neighbours; the numbers are then those at the better end, and derivatives of log_params are zero.
    is_lowest is False where there is one, but the law promises less loss still at one param or one token.
    """

    log_params: jax.Array
    params: jax.Array
    tokens: jax.Array
    loss: jax.Array
    is_interior: jax.Array
    is_lowest: jax.Array


@plainly
def allocate(
    law: Law | str,
    coefs: Mapping[str, ArrayLike] | str,
    *,
    flops: ArrayLike,
    held: Mapping[str, ArrayLike] | None = None,
) -> Allocation:
    """Return the params and tokens that minimise the law's loss on C = 6 N D, or on the law's own price.

    Where the law promises less loss still at one param or one token, it is the best split between (`is_lowest`).

    coefs: name → scalar, or the name of a published set.   flops: scalar C.   held: the law's other inputs, which the
    budget does not decide, name → scalar.   For use under the caller's jit, vmap and grad, there in the caller's
    precision: in float32 ln N is good to about 1e-6, so wrap calls in `jax.enable_x64(True)` where that matters. Of
    plain numbers alone it is computed in float64 and returned as NumPy's.   Derivatives
    are those of the implicit function dL/d ln N = 0, not of the iteration.   Not checked: that flops, coefs and held
    are positive.   Raises UsageError for a law without a trade-off, and for missing or unknown coefs or held inputs.
    """
    law, held = LAWS.resolve(law), held or {}
    coefs = law.given(coefs)
    check_trade_off(law)
    check_held(law, held)
    law.check_names(coefs)
    log_flops = jnp.log(jnp.asarray(float(flops) if isinstance(flops, int) else flops))  # 10**24 is no int64
    given = [jnp.asarray(value) for value in (*coefs.values(), *held.values())]
    dtype = jnp.result_type(log_flops, *given)
    ordered = tuple(jnp.asarray(coefs[name], dtype) for name in law.names)
    beside = tuple(jnp.asarray(held[name], dtype) for name in held_inputs(law))
    split = Split.of(law, log_flops.astype(dtype), ordered, beside)
    constant = jax.lax.stop_gradient(split)
    low, high, is_interior, is_lowest = _bracket(law, constant)

    def slope(log_params: jax.Array) -> jax.Array:
        return jax.grad(split.loss, argnums=1)(law, log_params)

    def find(function: object, start: jax.Array) -> jax.Array:
        return _newton(law, low, high, constant)

    def tangent(linear: object, right: jax.Array) -> jax.Array:
        bend = jax.jvp(linear, (right,), (jnp.ones_like(right),))[1]  # type: ignore[arg-type]
        return jnp.where(is_interior & (bend != 0), right / jnp.where(bend == 0, 1.0, bend), 0.0)

    inside = jax.lax.custom_root(slope, 0.5 * (low + high), find, tangent)
    return _allocation(law, jnp.where(is_interior, inside, low), is_interior, is_lowest, split)


def optima(law: Law, argument: tuple[jax.Array, jax.Array, jax.Array]) -> Allocation:
    """Return the allocation of R sets of coefs (R, p) on b budgets (b,), each field (R, b), without derivatives.

    The argument is coefs, budgets and the held inputs (h,).
    """
    sets, budgets, held = argument

    def one(coefs: jax.Array, flops: jax.Array) -> Allocation:
        split = Split.of(law, jnp.log(flops), tuple(coefs), tuple(held))
        low, high, is_interior, is_lowest = _bracket(law, split)
        inside = _newton(law, low, high, split)
        return _allocation(law, jnp.where(is_interior, inside, low), is_interior, is_lowest, split)

    return jax.vmap(jax.vmap(one, in_axes=(None, 0)), in_axes=(0, None))(sets, budgets)


def losses(law: Law, argument: tuple[jax.Array, jax.Array, jax.Array]) -> jax.Array:
    """Return the losses (R, b) of a law of flops alone, for coefs (R, p), budgets (b,) and held inputs (h,)."""
    sets, budgets, held = argument

    def one(coefs: jax.Array, flops: jax.Array) -> jax.Array:
        inputs = {"flops": flops, **dict(zip(held_inputs(law), held, strict=True))}
        return law.loss(*(inputs[name] for name in law.inputs), **dict(zip(law.names, coefs, strict=True)))

    return jax.vmap(jax.vmap(one, in_axes=(None, 0)), in_axes=(0, None))(sets, budgets)


def _allocation(
    law: Law, log_params: jax.Array, is_interior: jax.Array, is_lowest: jax.Array, split: Split
) -> Allocation:
    tokens = jnp.exp(split.log_product - log_params)
    return Allocation(log_params, jnp.exp(log_params), tokens, split.loss(law, log_params), is_interior, is_lowest)


def _bracket(law: Law, split: Split) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """Return ln N on both sides of the optimum, whether it is inside, and whether no point of GRID lies lower.

    GRID points between one param and one token are tried.

    Where several points are the lowest to rounding, it is between those at which the slope turns: that is computed from
    what is left of each term. Where the slope is nothing too, the loss is flat in every digit and there is no telling.
    Where the loss is least at an end, out of reach of any run, but has a dip inside, the lowest dip is meant.
    """
    share = jnp.linspace(0.0, 1.0, GRID, dtype=split.log_product.dtype)
    points = share * split.log_product
    losses, slopes = jax.vmap(jax.value_and_grad(lambda point: split.loss(law, point)))(points)
    losses = jnp.where(jnp.isnan(losses), jnp.inf, losses)
    best = jnp.argmin(losses)
    is_level = losses <= losses[best] + ALIKE * jnp.finfo(losses.dtype).eps * jnp.abs(losses[best])
    is_near = is_level[:-1] | is_level[1:]
    turns = (slopes[:-1] < 0) & (slopes[1:] >= 0) & is_near
    turn, has_turn = jnp.argmax(turns), jnp.any(turns)
    is_flat = jnp.any(is_level & (slopes == 0)) & (jnp.sum(is_level) > 1)
    is_interior = (has_turn | ((best > 0) & (best < GRID - 1))) & ~is_flat & (split.log_product > 0)
    slack = ALIKE * jnp.finfo(losses.dtype).eps * jnp.abs(losses[1:-1])
    is_dip = (losses[1:-1] < losses[:-2] - slack) & (losses[1:-1] < losses[2:] - slack)
    is_dip &= jnp.isfinite(losses[:-2]) & jnp.isfinite(losses[2:])
    is_lowest = is_interior | ~jnp.any(is_dip) | is_flat | ~(split.log_product > 0)
    best = jnp.where(is_lowest, best, 1 + jnp.argmin(jnp.where(is_dip, losses[1:-1], jnp.inf)))
    is_interior = is_interior | ~is_lowest
    left = jnp.where(has_turn, turn, jnp.maximum(best - 1, 0))
    right = jnp.where(has_turn, turn + 1, jnp.minimum(best + 1, GRID - 1))
    low = jnp.where(is_interior, points[left], points[best])
    high = jnp.where(is_interior, points[right], points[best])
    return low, high, is_interior, is_lowest


def _newton(law: Law, low: jax.Array, high: jax.Array, split: Split) -> jax.Array:
    """Return the root of dL/d ln N in [low, high] by Newton's method, by bisection where it would leave."""

    def slope(point: jax.Array) -> jax.Array:
        return jax.grad(split.loss, argnums=1)(law, point)

    def keep_going(state: Search) -> jax.Array:
        left, right, _, moved, count = state
        return (count < STEPS) & (jnp.abs(moved) > 2.0 * jnp.finfo(moved.dtype).eps * jnp.abs(right)) & (right > left)

    def advance(state: Search) -> Search:
        left, right, point, _, count = state
        here, bend = jax.jvp(slope, (point,), (jnp.ones_like(point),))
        left, right = jnp.where(here < 0, point, left), jnp.where(here < 0, right, point)
        step = point - here / jnp.where(bend == 0, 1.0, bend)
        is_safe = (bend > 0) & (step > left) & (step < right)
        following = jnp.where(is_safe, step, 0.5 * (left + right))
        following = jnp.where(here == 0, point, following)
        return left, right, following, following - point, count + 1

    start = (low, high, 0.5 * (low + high), high - low, jnp.zeros((), jnp.int32))
    return jax.lax.while_loop(keep_going, advance, start)[2]

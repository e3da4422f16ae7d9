"""The best split of one budget, for any law that trades params for tokens: pure, and differentiable in everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxscale.allocation.inputs import check_fixed, check_trade_off
from jaxscale.allocation.split import Split
from jaxscale.costs.training import fixed_inputs
from jaxscale.laws import LAWS, Law
from jaxscale.precision import plainly

GRID = 64
"""Points between which optima are looked for: a law need not be convex, only smooth."""
MOST = 8
"""Places at most in which an optimum is looked for, those with the lowest losses first."""
ALIKE = 16.0
"""Differences between losses, in units of their rounding, that say nothing."""
STEPS = 60
"""Safeguarded Newton steps at most; a step that leaves the bracket is replaced by bisection."""
LEAST_HALVINGS = 4
"""Halvings before the curvature decides that a slope of one sign at both ends has the other nowhere between."""

Search: TypeAlias = tuple[jax.Array, jax.Array, jax.Array, jax.Array, jax.Array, jax.Array, jax.Array]
"""Both ends of the bracket, the point, how far it moved last, the steps so far, the side (`_descend`), the loss."""
Look: TypeAlias = tuple[jax.Array, jax.Array, jax.Array, jax.Array]
"""How many places were looked at, the losses at those that wait (GRID - 1,), ln N of the lowest, and its loss."""


class Found(NamedTuple):
    """ln N of the lowest optimum inside, else of the better end; the last two as in `Allocation`."""

    log_params: jax.Array
    is_interior: jax.Array
    is_lowest: jax.Array


class Allocation(NamedTuple):
    """The optimum on one budget; every field is a scalar.

    Attributes
    ----------
    log_params
        ln N at the optimum. Its derivatives are zero where is_interior is False.
    params, tokens
        N and D at the optimum.
    loss
        The law's loss there, in nats per token.
    is_interior
        False where no interior optimum exists between one param and one token, or none that can be told from its
        neighbours; the numbers are then those at the better end. So in float32 at 9e18 tokens, whose square is too big.
    is_lowest
        False where there is an interior optimum, but the law promises less loss still at one param or one token.
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
    fixed: Mapping[str, ArrayLike] | None = None,
) -> Allocation:
    """Return the params and tokens that minimise the law's loss on C = 6 N D, or on the law's own price.

    Where the law promises less loss still at one param or one token, it is the best split between (`is_lowest`).
    For use under the caller's jit, vmap and grad, there in the caller's precision: in float32 ln N is good to 1e-6, so
    wrap calls in `jax.enable_x64(True)`. Of plain numbers alone it is computed in float64 and returned as NumPy's.

    Parameters
    ----------
    law
        A law that trades params for tokens, or its name.
    coefs
        Name → scalar, or the name of a published set.
    flops
        The budget C, a scalar in FLOP.
    fixed
        The law's other inputs, which the budget does not decide, name → scalar.

    Returns
    -------
    Allocation
        Scalars: ln N, N, D, the loss, and whether the optimum is inside and lowest.

    Raises
    ------
    UsageError
        For a law without a trade-off, and for missing or unknown coefs or fixed inputs.

    Notes
    -----
    Derivatives are those of the implicit function dL/d ln N = 0. Not checked: that flops, coefs, fixed are positive.

    Examples
    --------
    >>> best = js.allocate("chinchilla", "besiroglu2024", flops=1e22)
    >>> print(f"{best.params:.3g} params, {best.tokens:.3g} tokens")
    9.05e+09 params, 1.84e+11 tokens
    """
    law, fixed = LAWS.resolve(law), fixed or {}
    coefs = law.given(coefs)
    check_trade_off(law)
    check_fixed(law, fixed)
    law.check_names(coefs)
    log_flops = jnp.log(jnp.asarray(float(flops) if isinstance(flops, int) else flops))  # 10**24 is no int64
    given = [jnp.asarray(value) for value in (*coefs.values(), *fixed.values())]
    dtype = jnp.result_type(log_flops, *given)
    ordered = tuple(jnp.asarray(coefs[name], dtype) for name in law.names)
    beside = tuple(jnp.asarray(fixed[name], dtype) for name in fixed_inputs(law))
    return _compiled(law)(log_flops.astype(dtype), ordered, beside)


@lru_cache(maxsize=64)
def _compiled(law: Law) -> Callable[..., Allocation]:
    """Return `_best` of a law as one program: evaluated op by op, each op would be compiled for itself."""
    return jax.jit(partial(_best, law))


def _best(law: Law, log_flops: jax.Array, coefs: tuple[jax.Array, ...], fixed: tuple[jax.Array, ...]) -> Allocation:
    """Return the allocation of one budget, differentiable by the implicit function; coefs and fixed as in `Split`."""
    split = Split.of(law, log_flops, coefs, fixed)
    found = _lowest(law, jax.lax.stop_gradient(split))
    largest = jnp.maximum(found.log_params, split.log_product - found.log_params)
    is_held = largest < -0.5 * jnp.log(jnp.finfo(largest.dtype).tiny)  # second derivatives have squares of sizes
    found = found._replace(is_interior=found.is_interior & is_held)

    def slope(log_params: jax.Array) -> jax.Array:
        return split.slope(law, log_params)[1]

    def tangent(linear: object, right: jax.Array) -> jax.Array:
        bend = jax.jvp(linear, (right,), (jnp.ones_like(right),))[1]  # type: ignore[arg-type]
        known = found.is_interior & (bend != 0)
        return jnp.where(known, right / jnp.where(known, bend, 1.0), 0.0)

    log_params = jax.lax.custom_root(slope, found.log_params, lambda _, start: start, tangent)
    return _allocation(law, found._replace(log_params=log_params), split)


def optima(law: Law, argument: tuple[jax.Array, jax.Array, jax.Array]) -> Allocation:
    """Return the allocation of R sets of coefs (R, p) on b budgets (b,), each field (R, b), without derivatives.

    The argument is coefs, budgets and the fixed inputs (h,).
    """
    sets, budgets, fixed = argument

    def one(coefs: jax.Array, flops: jax.Array) -> Allocation:
        split = Split.of(law, jnp.log(flops), tuple(coefs), tuple(fixed))
        return _allocation(law, _lowest(law, split), split)

    return jax.vmap(jax.vmap(one, in_axes=(None, 0)), in_axes=(0, None))(sets, budgets)


def optimum_of_each(law: Law, argument: tuple[jax.Array, jax.Array, jax.Array]) -> Allocation:
    """Return the allocation of each set of coefs (B, p) on its own budget (B,), fields (B,); else as `optima`."""
    sets, budgets, fixed = argument
    found = jax.vmap(lambda coefs, flops: optima(law, (coefs[None], flops[None], fixed)))(sets, budgets)
    return jax.tree.map(lambda field: field[:, 0, 0], found)


def _allocation(law: Law, found: Found, split: Split) -> Allocation:
    at = found.log_params
    params, tokens = jnp.exp(at), jnp.exp(split.log_product - at)
    return Allocation(at, params, tokens, split.loss(law, at), found.is_interior, found.is_lowest)


def _lowest(law: Law, split: Split) -> Found:
    """Return the lowest optimum between one param and one token, of those between every two of GRID points.

    One lies where the slope turns from falling to rising; others may lie where `_may_hide` says so. The slope is
    computed from what is left of each term, so that it turns where the loss shows no digit of it any more. Where it is
    nothing itself, to three quarters of the decades that the precision holds, the loss is flat and there is no telling.
    """
    share = jnp.linspace(0.0, 1.0, GRID, dtype=split.log_product.dtype)
    points = share * split.log_product
    losses, slopes = jax.vmap(partial(split.slope, law))(points)
    losses = jnp.where(jnp.isnan(losses), jnp.inf, losses)
    kind, best = jnp.finfo(losses.dtype), jnp.argmin(losses)
    slack = ALIKE * kind.eps * jnp.abs(losses[best])
    is_level = losses <= losses[best] + slack
    is_nothing = jnp.abs(slopes) <= kind.tiny**0.75 * jnp.abs(losses)
    is_flat = (jnp.any(is_level & is_nothing) & (jnp.sum(is_level) > 1)) | ~(split.log_product > 0)

    turns = (slopes[:-1] < 0) & (slopes[1:] >= 0)
    side = jnp.where(turns, 0.0, jnp.sign(slopes[:-1]))
    is_tried = (turns | _may_hide(points[1], losses, slopes)) & ~is_flat
    level = jnp.where(is_tried, jnp.minimum(losses[:-1], losses[1:]), jnp.inf)

    def is_waiting(state: Look) -> jax.Array:
        return (state[0] < MOST) & jnp.any(jnp.isfinite(state[1]))

    def look(state: Look) -> Look:
        count, waiting, log_params, lowest = state
        cell = jnp.argmin(waiting)
        point, loss = _descend(law, split, points[cell], points[cell + 1], side[cell])
        waiting = jnp.where(jnp.arange(GRID - 1) == cell, jnp.inf, waiting)
        return count + 1, waiting, jnp.where(loss < lowest, point, log_params), jnp.minimum(loss, lowest)

    start = (jnp.zeros((), jnp.int32), level, points[best], jnp.full_like(slack, jnp.inf))
    _, _, log_params, lowest = jax.lax.while_loop(is_waiting, look, start)
    is_interior = jnp.isfinite(lowest)
    return Found(log_params, is_interior, ~is_interior | (lowest <= losses[best] + slack))


def _may_hide(step: jax.Array, losses: jax.Array, slopes: jax.Array) -> jax.Array:
    """Return between which points (GRID - 1,) two optima may hide, a minimum and a maximum.

    There the slope has one sign at both ends, but its size has a minimum between them: as a parabola through both
    slopes with the mean that the losses tell.
    """
    left, right = slopes[:-1], slopes[1:]
    side, mean = jnp.sign(left), (losses[1:] - losses[:-1]) / step
    noise = ALIKE * jnp.finfo(losses.dtype).eps * jnp.abs(losses[1:]) / step
    falls = side * (6.0 * mean - 4.0 * left - 2.0 * right) < -noise
    rises = side * (4.0 * right + 2.0 * left - 6.0 * mean) > noise
    return (side * right > 0) & falls & rises


def _descend(law: Law, split: Split, low: jax.Array, high: jax.Array, side: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return the minimum in [low, high] and the loss there, infinite where there is no minimum.

    By Newton's method on the slope, by bisection where that would leave.   side: 0 where the slope turns from falling
    to rising; else its sign at both ends. Then a point where it has the other one is looked for first, by halving
    towards the least size of the slope, and given up where the tangent of the slope does not reach zero.
    """

    def keep_going(state: Search) -> jax.Array:
        left, right, _, moved, count, _, _ = state
        return (count < STEPS) & (jnp.abs(moved) > 2.0 * jnp.finfo(moved.dtype).eps * jnp.abs(right)) & (right > left)

    def advance(state: Search) -> Search:
        left, right, point, _, count, side, _ = state
        (loss, here), (_, bend) = jax.jvp(partial(split.slope, law), (point,), (jnp.ones_like(point),))
        hunts = side * here > 0
        is_hopeless = hunts & (count >= LEAST_HALVINGS) & (jnp.abs(here) > jnp.abs(bend) * (right - left))
        is_left = jnp.where(hunts, side * bend, here) < 0
        left, right = jnp.where(is_left, point, left), jnp.where(is_left, right, point)
        step = point - here / jnp.where(bend == 0, 1.0, bend)
        is_safe = (bend > 0) & (step > left) & (step < right) & ~hunts
        following = jnp.where(is_safe, step, 0.5 * (left + right))
        following = jnp.where((here == 0) | is_hopeless, point, following)
        return left, right, following, following - point, count + 1, jnp.where(hunts, side, 0.0), loss

    none = jnp.full_like(low, jnp.inf)
    start = (low, high, 0.5 * (low + high), high - low, jnp.zeros((), jnp.int32), side, none)
    _, _, point, _, _, side, loss = jax.lax.while_loop(keep_going, advance, start)
    return point, jnp.where(side == 0, loss, none)

"""The best split of one budget, for any law of params and tokens: pure, and differentiable in everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxscale.errors import UsageError
from jaxscale.laws import LAWS, Law

FLOPS_PER_PARAM_TOKEN = 6.0
"""C = 6 N D: two for the forward pass and four for the backward one.   Source: Kaplan et al. 2020, §2.1."""
GRID = 64
"""Points that bracket the optimum before Newton's method starts: a law need not be convex, only smooth."""
STEPS = 60
"""Safeguarded Newton steps at most; a step that leaves the bracket is replaced by bisection."""

NO_TRADE_OFF = "law '{name}' takes {inputs}: without both params and tokens there is nothing to allocate"


Search: TypeAlias = tuple[jax.Array, jax.Array, jax.Array, jax.Array, jax.Array]
"""Both ends of the bracket, the point, how far it moved last, and the steps so far."""


class Allocation(NamedTuple):
    """The optimum on a budget, scalars: ln N, N, D, loss in nats per token, and whether it lies inside the range.

    is_interior is False where no interior optimum exists between one param and one token; the numbers are then those
    at the better end, and derivatives of log_params are zero.
    """

    log_params: jax.Array
    params: jax.Array
    tokens: jax.Array
    loss: jax.Array
    is_interior: jax.Array


def allocate(law: Law | str, coefs: Mapping[str, ArrayLike], *, flops: ArrayLike) -> Allocation:
    """Return the params and tokens that minimise the law's loss on C = 6 N D.

    coefs: name → scalar.   flops: scalar C.   For use under the caller's jit, vmap and grad, in the caller's
    precision: in float32 ln N is good to about 1e-6, so wrap calls in `jax.enable_x64(True)` where that matters.
    Derivatives are those of the implicit function dL/d ln N = 0, not of the iteration.   Not checked: that flops and
    coefs are positive.   Raises UsageError for a law without both params and tokens.
    """
    law = LAWS.resolve(law)
    check_trade_off(law)
    law.check_names(coefs)
    log_flops = jnp.log(jnp.asarray(float(flops) if isinstance(flops, int) else flops))  # 10**24 is no int64
    dtype = jnp.result_type(log_flops, *(jnp.asarray(coefs[name]) for name in law.names))
    ordered = tuple(jnp.asarray(coefs[name], dtype) for name in law.names)
    log_product = _log_product(log_flops.astype(dtype))
    constants = jax.lax.stop_gradient((log_product, ordered))
    low, high, is_interior = _bracket(law, *constants)

    def slope(log_params: jax.Array) -> jax.Array:
        return jax.grad(_loss_on_budget, argnums=1)(law, log_params, log_product, ordered)

    def find(function: object, start: jax.Array) -> jax.Array:
        return _newton(law, low, high, *constants)

    def tangent(linear: object, right: jax.Array) -> jax.Array:
        bend = jax.jvp(linear, (right,), (jnp.ones_like(right),))[1]  # type: ignore[arg-type]
        return jnp.where(is_interior & (bend != 0), right / jnp.where(bend == 0, 1.0, bend), 0.0)

    inside = jax.lax.custom_root(slope, 0.5 * (low + high), find, tangent)
    return _allocation(law, jnp.where(is_interior, inside, low), is_interior, log_product, ordered)


def optima(law: Law, argument: tuple[jax.Array, jax.Array]) -> Allocation:
    """Return the allocation of R sets of coefs (R, p) on b budgets (b,), each field (R, b), without derivatives."""

    def one(coefs: jax.Array, flops: jax.Array) -> Allocation:
        ordered, log_product = tuple(coefs), _log_product(jnp.log(flops))
        low, high, is_interior = _bracket(law, log_product, ordered)
        inside = _newton(law, low, high, log_product, ordered)
        return _allocation(law, jnp.where(is_interior, inside, low), is_interior, log_product, ordered)

    return jax.vmap(jax.vmap(one, in_axes=(None, 0)), in_axes=(0, None))(*argument)


def losses(law: Law, argument: tuple[jax.Array, jax.Array]) -> jax.Array:
    """Return the losses (R, b) of a law of flops alone, for coefs (R, p) and budgets (b,)."""

    def one(coefs: jax.Array, flops: jax.Array) -> jax.Array:
        return law.loss(flops, **dict(zip(law.names, coefs, strict=True)))

    return jax.vmap(jax.vmap(one, in_axes=(None, 0)), in_axes=(0, None))(*argument)


def check_trade_off(law: Law) -> None:
    """Raise UsageError unless the law takes params and tokens, and nothing that a budget does not decide."""
    if not can_allocate(law):
        raise UsageError(NO_TRADE_OFF.format(name=law.name, inputs=", ".join(law.inputs)))


def can_allocate(law: Law) -> bool:
    """Return whether params and tokens, with flops if it wants them, are all that the law takes."""
    return {"params", "tokens"} <= set(law.inputs) <= {"params", "tokens", "flops"}


def _log_product(log_flops: jax.Array) -> jax.Array:
    """Return ln N D of a budget."""
    return log_flops - jnp.asarray(np.log(FLOPS_PER_PARAM_TOKEN), log_flops.dtype)


def _allocation(
    law: Law, log_params: jax.Array, is_interior: jax.Array, log_product: jax.Array, coefs: tuple[jax.Array, ...]
) -> Allocation:
    loss = _loss_on_budget(law, log_params, log_product, coefs)
    return Allocation(log_params, jnp.exp(log_params), jnp.exp(log_product - log_params), loss, is_interior)


def _loss_on_budget(law: Law, log_params: jax.Array, log_product: jax.Array, coefs: tuple[jax.Array, ...]) -> jax.Array:
    """Return the law's loss at N = exp(log_params), D = exp(log_product) / N."""
    sizes = {
        "params": jnp.exp(log_params),
        "tokens": jnp.exp(log_product - log_params),
        "flops": FLOPS_PER_PARAM_TOKEN * jnp.exp(log_product),
    }
    return law.loss(*(sizes[name] for name in law.inputs), **dict(zip(law.names, coefs, strict=True)))


def _bracket(law: Law, log_product: jax.Array, coefs: tuple[jax.Array, ...]) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return ln N beside the lowest of GRID points between one param and one token, and whether it is inside."""
    share = jnp.linspace(0.0, 1.0, GRID, dtype=log_product.dtype)
    points = share * log_product
    losses = jax.vmap(lambda point: _loss_on_budget(law, point, log_product, coefs))(points)
    best = jnp.argmin(jnp.where(jnp.isnan(losses), jnp.inf, losses))
    is_interior = (best > 0) & (best < GRID - 1)
    low = jnp.where(is_interior, points[jnp.maximum(best - 1, 0)], points[best])
    high = jnp.where(is_interior, points[jnp.minimum(best + 1, GRID - 1)], points[best])
    return low, high, is_interior


def _newton(
    law: Law, low: jax.Array, high: jax.Array, log_product: jax.Array, coefs: tuple[jax.Array, ...]
) -> jax.Array:
    """Return the root of dL/d ln N in [low, high] by Newton's method, by bisection where it would leave."""

    def slope(point: jax.Array) -> jax.Array:
        return jax.grad(_loss_on_budget, argnums=1)(law, point, log_product, coefs)

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

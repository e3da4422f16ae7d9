"""The least of a smooth function under constraints, of a few unknowns: pure, batched, and differentiable in everything.

A primal-dual interior-point method on min f(x, p) with g(x, p) <= 0, x logarithms of amounts: where objective and
constraints are sums of monomials it is convex, and one run finds the optimum of all. The optimum is a function of the
parameters p by the implicit function theorem on the conditions of Karush, Kuhn and Tucker, with those constraints
active that bind.   Source: Nocedal & Wright 2006, §19.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxscale.numerics import small_spd
from jaxscale.solvers.problem import Tree

STEPS = 100
"""Iterations at most; 8 to 20 are usual."""
TOLERANCE = 1e-12
"""Of the residuals of the conditions, at which it ends."""
NARROWEST = 1e-11
"""Slack that a constraint which binds is left with: with less, its weight in the matrix drowns the curvature of the
objective along it."""
BOUNDARY = 0.995
"""Share of the way to the boundary, where a slack or a multiplier would be zero, that a step may go."""
FARTHEST = 4.0
"""Longest step in a logarithm."""
FIRST = 0.1
"""First multiplier of every constraint."""
LIFT = 1e-12
"""Of a Hessian, relative to it, beyond what makes it diagonally dominant."""
RIDGE = 1e-16
"""Added to the matrix, relative to its diagonal, where a direction has no effect on anything."""
MET = 1e-9
"""Residual of the conditions up to which an optimum counts as one, relative to the largest multiplier above one."""


class Programme(Protocol, Hashable):
    """What is minimised: a static argument of every program, hashable."""

    @property
    def is_convex(self) -> bool:
        """Whether objective and constraints are convex: then no Hessian need be made so."""
        ...

    @property
    def kept(self) -> int:
        """How many constraints, the last ones, no step leaves: linear ones, which the start keeps to, with room."""
        ...

    def objective(self, x: Float[Array, " n"], p: Tree) -> Float[Array, ""]:
        """Return what is to be least."""
        ...

    def constraints(self, x: Float[Array, " n"], p: Tree) -> Float[Array, " m"]:
        """Return what is to be zero at most: logarithms of amounts over their caps."""
        ...


class ConstrainedOptimum(NamedTuple):
    """A point and its multipliers.

    x: (n,).   multipliers: (m,), what the objective falls by per unit of each constraint that is let go; zero where it
    does not bind.
    """

    x: Float[Array, " n"]
    multipliers: Float[Array, " m"]


class KktCertificate(NamedTuple):
    """How good an optimum is; scalars but for `slack`.

    residual: the largest of what the conditions leave: the gradient of the Lagrangian, and products of multipliers and
    slacks.   slack: (m,), by how much each constraint is met, negative where it is not.   is_met: to MET.
    """

    residual: Float[Array, ""]
    slack: Float[Array, " m"]
    is_met: Bool[Array, ""]


class State(NamedTuple):
    """A point on its way: x (n,), slack (m,) > 0, multipliers (m,) > 0.   is_done: it stays there."""

    x: Float[Array, " n"]
    slack: Float[Array, " m"]
    multipliers: Float[Array, " m"]
    is_done: Bool[Array, ""]
    steps: Int[Array, ""]


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def constrained_optimum(programme: Programme, p: Tree, start: Float[Array, " n"]) -> ConstrainedOptimum:
    """Return the optimum near a start, under the caller's jit, vmap, and derivatives of any order and mode.

    p: parameters, a pytree of floats; derivatives are with respect to these alone.   It need not be one: `certify`.
    """
    x, multipliers = _interior(programme, p, start)
    slack = -programme.constraints(x, p)
    return ConstrainedOptimum(x, jnp.where(multipliers > slack, multipliers, 0.0))


@constrained_optimum.defjvp
def _optimum_jvp(programme: Programme, primals: Tree, tangents: Tree) -> tuple[ConstrainedOptimum, ConstrainedOptimum]:
    p, start = primals
    found = constrained_optimum(programme, p, start)
    is_active = jax.lax.stop_gradient(found.multipliers > 0)

    def conditions(both: ConstrainedOptimum, p: Tree) -> ConstrainedOptimum:
        x, multipliers = both
        gradient = jax.grad(partial(_lagrangian, programme))(x, multipliers, p)
        return ConstrainedOptimum(gradient, jnp.where(is_active, programme.constraints(x, p), multipliers))

    left = jax.jvp(partial(conditions, found), (p,), (tangents[0],))[1]
    jacobian = jax.jacfwd(conditions)(found, p)
    rows = [jnp.concatenate([jacobian[i][j] for j in range(2)], axis=1) for i in range(2)]
    step = -jnp.linalg.solve(jnp.concatenate(rows, axis=0), jnp.concatenate(left))
    size = len(found.x)
    return found, ConstrainedOptimum(step[:size], step[size:])


def certify(programme: Programme, p: Tree, found: ConstrainedOptimum) -> KktCertificate:
    """Return how good an optimum is."""
    gradient = jax.grad(partial(_lagrangian, programme))(found.x, found.multipliers, p)
    slack = -programme.constraints(found.x, p)
    residual = jnp.maximum(jnp.max(jnp.abs(gradient)), jnp.max(jnp.abs(found.multipliers * slack), initial=0.0))
    unit = jnp.maximum(jnp.max(found.multipliers, initial=0.0), 1.0)
    is_met = (residual <= MET * unit) & jnp.all(slack >= -MET) & jnp.all(jnp.isfinite(found.x))
    return KktCertificate(residual, slack, is_met)


def lowest(value: Float[Array, " s"], is_met: Bool[Array, " s"], is_inside: Bool[Array, " s"]) -> Int[Array, ""]:
    """Return which of several ends counts: the lowest of those that meet the conditions, and inside where one is."""
    value = jnp.where(is_met, value, jnp.inf)
    inside = jnp.where(is_inside, value, jnp.inf)
    return jnp.argmin(jnp.where(jnp.any(jnp.isfinite(inside)), inside, value))


def _lagrangian(programme: Programme, x: jax.Array, multipliers: jax.Array, p: Tree) -> jax.Array:
    return programme.objective(x, p) + jnp.sum(multipliers * programme.constraints(x, p))


def _interior(programme: Programme, p: Tree, start: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return x and multipliers where the predictor and corrector of Mehrotra lead from a start."""

    def keep_going(state: State) -> jax.Array:
        return ~state.is_done & (state.steps < STEPS)

    def advance(state: State) -> State:
        x, slack, multipliers, _, steps = state
        gradient = jax.grad(programme.objective)(x, p)
        value, jacobian = programme.constraints(x, p), jax.jacfwd(programme.constraints)(x, p)
        hessian = jax.hessian(partial(_lagrangian, programme))(x, multipliers, p)
        dual, primal, product = gradient + multipliers @ jacobian, value + slack, slack * multipliers
        measure, unit = jnp.mean(product), jnp.maximum(jnp.max(multipliers), 1.0)
        error = jnp.maximum(jnp.max(jnp.abs(dual)), jnp.max(jnp.abs(primal)))
        is_met = (error <= TOLERANCE * unit) & jnp.all(jnp.minimum(slack, multipliers) <= 2.0 * NARROWEST)
        is_done = is_met | ~jnp.isfinite(error)  # what is not finite stays so
        weight = (jacobian.T * (multipliers / slack)) @ jacobian
        matrix = hessian + weight if programme.is_convex else _made_definite(hessian, weight)
        matrix = matrix + jnp.diag(RIDGE * jnp.abs(jnp.diagonal(matrix)) + jnp.finfo(matrix.dtype).tiny)

        def step_for(product: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
            # solved anew: an inverse would lose what the weights of narrow slacks leave of the curvature
            right = -dual - ((multipliers * primal - product) / slack) @ jacobian
            dx = small_spd.solve(matrix[None], right[None])[0][0]
            ds = -primal - jacobian @ dx
            return dx, ds, (-product - multipliers * ds) / slack

        _, ds, dm = step_for(product)
        predicted = jnp.mean((slack + _reach(slack, ds) * ds) * (multipliers + _reach(multipliers, dm) * dm))
        centred = jnp.clip(predicted / measure, 0.0, 1.0) ** 3 * measure
        dx, ds, dm = step_for(product + ds * dm - jnp.maximum(centred, NARROWEST * multipliers))
        share = BOUNDARY * jnp.minimum(_reach(slack, ds), _reach(multipliers, dm))
        share = jnp.minimum(share, FARTHEST / jnp.maximum(jnp.max(jnp.abs(dx)), FARTHEST))
        here, there = (x, slack, multipliers), (x + share * dx, slack + share * ds, multipliers + share * dm)
        x, slack, multipliers = (jnp.where(is_done, old, new) for old, new in zip(here, there, strict=True))
        return State(x, slack, multipliers, is_done, steps + 1)

    room = -programme.constraints(start, p)
    is_kept = np.arange(len(room)) >= len(room) - programme.kept
    slack = jnp.where(is_kept, room, jnp.maximum(room, 1.0))
    begun = State(start, slack, jnp.full_like(slack, FIRST), slack[0] < 0, jnp.zeros((), jnp.int32))
    ended = jax.lax.while_loop(keep_going, advance, begun)
    return ended.x, ended.multipliers


def _made_definite(hessian: jax.Array, weight: jax.Array) -> jax.Array:
    """Return their sum, or where it is not positive definite, that with a Hessian made diagonally dominant.

    The weight of the constraints, which is positive, needs no such lift; one as large as it is would stop every step.
    """
    matrix = hessian + weight
    _, pivot = small_spd.solve(matrix[None], jnp.zeros_like(matrix[:1]))
    rows = jnp.sum(jnp.abs(hessian), axis=1)
    lack = jnp.max(rows - jnp.diagonal(hessian) - jnp.abs(jnp.diagonal(hessian)))
    lift = jnp.maximum(lack, 0.0) + LIFT * jnp.max(rows)
    return matrix + jnp.where(pivot[0] > 0, 0.0, lift) * jnp.eye(len(matrix), dtype=matrix.dtype)


def _reach(amount: jax.Array, step: jax.Array) -> jax.Array:
    """Return the share of a step (m,) that keeps amounts (m,) positive, 1 at most."""
    return jnp.min(jnp.where(step < 0, -amount / jnp.where(step < 0, step, -1.0), jnp.inf), initial=1.0)

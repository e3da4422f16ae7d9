"""A surrogate of every row's residual around one point: lanes that begin there get close to their ends without the law.

A bootstrap starts its replicates at the point fit. Around it a quadratic in theta predicts each residual without the
law's exponentials, in float32, and well enough that only a few exact evaluations are left to make. What it says is a
start and never an answer: the loop that minimises takes it from there.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxscale.numerics import small_spd
from jaxscale.numerics.small_spd import pack_indices
from jaxscale.solvers.problem import Data, Evaluation, Pass, Problem, Row, Tree, evaluate, select
from jaxscale.solvers.shares import Share

ROUNDING = 1e-6
"""What float32 makes of a value, relative to it."""
FRESH = 0.1
"""Damping of the first step, in units of the metric."""
LEAST = 1e-6
"""Least damping, also of the lanes that come from it: the surrogate's own error is larger than what less would gain."""
REWEIGHTED = 0.4
"""Share of the metric that stands in for a Hessian that is indefinite, as in Newton's method on the law itself."""
SEEN = 1e-7
"""Length of a coordinate's effect beyond those before it, relative to its own, below which it is none."""


class Surrogate(NamedTuple):
    """Residuals as quadratics in z, where theta = base + frame · z: residual + jacobian · z + z · second · z / 2.

    residual (n,), jacobian q × (n,), second derivatives q (q + 1) / 2 × (n,): float32, of the q coordinates that a row
    sees.   base (p,), frame (p, p): float64; the metric at base is 1 in z for the whole table, so that float32 is
    enough for derivatives in z.   kind (n,): float32, empty where every row sees all coordinates.   NumPy arrays, or
    the device's.
    """

    residual: Tree
    jacobian: tuple[Tree, ...]
    second: tuple[Tree, ...]
    base: Tree
    frame: Tree
    kind: Tree = ()

    def theta(self, z: Float[Array, "B p"]) -> Float[Array, "B p"]:
        """Return the points of coordinates z."""
        return self.base + z @ self.frame.T


def surrogate_of(
    residual: np.ndarray,
    jacobian: np.ndarray,
    second: np.ndarray,
    weight: np.ndarray,
    base: np.ndarray,
    least: float,
    share: Share | None = None,
    kind: np.ndarray | None = None,
) -> Surrogate:
    """Return the surrogate of derivatives in theta: residual (n,), jacobian (n, p), second (n, pairs), base (p,).

    weight: (n,), what each row adds to the metric per squared derivative.   least: squared length in the metric below
    which a coordinate changes nothing and keeps its own unit.   share: that of the problem, if it has one, and kind:
    (n,) then the kinds of the rows.   Rows that are not finite count for nothing: no lane may give them a weight.
    NumPy in and out, for the host.
    """
    size = jacobian.shape[1]
    is_fine = np.isfinite(residual) & np.isfinite(weight)
    is_fine &= np.isfinite(jacobian).all(axis=1) & np.isfinite(second).all(axis=1)
    residual, jacobian, second = (
        np.where(is_fine.reshape(-1, *[1] * (a.ndim - 1)), a, 0.0) for a in (residual, jacobian, second)
    )
    upper = np.linalg.qr(np.sqrt(np.where(is_fine, weight, 0.0))[:, None] * jacobian, mode="r")
    length = np.linalg.norm(upper, axis=0)
    is_seen = (np.abs(np.diagonal(upper)) > SEEN * length) & (length**2 > least)
    frame = np.linalg.inv(np.where(is_seen[:, None], upper, np.eye(size)))
    one, other = (list(side) for side in zip(*(share.pairs if share else pack_indices(size)), strict=True))
    full = np.zeros((len(residual), size, size))
    full[:, one, other] = full[:, other, one] = second
    jacobian, full = jacobian @ frame, frame.T @ full @ frame
    kinds: Tree = ()
    if share is not None and kind is not None:  # no frame mixes kinds: their derivatives share no row
        kinds, seen = kind.astype(np.float32), np.array(share.seen)[kind.astype(int)]
        row = np.arange(len(residual))[:, None]
        jacobian, full = jacobian[row, seen], full[row[:, :, None], seen[:, :, None], seen[:, None, :]]
    width = jacobian.shape[1]
    one, other = (list(side) for side in zip(*pack_indices(width), strict=True))
    parts = (residual, *jacobian.T, *full[:, one, other].T)
    columns = [np.ascontiguousarray(column, np.float32) for column in parts]
    return Surrogate(columns[0], tuple(columns[1 : width + 1]), tuple(columns[width + 1 :]), base, frame, kinds)


def no_surrogate(problem: Problem, rows: int) -> Surrogate:
    """Return a surrogate of the right shapes that says nothing, for lanes that begin apart."""
    size, nothing = problem.size, np.zeros(rows)
    flat = (np.zeros((rows, size)), np.zeros((rows, len(problem.pairs))))
    return surrogate_of(nothing, *flat, nothing, np.zeros(size), 0.0, problem.share, nothing)


class Descent(NamedTuple):
    """Lanes on the surrogate, float32: z (B, p), damping (B,), and value (B,), gradient (B, p), curvature (B, p, p).

    base: (B,) the value at z = 0.
    """

    z: Float[Array, "B p"]
    damping: Float[Array, " B"]
    value: Float[Array, " B"]
    gradient: Float[Array, "B p"]
    curvature: Float[Array, "B p p"]
    base: Float[Array, " B"]


def descend(
    problem: Problem,
    surrogate: Surrogate,
    data: Data,
    scale: Float[Array, " B"],
    active: Float[Array, " p"],
    steps: Int[Array, ""],
    over_rows: Pass = evaluate,
) -> tuple[Float[Array, "B p"], Float[Array, " B"]]:
    """Return where so many damped Newton steps on the surrogate lead from its base, and the objective at the base.

    data: its rows are not read.   over_rows: the pass over the rows in float32, which may be a kernel's.
    Returns theta (B, p) and value (B,), good to float32. A lane in which the surrogate does not fall stays at the base.
    """
    identity = jnp.eye(problem.size, dtype=jnp.float32)
    narrow, free = scale.astype(jnp.float32), active.astype(jnp.float32)
    weight = data.weight.astype(jnp.float32)
    beside = None if data.shift is None else data.shift.astype(jnp.float32)
    seen = Data((surrogate.residual, surrogate.jacobian, surrogate.second, surrogate.kind), weight, beside)

    def advance(count: jax.Array, descent: Descent) -> Descent:
        damping = descent.damping[:, None]
        step, pivot = small_spd.solve(descent.curvature + damping[:, :, None] * identity, descent.gradient)
        step = jnp.where((pivot > 0)[:, None], step, descent.gradient / (REWEIGHTED + damping))
        promise = 0.5 * jnp.sum(step * (descent.gradient + damping * step), axis=1)
        there = surrogate_evaluation(problem, seen, descent.z - step, narrow, free, over_rows)
        is_better = there.value <= descent.value * (1 + ROUNDING)
        kept = (descent.value - there.value) / promise
        bolder = jnp.where(kept > 0.25, descent.damping, 4.0 * descent.damping)
        bolder = jnp.where(kept > 0.75, jnp.maximum(0.1 * descent.damping, LEAST), bolder)
        base = jnp.where(count == 0, there.value, descent.base)
        damped = descent._replace(damping=jnp.maximum(10.0 * descent.damping, FRESH), base=base)
        return select(
            is_better, Descent(descent.z - step, bolder, there.value, there.gradient, there.curvature, base), damped
        )

    nothing = jnp.zeros_like(narrow)
    origin = jnp.zeros((len(narrow), problem.size), jnp.float32)  # the first turn only looks at it
    square = jnp.broadcast_to(identity, (*origin.shape, problem.size))
    begun = Descent(origin, nothing + 10.0 * FRESH, nothing + jnp.inf, origin, square, nothing)
    descent = jax.lax.fori_loop(0, steps + 1, advance, begun)
    return surrogate.theta(descent.z.astype(surrogate.base.dtype)), descent.base.astype(scale.dtype)


def surrogate_evaluation(
    problem: Problem,
    data: Data,
    z: Float[Array, "B p"],
    scale: Float[Array, " B"],
    active: Float[Array, " p"],
    over_rows: Pass = evaluate,
) -> Evaluation:
    """Return what the surrogate says of the objective at z, with its own derivatives in z; all in float32.

    data: its rows are those of the surrogate: residual, jacobian, second and kind.
    """
    metric = jnp.broadcast_to(jnp.eye(problem.size, dtype=z.dtype), (*z.shape, problem.size))
    return over_rows(_quadratic(problem), data, z, scale, active, metric)


@lru_cache(maxsize=256)
def _quadratic(problem: Problem) -> Problem:
    """Return the problem whose residuals are quadratics: one row is (residual, jacobian, second, kind)."""

    def residual(z: tuple[jax.Array, ...], row: Row) -> jax.Array:
        residual, jacobian, second, _ = row
        for j, at in enumerate(z):
            residual = residual + jacobian[j] * at
        for place, (j, k) in enumerate(pack_indices(len(z))):
            residual = residual + (0.5 if j == k else 1.0) * second[place] * z[j] * z[k]
        return residual

    if problem.share is None:
        return Problem(residual, problem.rho, problem.size)
    return Problem.shared(Share(residual, lambda row: row[3], problem.share.seen), problem.rho)

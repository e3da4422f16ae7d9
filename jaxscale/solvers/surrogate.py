"""Surrogates of every row's residual around points: lanes that begin there get close to their ends without the law.

A replicate starts at a minimum that is known of others. Around it a quadratic in theta predicts each residual without
the law's exponentials, in float32, and well enough that only a few exact evaluations are left to make. What it says is
a start and never an answer: the loop that minimises takes it from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxscale.numerics import small_spd
from jaxscale.numerics.made import kept
from jaxscale.numerics.rho import Rho
from jaxscale.numerics.small_spd import pack_indices
from jaxscale.solvers.problem import (
    Data,
    Evaluation,
    Pass,
    Problem,
    Row,
    Tree,
    best_length,
    evaluate,
    factor_of,
)
from jaxscale.solvers.shares import Share

ROUNDING = 1e-6
"""What float32 makes of a value, relative to it; a lane that a step promises no more has ended."""
FRESH = 1.0
"""Damping of the first step, in units of the metric."""
LEAST = 1e-6
"""Least damping, also of the lanes that come from it: the surrogate's own error is larger than what less would gain."""
REWEIGHTED = 0.4
"""Share of the metric that stands in for a Hessian that is indefinite, as in Newton's method on the law itself."""
UNLIKELY = 1e15
"""Residual in place of one that is not finite: no lane that counts the row begins there."""
LARGEST = 1e30
"""Term that float32 holds, with room for products; a row with a larger one is as one that is not finite."""
SEEN = 1e-7
"""Length of a coordinate's effect beyond those before it, relative to its own, below which it is none."""


class Surrogates(NamedTuple):
    """K quadratics in z, where theta = base + frame · z: residual + jacobian · z + z · second · z / 2.

    terms (K, 1 + q + q (q + 1) / 2, n): float32, the residual, its jacobian and its packed second derivatives by the q
    coordinates that a row sees.   base (K, p), frame (K, p, p): float64; the metric at base is 1 in z for the whole
    table, so that float32 is enough for derivatives in z.   kind (n,): float32, empty where every row sees all
    coordinates.   NumPy arrays, or the device's.
    """

    terms: Tree
    base: Tree
    frame: Tree
    kind: Tree = ()


def surrogates_of(
    residual: np.ndarray,
    jacobian: np.ndarray,
    second: np.ndarray,
    weight: np.ndarray,
    base: np.ndarray,
    least: np.ndarray,
    share: Share | None = None,
    kind: np.ndarray | None = None,
) -> Surrogates:
    """Return the surrogates of derivatives in theta: residual (K, n), jacobian (K, n, p), second (K, n, pairs).

    weight: (K, n), what each row adds to the metric per squared derivative.   base: (K, p).   least: (K,) squared
    length in the metric below which a coordinate changes nothing and keeps its own unit.   share: that of the problem,
    if it has one, and kind: (n,) then the kinds of the rows.   A row that is not finite stays UNLIKELY wherever a lane
    goes.   NumPy in and out, for the host.
    """
    size = jacobian.shape[2]
    is_fine = np.isfinite(residual) & np.isfinite(weight)
    is_fine &= np.isfinite(jacobian).all(axis=2) & np.isfinite(second).all(axis=2)
    residual = np.where(is_fine, residual, UNLIKELY)
    jacobian, second = (np.where(is_fine[:, :, None], array, 0.0) for array in (jacobian, second))
    upper = np.linalg.qr(np.sqrt(np.where(is_fine, weight, 0.0))[:, :, None] * jacobian, mode="r")
    length = np.linalg.norm(upper, axis=1)
    is_seen = (np.abs(np.diagonal(upper, axis1=1, axis2=2)) > SEEN * length) & (length**2 > least[:, None])
    frame = np.linalg.inv(np.where(is_seen[:, :, None], upper, np.eye(size)))
    pairs = tuple(share.pairs) if share else tuple(pack_indices(size))
    first, packed = jacobian @ frame, second @ _turns(frame, pairs)
    kinds: Tree = ()
    if share is not None and kind is not None:  # no frame mixes kinds: their derivatives share no row
        kinds, at = kind.astype(np.float32), kind.astype(int)
        place = {pair: count for count, pair in enumerate(pairs)}
        owned = [
            [place[min(seen[j], seen[k]), max(seen[j], seen[k])] for j, k in pack_indices(share.width)]
            for seen in share.seen
        ]
        row = np.arange(residual.shape[1])[:, None]
        first, packed = first[:, row, np.array(share.seen)[at]], packed[:, row, np.array(owned)[at]]
    parts = np.concatenate([residual[:, :, None], first, packed], axis=2)
    is_held = (np.abs(parts) < LARGEST).all(axis=2)
    parts[~is_held] = 0.0
    parts[~is_held, 0] = UNLIKELY
    return Surrogates(np.ascontiguousarray(parts.transpose(0, 2, 1), dtype=np.float32), base, frame, kinds)


def _turns(frame: np.ndarray, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """Return the maps (K, pairs, pairs) from packed symmetric matrices S to frameᵀ · S · frame, packed, too."""
    one, other = (np.array(side) for side in zip(*pairs, strict=True))
    both = frame[:, one][:, :, one] * frame[:, other][:, :, other]
    crossed = frame[:, other][:, :, one] * frame[:, one][:, :, other]
    return both + np.where(one == other, 0.0, 1.0)[None, :, None] * crossed


class Descent(NamedTuple):
    """Lanes on their surrogates, float32: z (B, p), damping (B,), and value (B,), the lowest so far.

    is_done: (B,), lanes that stay where they are.
    """

    z: Float[Array, "B p"]
    damping: Float[Array, " B"]
    value: Float[Array, " B"]
    is_done: Bool[Array, " B"]


def descend(
    problem: Problem,
    surrogates: Surrogates,
    which: Int[Array, " B"],
    data: Data,
    scale: Float[Array, ""],
    steps: int,
    over_rows: Pass = evaluate,
) -> tuple[Float[Array, "B p"], Float[Array, " B"]]:
    """Return where at most so many damped Newton steps on each lane's surrogate lead from its base, and its value.

    problem: from `quadratic`.   which: the surrogate of each lane.   data: its rows are not read.   scale: of the
    objective.   over_rows: the pass over the rows in float32, which may be a kernel's.   Returns theta (B, p) and
    value (B,), good to what the surrogate is. A lane in which it does not fall stays at the base.
    """
    whole = jax.lax.map(lambda at: surrogates.terms[at], which)
    own = tuple(whole[:, place] for place in range(whole.shape[1]))
    beside = None if data.shift is None else data.shift.astype(jnp.float32)
    seen = Data(surrogates.kind, data.weight.astype(jnp.float32), beside, own)
    lanes, identity = len(which), jnp.eye(problem.size, dtype=jnp.float32)
    at_scale = jnp.full(lanes, scale.astype(jnp.float32))

    def keep_going(carry: tuple[Descent, jax.Array]) -> Bool[Array, ""]:
        descent, count = carry
        return (count < steps) & ~jnp.all(descent.is_done)

    def advance(carry: tuple[Descent, jax.Array]) -> tuple[Descent, jax.Array]:
        descent, count = carry
        here = surrogate_evaluation(problem, seen, descent.z, at_scale, over_rows)
        damping = descent.damping[:, None]
        step, pivot = small_spd.solve(here.curvature + damping[:, :, None] * identity, here.gradient)
        step = jnp.where((pivot > 0)[:, None], step, here.gradient / (REWEIGHTED + damping))
        promise = 0.5 * jnp.sum(step * (here.gradient + damping * step), axis=1)
        length, there = best_length(problem, seen, descent.z, step, at_scale)  # exact: residuals are quadratics
        is_lower = there < here.value
        goes_on = (is_lower & ~descent.is_done)[:, None]
        z = jnp.where(goes_on, descent.z - length[:, None] * step, descent.z)
        bolder = jnp.where(count > 0, jnp.maximum(descent.damping * factor_of(length), LEAST), descent.damping)
        damping = jnp.where(is_lower, bolder, jnp.maximum(10.0 * descent.damping, FRESH))
        value = jnp.where(descent.is_done, descent.value, jnp.minimum(there, here.value))
        is_done = descent.is_done | (promise <= ROUNDING * here.value) | ~jnp.isfinite(here.value)
        return Descent(z, damping, value, is_done), count + 1

    fresh, unknown = jnp.full(lanes, FRESH, jnp.float32), jnp.full(lanes, jnp.inf, jnp.float32)
    begun = Descent(jnp.zeros((lanes, problem.size), jnp.float32), fresh, unknown, unknown < 0)
    descent, _ = jax.lax.while_loop(keep_going, advance, (begun, jnp.zeros((), jnp.int32)))
    base, frame = surrogates.base[which], surrogates.frame[which]
    return base + jnp.einsum("bij,bj->bi", frame, descent.z.astype(base.dtype)), descent.value.astype(base.dtype)


def surrogate_evaluation(
    problem: Problem, data: Data, z: Float[Array, "B p"], scale: Float[Array, " B"], over_rows: Pass = evaluate
) -> Evaluation:
    """Return what the surrogates say of the objective at z, with their own derivatives in z; all in float32.

    data: its rows are the kinds, its own ones the terms of the surrogates.
    """
    metric = jnp.broadcast_to(jnp.eye(problem.size, dtype=z.dtype), (*z.shape, problem.size))
    return over_rows(problem, data, z, scale, jnp.ones(problem.size, z.dtype), metric)


@dataclass(frozen=True)
class Quadratic:
    """The residual of a row that is (kind, terms), with its own derivatives: traced twice in reverse they would be
    some sixty operations more for each of the p (p + 1) / 2 pairs.
    """

    def __call__(self, z: tuple[jax.Array, ...], row: Row) -> jax.Array:
        """Return the residual at z."""
        return self.derivatives(z, row)[0]

    def derivatives(self, z: tuple[jax.Array, ...], row: Row) -> tuple[jax.Array, list[jax.Array], list[jax.Array]]:
        """Return the residual at z, its first and its packed second derivatives."""
        _, (value, *terms) = row
        first, second = terms[: len(z)], terms[len(z) :]
        place = {pair: at for at, pair in enumerate(pack_indices(len(z)))}
        jacobian = [
            sum((second[place[min(j, k), max(j, k)]] * z[k] for k in range(len(z))), start=first[j])
            for j in range(len(z))
        ]
        for at, slope, here in zip(z, first, jacobian, strict=True):
            value = value + 0.5 * at * (slope + here)
        return value, jacobian, second


@kept(256)
def quadratic(
    rho: Callable[[jax.Array, jax.Array], Rho], size: int, seen: tuple[tuple[int, ...], ...] | None = None
) -> Problem:
    """Return the problem whose residuals are quadratics.

    seen: of a share, where rows see some of the coordinates.   It knows no law, and nor do the programs made with it.
    """
    residual = Quadratic()
    if seen is None:
        return Problem(residual, rho, size)
    return Problem.shared(Share(residual, _kind_of, seen), rho)


def _kind_of(row: Row) -> jax.Array:
    """Return the kind of a row, its first part."""
    kind: jax.Array = row[0]
    return kind

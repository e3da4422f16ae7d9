"""What is minimised: a weighted sum over rows of rho of the residual, with its exact first and second derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxscale.numerics.rho import Rho
from jaxscale.numerics.small_spd import pack_indices, unpack
from jaxscale.solvers.shares import Row, Share

Tree: TypeAlias = Any
"""A pytree of arrays."""


LENGTHS = (0.02, 0.06, 0.15, 0.35, 0.7, 1.0, 1.5, 3.0)
"""Of a step, at which the objective is predicted before it is taken."""


@runtime_checkable
class Differentiated(Protocol):
    """A residual that knows its derivatives."""

    def derivatives(self, theta: tuple[jax.Array, ...], row: Row) -> tuple[jax.Array, list[jax.Array], list[jax.Array]]:
        """Return the residual, its p first and its p (p + 1) / 2 second derivatives."""
        ...


@dataclass(frozen=True)
class Problem:
    """One row's residual and its rho function; hashable, and a static argument of every program.

    residual(theta, row): theta is a tuple of p scalars, row one row of the table; returns a scalar, differentiable
    twice.   rho(r, scale): the rho function of a residual, convex and even in r.   size: p.   share: the same residual
    by the coordinates that a row sees, where those are not all.
    """

    residual: Callable[[tuple[jax.Array, ...], Row], jax.Array]
    rho: Callable[[jax.Array, jax.Array], Rho]
    size: int
    share: Share | None = None

    @classmethod
    def shared(cls, share: Share, rho: Callable[[jax.Array, jax.Array], Rho]) -> Problem:
        """Return the problem whose rows see a share of the coordinates each."""
        return cls(share.whole, rho, len(share.coordinates), share)

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """The pairs of coordinates whose mixed derivative is not zero throughout, in the order of `pack_indices`."""
        return tuple(pack_indices(self.size) if self.share is None else self.share.pairs)


class Evaluation(NamedTuple):
    """The objective and its derivatives at theta, per lane.

    value (B,), gradient (B, p), curvature (B, p, p): the exact Hessian.   metric (B, p, p): the sum of
    w rho'(r)/r J Jᵀ, which bounds the curvature of rho from above and measures lengths of steps in units of
    the objective, whatever the coordinates.   spread (B,): the weighted mean of |r|.
    """

    value: Float[Array, " B"]
    gradient: Float[Array, "B p"]
    curvature: Float[Array, "B p p"]
    metric: Float[Array, "B p p"]
    spread: Float[Array, " B"]


class Data(NamedTuple):
    """Rows that lanes share, and how each lane counts them.

    rows: pytree with leaves (n, …).   weight: (B, n), ≥ 0, not checked; a row of weight zero contributes nothing even
    if its residual is not finite.   shift: (B, n) added to the targets, or None for the targets as they are.   own:
    pytree with leaves (B, n) of what each lane has for itself; a row is then the pair of both.
    """

    rows: Row
    weight: Float[Array, "B n"]
    shift: Float[Array, "B n"] | None = None
    own: Row = None

    @property
    def total_weight(self) -> Float[Array, " B"]:
        """Each lane's sum of weights."""
        return jnp.sum(self.weight, axis=1)


def evaluate(
    problem: Problem,
    data: Data,
    theta: Float[Array, "B p"],
    scale: Float[Array, " B"],
    active: Float[Array, " p"],
    metric: Float[Array, "B p p"] | None = None,
) -> Evaluation:
    """Return the objective with all derivatives for every lane in one fused pass over the rows.

    active: (p,) ones and zeros; derivatives in the inactive coordinates are zero, with a unit curvature, so that they
    never move.   metric: one that is good enough, which saves its p (p + 1) / 2 sums.

    Every sum is an operand of a single variadic reduction: XLA's CPU compiler makes one kernel of it that keeps the
    2 + p + p (p + 1) sums in registers. For a GPU it makes two, and the first hands the second arrays of the size of
    weight through memory: five in float32 and nine in float64 for p = 5 and the logarithm of a sum of two powers,
    compiled for an H100 with JAX 0.10.2. `kernels` has a pass that reads the weights once.
    """
    sums = 2 + problem.size + len(problem.pairs) * (1 if metric is not None else 2)  # what is not asked is not computed
    parts = sums_of(
        lambda *row: terms(problem, *row)[:sums], data, tuple(theta[:, j] for j in range(problem.size)), scale
    )
    return assemble(problem, parts, data.total_weight, active, metric)


def sums_of(
    of_row: Callable[..., tuple[jax.Array, ...]], data: Data, points: Tree, scale: Float[Array, " B"]
) -> tuple[jax.Array, ...]:
    """Return the sums (B,) over the rows of what `of_row` makes of (point, weight, scale, row, shift), scalars each.

    points: pytree with leaves (B,), of which one lane's scalars are a point.
    """
    seen = None if data.shift is None else 0
    # behind a barrier, or XLA moves the slicing past each trace's own first operations and shares no exponential
    points, rows = jax.lax.optimization_barrier((points, data.rows))
    row, beside = (rows, None) if data.own is None else ((rows, data.own), (None, 0))
    per_row = jax.vmap(of_row, in_axes=(None, 0, None, 0, seen))
    return _sum_rows(jax.vmap(per_row, in_axes=(0, 0, 0, beside, seen))(points, data.weight, scale, row, data.shift))


def best_length(
    problem: Problem,
    data: Data,
    theta: Float[Array, "B p"],
    step: Float[Array, "B p"],
    scale: Float[Array, " B"],
) -> tuple[Float[Array, " B"], Float[Array, " B"]]:
    """Return which of LENGTHS times each step leads lowest from theta, and the objective there, to second order.

    Along a line every residual is a quadratic in the length, nearly; the objective, which has kinks where residuals
    pass the threshold of rho, is not. One pass over the rows prices all lengths.
    """
    lengths = jnp.array(LENGTHS, theta.dtype)

    def of_row(
        point: tuple[tuple[jax.Array, ...], tuple[jax.Array, ...]],
        weight: jax.Array,
        scale: jax.Array,
        row: Row,
        shift: jax.Array | None,
    ) -> tuple[jax.Array, ...]:
        begin, step = point

        def slope(length: jax.Array) -> tuple[jax.Array, jax.Array]:
            def residual(at: jax.Array) -> jax.Array:
                return problem.residual(tuple(a - at * b for a, b in zip(begin, step, strict=True)), row)

            return jax.jvp(residual, (length,), (jnp.ones_like(length),))

        nothing = jnp.zeros_like(scale)
        (residual, first), (_, second) = jax.jvp(slope, (nothing,), (jnp.ones_like(nothing),))
        residual = residual if shift is None else residual - shift
        at = (residual + length * (first + 0.5 * length * second) for length in lengths)
        return tuple(jnp.where(weight > 0, weight * problem.rho(one, scale).value, 0.0) for one in at)

    def columns(array: jax.Array) -> tuple[jax.Array, ...]:
        return tuple(array[:, j] for j in range(problem.size))

    there = jnp.stack(sums_of(of_row, data, (columns(theta), columns(step)), scale), axis=1)
    there = jnp.where(jnp.isfinite(there), there, jnp.inf)
    return lengths[jnp.argmin(there, axis=1)], jnp.min(there, axis=1)


def factor_of(length: Float[Array, " B"]) -> Float[Array, " B"]:
    """Return what the damping is multiplied by after a step of which this length was the best."""
    bolder = jnp.where(length >= 1.5, 0.1, jnp.where(length >= 0.7, 0.3, 1.0))
    return jnp.where(length <= 0.1, 4.0, jnp.where(length < 0.3, 2.0, bolder)).astype(length.dtype)


class Pass(Protocol):
    """A function like `evaluate`, hashable, so that programs may be keyed by it."""

    def __call__(
        self,
        problem: Problem,
        data: Data,
        theta: jax.Array,
        scale: jax.Array,
        active: jax.Array,
        metric: jax.Array | None = None,
    ) -> Evaluation:
        """Return the objective with all derivatives for every lane."""
        ...


def terms(
    problem: Problem,
    theta: tuple[jax.Array, ...],
    weight: jax.Array,
    scale: jax.Array,
    row: Row,
    shift: jax.Array | None = None,
) -> tuple[jax.Array, ...]:
    """Return what one row of this weight adds to each sum: zeros for weight zero, whatever its residual.

    All scalars. In this order: value, |r|, the gradient, and the pairs of the curvature and of the metric.   shift:
    added to the row's target.
    """
    residual, jacobian, second = derivatives(problem, theta, row)
    residual = residual if shift is None else residual - shift
    rho = problem.rho(residual, scale)
    psi, curvature, bound = weight * rho.psi, weight * rho.curvature, weight * rho.weight
    products = [jacobian[j] * jacobian[k] for j, k in problem.pairs]
    parts = [weight * rho.value, weight * jnp.abs(residual), *(psi * s for s in jacobian)]
    parts += [curvature * s + psi * b for s, b in zip(products, second, strict=True)]
    parts += [bound * s for s in products]
    return tuple(jnp.where(weight > 0, part, 0.0) for part in parts)


def assemble(
    problem: Problem,
    sums: Sequence[Float[Array, " B"]],
    total_weight: Float[Array, " B"],
    active: Float[Array, " p"],
    metric: Float[Array, "B p p"] | None = None,
) -> Evaluation:
    """Return the evaluation whose sums over rows, in the order of `terms`, are these; total_weight: each lane's.

    With a metric, the sums end before those of the metric.
    """
    value, absolute, *sums = sums
    size, pairs = problem.size, problem.pairs
    count = len(pairs)
    gradient = jnp.stack(sums[:size], axis=1) * active
    keep, alone = active[:, None] * active[None, :], jnp.diag(1.0 - active)
    curvature = unpack(jnp.stack(sums[size : size + count], axis=1), size, pairs) * keep + alone
    if metric is None:
        metric = unpack(jnp.stack(sums[size + count :], axis=1), size, pairs) * keep + alone
    return Evaluation(value, gradient, curvature, metric, absolute / total_weight)


def derivatives(
    problem: Problem, theta: tuple[jax.Array, ...], row: Row
) -> tuple[jax.Array, list[jax.Array], list[jax.Array]]:
    """Return a row's residual, its p first derivatives, and its second ones for the problem's pairs."""
    share = problem.share
    if share is None:
        return _derivatives(problem.residual, theta, row)
    is_kind = share.kinds(row)
    value, jacobian, second = _derivatives(share.residual, share.picked(theta, is_kind), row)
    owners = (share.coordinates, tuple(share.pairs.values()))
    return value, share.spread(jacobian, owners[0], is_kind), share.spread(second, owners[1], is_kind)


def _derivatives(
    residual: Callable[[tuple[jax.Array, ...], Row], jax.Array], theta: tuple[jax.Array, ...], row: Row
) -> tuple[jax.Array, list[jax.Array], list[jax.Array]]:
    """Return a row's residual, its p first and its p (p + 1) / 2 second derivatives.

    Its own, where it knows them. Else reverse mode twice, on separate scalars: each pass is pruned to the coordinates
    it reaches, so a sum of separate terms costs no mixed derivatives, and XLA shares what the passes have in common.
    """
    if isinstance(residual, Differentiated):
        return residual.derivatives(theta, row)

    def at_point(*point: jax.Array) -> jax.Array:
        return residual(point, row)

    size = len(theta)
    # the value comes from the gradient's own trace: traced apart, its exponentials would not be shared
    value, jacobian = jax.value_and_grad(at_point, argnums=tuple(range(size)))(*theta)
    second: list[jax.Array] = []
    for j in range(size):
        second += jax.grad(jax.grad(at_point, argnums=j), argnums=tuple(range(j, size)))(*theta)
    return value, list(jacobian), second


def select(mask: Bool[Array, " B"], yes: Tree, no: Tree) -> Tree:
    """Return the pytree that takes `yes` in the lanes of mask and `no` elsewhere."""
    return jax.tree.map(lambda a, b: jnp.where(mask.reshape(mask.shape + (1,) * (a.ndim - 1)), a, b), yes, no)


def _sum_rows(parts: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
    """Return the sums over axis 1 of equally shaped arrays, as one variadic reduction."""

    def add(left: tuple[jax.Array, ...], right: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        return tuple(a + b for a, b in zip(left, right, strict=True))

    zeros = tuple(jnp.zeros((), part.dtype) for part in parts)
    return tuple(jax.lax.reduce(parts, zeros, add, (1,)))

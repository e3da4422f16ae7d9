"""Derivatives of every row at one point of the objective, and what follows from their sums on the host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.engine.compiling import Clock, Program, run
from jaxscale.engine.data import Batch, chunks, fill
from jaxscale.engine.job import Job
from jaxscale.numerics.hosted import rho_of
from jaxscale.numerics.rho import Rho
from jaxscale.solvers.problem import Problem, Row, derivatives
from jaxscale.solvers.surrogate import Surrogates, surrogates_of
from jaxscale.solvers.verdict import INSENSITIVE

POINTS = 8
"""Points of which one call views the rows."""
VIEWED = 1 << 19
"""Rows times points of one call, in longer tables."""


class Views(NamedTuple):
    """What the device returns of each row at one point: its residual (n,), rho, and the derivatives of the residual.

    jacobian: (n, p).   second: (n, pairs), second derivatives for the problem's pairs.
    """

    residual: np.ndarray | jax.Array
    rho: Rho
    jacobian: np.ndarray | jax.Array
    second: np.ndarray | jax.Array


def views_at(job: Job, batch: Batch, theta: np.ndarray, scale: float, clock: Clock) -> Views:
    """Return the views of a table's rows at theta (p,), for rho at a scale."""
    return jax.tree.map(lambda part: part[0], next(views_of(job, batch, theta[None], scale, clock)))


def views_of(job: Job, batch: Batch, theta: np.ndarray, scale: float, clock: Clock) -> Iterator[Views]:
    """Yield the views (k, …) of a table's rows at some of the points (K, p) after the other, for rho at a scale."""
    rows, points = (batch.columns, batch.target), points_of(batch)
    for part in chunks(len(theta), points):
        with clock.running():
            found: Views = run(clock, view, (job.problem,), (rows, fill(theta[part], points), np.float64(scale)))
        yield jax.tree.map(lambda leaf, count=part.stop - part.start: leaf[:count], found)


def points_of(batch: Batch) -> int:
    """Return of how many points one call views the rows: fewer in long tables, whose views take memory."""
    return max(1, min(POINTS, VIEWED // len(batch.target)))


def views_of_lanes(job: Job, theta: np.ndarray, shift: np.ndarray | None, scale: float, clock: Clock) -> Views:
    """Return the views (k, n, …) of lanes at theta (k, p), NumPy, for rho at a scale.

    shift: (k, n) added to the targets of each lane, None for the table's own: its derivatives do not change with it.
    """
    parts = list(views_of(job, job.batch, theta, scale, clock))
    views: Views = jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
    if shift is None:
        return views
    residual = np.asarray(views.residual) - shift
    return views._replace(residual=residual, rho=rho_of(job.problem.rho, residual, scale))


def views_program(job: Job) -> Program:
    """Return the program of `views_at`, known before there is a point."""
    rows = (job.batch.columns, job.batch.target)
    return Program.of(view, (job.problem,), (rows, np.zeros((points_of(job.batch), job.problem.size)), np.float64(0.0)))


def view(problem: Problem, argument: tuple[Row, jax.Array, jax.Array]) -> Views:
    """Return the views (k, …) of all rows at points (k, p) and a scale, on the device; their sums are for the host."""
    rows, theta, scale = argument

    def at(point: jax.Array) -> Views:
        coordinates = tuple(point[j] for j in range(problem.size))
        residual, jacobian, second = jax.vmap(lambda row: derivatives(problem, coordinates, row))(rows)
        return Views(residual, problem.rho(residual, scale), jnp.stack(jacobian, axis=1), jnp.stack(second, axis=1))

    return jax.vmap(at)(theta)


def jacobian_at(job: Job, batch: Batch, theta: np.ndarray, clock: Clock) -> np.ndarray:
    """Return d residual / d theta (m, p) of the rows that count, times the roots of their weights."""
    return weighted_jacobian(views_at(job, batch, theta, 1.0, clock), batch.weight)


def residuals_at(job: Job, batch: Batch, theta: np.ndarray, clock: Clock) -> tuple[np.ndarray, np.ndarray]:
    """Return the residuals (m,) of the rows that count, and `jacobian_at`, both times the roots of their weights."""
    views = views_at(job, batch, theta, 1.0, clock)
    rows = np.flatnonzero(batch.weight > 0)
    return np.sqrt(batch.weight[rows]) * np.asarray(views.residual)[rows], weighted_jacobian(views, batch.weight)


def weighted_jacobian(views: Views, weight: np.ndarray) -> np.ndarray:
    """Return the Jacobian (m, p) of the rows that count, times the roots of their weights (n,)."""
    rows = np.flatnonzero(weight > 0)
    weighted: np.ndarray = np.sqrt(weight[rows])[:, None] * np.asarray(views.jacobian)[rows]
    return weighted


def weighted_total(weight: np.ndarray, parts: np.ndarray) -> float:
    """Return the weighted sum of parts (n,); one of weight zero counts for nothing, whatever it is."""
    counts = weight > 0
    return float(np.sum(weight[counts] * parts[counts]))


def hessian_of(
    views: Views, pairs: Sequence[tuple[int, int]], weight: np.ndarray, curvature: np.ndarray | None = None
) -> np.ndarray:
    """Return the Hessians (…, p, p) of the objective: the sum of w (rho''(r) J Jᵀ + rho'(r) r'').

    pairs: of the problem.   views: of parts (…, n).   weight: (…, n).   curvature: (…, n) in place of rho''(r).
    """
    counts = weight > 0
    curvature, psi, weight = (
        np.where(counts, part, 0.0)
        for part in (views.rho.curvature if curvature is None else curvature, views.rho.psi, weight)
    )
    jacobian, others = (np.where(counts[..., None], part, 0.0) for part in (views.jacobian, views.second))
    first, second = (list(side) for side in zip(*pairs, strict=True))
    with np.errstate(invalid="ignore", over="ignore"):  # where the point is not finite, nor is this
        packed = ((weight * psi)[..., None, :] @ others)[..., 0, :]
        hessian: np.ndarray = np.swapaxes(jacobian, -1, -2) @ ((weight * curvature)[..., None] * jacobian)
    hessian[..., first, second] += packed
    hessian[..., second, first] = hessian[..., first, second]
    return hessian


def surrogates_at(
    job: Job, theta: np.ndarray, scale: float, clock: Clock, known: dict[bytes, tuple[np.ndarray, ...]]
) -> Surrogates:
    """Return the surrogates of every row's residual around points (K, p).

    known: those made before, by the bytes of their points; afterwards it holds those of these points, and no others.
    """
    share = job.problem.share
    keys = [point.tobytes() for point in theta]
    new = [at for at, key in enumerate(keys) if key not in known]
    made = {keys[at]: one for at, one in zip(new, _surrogates_of(job, theta[new], scale, clock), strict=True)}
    both = {key: known[key] if key in known else made[key] for key in keys}
    known.clear()
    known.update(both)
    kind = () if share is None else np.asarray(share.kind((job.batch.columns, job.batch.target)), np.float32)
    terms, base, frame = (np.stack(parts) for parts in zip(*(both[key] for key in keys), strict=True))
    return Surrogates(terms, base, frame, kind)


def _surrogates_of(job: Job, theta: np.ndarray, scale: float, clock: Clock) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield the terms, base and frame of the surrogates around points (K, p)."""
    batch, share = job.batch, job.problem.share
    one, other = (list(side) for side in zip(*job.problem.pairs, strict=True))
    kind = None if share is None else np.asarray(share.kind((batch.columns, batch.target)))
    counts = batch.weight > 0
    parts = chunks(len(theta), points_of(batch))
    for points, views in zip(parts, views_of(job, batch, theta, scale, clock), strict=True):
        jacobian = np.asarray(views.jacobian) * job.active
        second = np.asarray(views.second) * (job.active[one] * job.active[other])
        least = INSENSITIVE * np.asarray(views.rho.value)[:, counts] @ batch.weight[counts]
        weight = batch.weight * np.asarray(views.rho.weight)
        made = surrogates_of(np.asarray(views.residual), jacobian, second, weight, theta[points], least, share, kind)
        yield from zip(*made[:3], strict=True)

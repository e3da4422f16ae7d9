"""A second look at a minimum: residuals, scaled gradient, condition and standard errors, from the derivatives there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.engine.batches import Batch
from jaxscale.engine.compiling import Clock, Program, run
from jaxscale.engine.scheduler import Job
from jaxscale.fitting.covariance import bandwidth, covariance_of, psi_ratio
from jaxscale.fitting.nullspace import NullSpace, flattest, in_unit_diagonal, null_space_of
from jaxscale.laws import Law
from jaxscale.numerics.rho import Rho
from jaxscale.objectives import Objective
from jaxscale.solvers.loop import INSENSITIVE
from jaxscale.solvers.problem import Problem, Row, derivatives
from jaxscale.solvers.surrogate import Surrogate, surrogate_of

SINGULAR_ABOVE = 1e14
"""Condition number beyond which a Hessian in float64 says nothing about errors."""


class Look(NamedTuple):
    """What was seen at theta.

    value: the objective.   residuals: (n,).   scaled_gradient, condition: as in Certificate.   std: coef → error or
    None.   null_space: the directions of the free coefs to which no prediction responds.   flattest: the direction in
    which the objective bends least, None where there is no telling.
    """

    value: float
    residuals: np.ndarray
    scaled_gradient: float
    condition: float | None
    std: Mapping[str, float | None]
    null_space: NullSpace
    flattest: str | None


class Views(NamedTuple):
    """What the device returns of each row at one point: its residual (n,), rho, and the derivatives of the residual.

    jacobian: (n, p).   bend: (n, pairs), second derivatives for the problem's pairs.
    """

    residual: np.ndarray | jax.Array
    rho: Rho
    jacobian: np.ndarray | jax.Array
    bend: np.ndarray | jax.Array


def inspect(law: Law, objective: Objective, job: Job, batch: Batch, theta: np.ndarray, clock: Clock) -> Look:
    """Return the look at theta (p,); for `absolute` the value is the limit itself, the sum of |r|."""
    count = batch.count
    weight = batch.weight[:count]
    spread = 0.0
    if objective.limit:
        residuals = np.abs(_look(job, batch, theta, 1.0, clock).residual[:count])
        spread = _total(weight, residuals) / float(np.sum(weight))
    scale = max(objective.scale, objective.limit * spread)
    views = _look(job, batch, theta, scale, clock)
    residuals = np.asarray(views.residual)[:count]
    value = _total(weight, np.abs(residuals)) if objective.limit else _value(views, batch)
    free = job.active > 0
    psi = (weight * np.asarray(views.rho.psi)[:count])[:, None] * np.asarray(views.jacobian)[:count, free]
    scaled_gradient = _scaled_gradient(
        objective, scale, psi, np.asarray(views.jacobian)[:count, free], theta[free], batch
    )
    hessian = _hessian(views, job.problem, batch)[np.ix_(free, free)]
    condition = _condition(hessian)
    is_honest = condition is not None and condition < SINGULAR_ABOVE and not objective.limit
    covariance = None
    if is_honest and np.sum(weight > 0) > free.sum():
        jacobian = np.asarray(views.jacobian)[:count, free]
        width = bandwidth(residuals[weight > 0])
        bread = hessian
        if scale < width and np.isfinite(scale):
            # only the density is counted more widely: the slopes must stay those whose sum is zero here, or the
            # answer would depend on the units of the columns
            wide = np.asarray(_look(job, batch, theta, width, clock).rho.curvature)
            density = psi_ratio(objective, scale, width) * wide
            bread = _hessian(views, job.problem, batch, density)[np.ix_(free, free)]
        covariance = covariance_of(objective, bread, jacobian, psi, residuals, weight, scale)
    std: dict[str, float | None] = dict.fromkeys(law.names)
    if covariance is not None:
        names = [name for name, is_free in zip(law.names, free, strict=True) if is_free]
        slopes = [
            float(support.slope(support.to_coef(np.asarray(value))))
            for support, value, is_free in zip(law.supports, theta, free, strict=True)
            if is_free
        ]
        with np.errstate(invalid="ignore"):
            errors = np.sqrt(np.diagonal(covariance)) * np.abs(slopes)
        std |= {name: float(error) if np.isfinite(error) else None for name, error in zip(names, errors, strict=True)}
    coefs = tuple(one for one, is_free in zip(law.coefs, free, strict=True) if is_free)
    null_space = null_space_of(_weighted(views, batch)[:, free], law.bounded[free], value, coefs)
    return Look(value, residuals, scaled_gradient, condition, std, null_space, flattest(hessian, coefs))


def _scaled_gradient(
    objective: Objective, scale: float, psi: np.ndarray, jacobian: np.ndarray, theta: np.ndarray, batch: Batch
) -> float:
    """Return the largest component of a gradient over the sum of its absolute terms, psi (n, p).

    0 where rounding of the losses and of theta alone makes as much: at an exact fit all terms are rounding, and so is
    their sum.
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        seen = np.where(theta != 0.0, np.abs(jacobian * theta), 0.0).sum(axis=1)
        rounding = batch.rounding + np.finfo(np.float64).eps * seen
        steep = float(objective.rho(jnp.asarray(0.0), jnp.asarray(scale)).weight)  # psi rises nowhere faster
        doubt = batch.weight[: len(rounding)] * steep * rounding
        total = np.abs(psi).sum(axis=0)
        excess = np.maximum(np.abs(psi.sum(axis=0)) - doubt @ np.abs(jacobian), 0.0)
        ratios = np.where(total > 0, excess / total, 0.0)
    return float(np.max(ratios, initial=0.0))


def jacobian_at(job: Job, batch: Batch, theta: np.ndarray, clock: Clock) -> np.ndarray:
    """Return d residual / d theta (m, p) of the rows that count, times the roots of their weights."""
    return _weighted(_look(job, batch, theta, 1.0, clock), batch)


def residuals_at(job: Job, batch: Batch, theta: np.ndarray, clock: Clock) -> tuple[np.ndarray, np.ndarray]:
    """Return the residuals (m,) of the rows that count, and `jacobian_at`, both times the roots of their weights."""
    views = _look(job, batch, theta, 1.0, clock)
    rows = np.flatnonzero(batch.weight > 0)
    return np.sqrt(batch.weight[rows]) * np.asarray(views.residual)[rows], _weighted(views, batch)


def _weighted(views: Views, batch: Batch) -> np.ndarray:
    rows = np.flatnonzero(batch.weight > 0)
    weighted: np.ndarray = np.sqrt(batch.weight[rows])[:, None] * np.asarray(views.jacobian)[rows]
    return weighted


def _total(weight: np.ndarray, parts: np.ndarray) -> float:
    """Return the weighted sum of parts (n,); one of weight zero counts for nothing, whatever it is."""
    counts = weight > 0
    return float(np.sum(weight[counts] * parts[counts]))


def _value(views: Views, batch: Batch) -> float:
    return _total(batch.weight, np.asarray(views.rho.value))


def _hessian(views: Views, problem: Problem, batch: Batch, curvature: np.ndarray | None = None) -> np.ndarray:
    """Return the Hessian (p, p) of the objective: the sum of w (rho''(r) J Jᵀ + rho'(r) r'').

    curvature: (bucket,) in place of rho''(r).
    """
    bends = np.asarray(views.rho.curvature) if curvature is None else curvature
    rows = np.flatnonzero(batch.weight > 0)
    weight, jacobian = batch.weight[rows], np.asarray(views.jacobian)[rows]
    first, second = (list(side) for side in zip(*problem.pairs, strict=True))
    with np.errstate(invalid="ignore", over="ignore"):  # where the point is not finite, nor is this
        packed = (weight * np.asarray(views.rho.psi)[rows]) @ np.asarray(views.bend)[rows]
        hessian: np.ndarray = jacobian.T @ ((weight * bends[rows])[:, None] * jacobian)
    hessian[first, second] += packed
    hessian[second, first] = hessian[first, second]
    return hessian


def _look(job: Job, batch: Batch, theta: np.ndarray, scale: float, clock: Clock) -> Views:
    rows = (batch.columns, batch.target)
    with clock.running():
        return run(clock, view, (job.problem,), (rows, theta, np.float64(scale)))


def views_of(job: Job) -> Program:
    """Return the program that looks at one point of a job's table, known before there is a point."""
    rows = (job.batch.columns, job.batch.target)
    return Program.of(view, (job.problem,), (rows, np.zeros(job.problem.size), np.float64(0.0)))


def view(problem: Problem, argument: tuple[Row, jax.Array, jax.Array]) -> Views:
    """Return all views of the rows at one theta (p,) and scale, on the device; their sums are for the host."""
    rows, theta, scale = argument
    point = tuple(theta[j] for j in range(problem.size))
    residual, slope, bend = jax.vmap(lambda row: derivatives(problem, point, row))(rows)
    return Views(residual, problem.rho(residual, scale), jnp.stack(slope, axis=1), jnp.stack(bend, axis=1))


def surrogate_at(job: Job, theta: np.ndarray, scale: float, clock: Clock) -> Surrogate:
    """Return the surrogate of every row's residual around theta (p,)."""
    views = _look(job, job.batch, theta, scale, clock)
    slope = np.asarray(views.jacobian) * job.active
    first, second = (list(side) for side in zip(*job.problem.pairs, strict=True))
    bend = np.asarray(views.bend) * (job.active[first] * job.active[second])
    mass = job.batch.weight * np.asarray(views.rho.weight)
    least = INSENSITIVE * _value(views, job.batch)
    share = job.problem.share
    kind = None if share is None else np.asarray(share.kind((job.batch.columns, job.batch.target)))
    return surrogate_of(np.asarray(views.residual), slope, bend, mass, theta, least, share, kind)


def _condition(hessian: np.ndarray) -> float | None:
    """Return the condition number of a Hessian scaled to a unit diagonal; None where it is not positive definite."""
    scaled = in_unit_diagonal(hessian)
    if scaled is None:
        return None
    values = np.linalg.eigvalsh(scaled)
    return float(values[-1] / values[0]) if values[0] > 0 else None

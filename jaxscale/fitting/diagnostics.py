"""Diagnostics of a minimum: residuals, scaled gradient, condition, standard errors and what the runs leave open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.data import Batch
from jaxscale.engine.job import Job
from jaxscale.fitting.covariance import covariance_at, errors_of
from jaxscale.fitting.nullspace import NullSpace, flattest, in_unit_diagonal, null_space_of
from jaxscale.fitting.optimum import hessian_of, views_at, weighted_jacobian, weighted_total
from jaxscale.laws import Law
from jaxscale.numerics.hosted import rho_of
from jaxscale.objectives import Objective

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


def inspect(law: Law, objective: Objective, job: Job, batch: Batch, theta: np.ndarray, clock: Clock) -> Look:
    """Return the look at theta (p,); for `absolute` the value is the limit itself, the sum of |r|."""
    count = batch.count
    weight = batch.weight[:count]
    spread = 0.0
    if objective.limit:
        residuals = np.abs(views_at(job, batch, theta, 1.0, clock).residual[:count])
        spread = weighted_total(weight, residuals) / float(np.sum(weight))
    scale = max(objective.scale, objective.limit * spread)
    views = views_at(job, batch, theta, scale, clock)
    residuals = np.asarray(views.residual)[:count]
    parts = np.abs(residuals) if objective.limit else np.asarray(views.rho.value)[:count]
    value, free = weighted_total(weight, parts), job.active > 0
    jacobian = np.asarray(views.jacobian)[:count, free]
    psi = (weight * np.asarray(views.rho.psi)[:count])[:, None] * jacobian
    scaled_gradient = _scaled_gradient(objective, scale, psi, jacobian, theta[free], batch)
    hessian = hessian_of(views, job.problem.pairs, batch.weight)[np.ix_(free, free)]
    condition = _condition(hessian)
    std: dict[str, float | None] = dict.fromkeys(law.names)
    if condition is not None and condition < SINGULAR_ABOVE:
        covariance = covariance_at(objective, job.problem.pairs, views, batch.weight, scale, free)
        errors = None if covariance is None else errors_of(law, theta, covariance)
        if errors is not None:
            std |= {
                name: float(error) if np.isfinite(error) else None
                for name, error, is_free in zip(law.names, errors, free, strict=True)
                if is_free
            }
    coefs = tuple(one for one, is_free in zip(law.coefs, free, strict=True) if is_free)
    null_space = null_space_of(weighted_jacobian(views, batch.weight)[:, free], law.bounded[free], value, coefs)
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
        steep = float(rho_of(objective.rho, 0.0, scale).weight)  # psi rises nowhere faster
        doubt = batch.weight[: len(rounding)] * steep * rounding
        total = np.abs(psi).sum(axis=0)
        excess = np.maximum(np.abs(psi.sum(axis=0)) - doubt @ np.abs(jacobian), 0.0)
        ratios = np.where(total > 0, excess / total, 0.0)
    return float(np.max(ratios, initial=0.0))


def _condition(hessian: np.ndarray) -> float | None:
    """Return the condition number of a Hessian scaled to a unit diagonal; None where it is not positive definite."""
    scaled = in_unit_diagonal(hessian)
    if scaled is None:
        return None
    values = np.linalg.eigvalsh(scaled)
    return float(values[-1] / values[0]) if values[0] > 0 else None

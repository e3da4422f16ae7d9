"""Which minimum of a fit is reported, and its diagnostics: certificate, standard errors, what the runs leave open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.data import Batch
from jaxscale.engine.job import Job
from jaxscale.engine.scheduler import Outcome
from jaxscale.fitting.bounds import SAME_MINIMUM
from jaxscale.fitting.covariance import covariance_at
from jaxscale.fitting.nullspace import NullSpace, flattest, in_unit_diagonal, null_space_of
from jaxscale.fitting.optimum import hessian_of, views_at, weighted_jacobian, weighted_total
from jaxscale.fitting.sandwich import sandwiches_at
from jaxscale.laws import Law
from jaxscale.numerics.hosted import rho_of
from jaxscale.objectives import Objective
from jaxscale.results import Minimum
from jaxscale.status import Status

SINGULAR_ABOVE = 1e14
"""Condition number beyond which a Hessian in float64 says nothing about errors."""

MOST_MINIMA = 5


def best_lane(
    outcome: Outcome, count: int, rank: Sequence[tuple[int, int, int, int]] = (), indistinct: float = SAME_MINIMUM
) -> int:
    """Return the lane to report: the lowest usable value, or the lowest finite one where none is usable.

    count: of the first lanes; one of the others must lie lower than the best of these. Where the runs leave a direction
    open, they wander along it to an edge, at the same value.   rank: of each lane's bound; of several at the lowest
    value the one of least rank is taken.   indistinct: share by which a minimum may lie above a limit at infinity that
    the runs cannot tell from it.
    """
    value = np.where(np.isfinite(outcome.value), outcome.value, np.inf)
    usable = np.where(outcome.status <= Status.AT_BOUND, value, np.inf)
    best = int(np.argmin(usable[:count] if np.isfinite(usable[:count]).any() else value[:count]))
    lowest = int(np.argmin(usable))
    best = lowest if usable[lowest] < value[best] * (1.0 - SAME_MINIMUM) else best
    if not rank:
        return best
    if rank[best][0]:
        finite = np.array([not one[0] for one in rank])
        lower = np.where(finite, usable, np.inf)
        best = int(np.argmin(lower)) if lower.min() <= usable[best] * (1.0 + indistinct) else best
    alike = np.flatnonzero(np.isclose(usable, usable[best], rtol=SAME_MINIMUM, atol=1e-28))
    return min([best, *alike.tolist()], key=lambda lane: rank[lane])


def agreeing(outcome: Outcome, value: float) -> np.ndarray:
    """Return which lanes (S,) ended usable at this value."""
    return np.isclose(outcome.value, value, rtol=SAME_MINIMUM, atol=1e-28) & (outcome.status <= Status.AT_BOUND)


def other_minima(
    every: Sequence[Mapping[str, float]], begun: np.ndarray, outcome: Outcome, is_counted: np.ndarray
) -> tuple[Minimum, ...]:
    """Return the other minima that usable lanes found, lowest first, each once.

    every: the coefs of each lane.   begun: from which start each came.   is_counted: lanes (S,) to leave out.
    """
    left = (outcome.status <= Status.AT_BOUND) & ~is_counted
    found: list[Minimum] = []
    while left.any() and len(found) < MOST_MINIMA:
        lane = int(np.argmin(np.where(left, outcome.value, np.inf)))
        same = agreeing(outcome, outcome.value[lane]) & left
        same[lane] = True
        found.append(Minimum(float(outcome.value[lane]), every[lane], len(np.unique(begun[same]))))
        left &= ~same
    return tuple(found)


class Diagnostics(NamedTuple):
    """What the derivatives at theta say.

    value: the objective.   residuals: (n,).   scaled_gradient, condition: as in Certificate.   std: coef → error or
    None.   null_space: the directions of the free coefs to which no prediction responds.   flattest: the direction in
    which the objective curves least, None where there is no telling.   covariance, robust: of the coefs, as in `Fit`.
    jacobian: (n, p), d residual / d theta.
    """

    value: float
    residuals: np.ndarray
    scaled_gradient: float
    condition: float | None
    std: Mapping[str, float | None]
    null_space: NullSpace
    flattest: str | None
    covariance: np.ndarray | None
    robust: Mapping[str, np.ndarray]
    jacobian: np.ndarray


def diagnostics_at(
    law: Law, objective: Objective, job: Job, batch: Batch, theta: np.ndarray, clock: Clock, *, has_groups: bool = False
) -> Diagnostics:
    """Return the diagnostics at theta (p,); for `absolute` the value is the limit itself, the sum of |r|.

    has_groups: whether the table names what its rows belong to.
    """
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
    covariance, robust = None, dict[str, np.ndarray]()
    if condition is not None and condition < SINGULAR_ABOVE:
        covariance = covariance_at(objective, job.problem.pairs, views, batch.weight, scale, free)
        group = batch.cluster if has_groups else None
        robust = sandwiches_at(objective, job.problem.pairs, views, batch.weight, scale, free, group)
        if covariance is not None:
            covariance = law.coordinates.of_coefs(theta, covariance)
            robust = {name: law.coordinates.of_coefs(theta, one) for name, one in robust.items()}
            with np.errstate(invalid="ignore"):
                errors = np.sqrt(np.diagonal(covariance))
            std |= {
                name: float(error) if np.isfinite(error) else None
                for name, error, is_free in zip(law.names, errors, free, strict=True)
                if is_free
            }
    coefs = tuple(one for one, is_free in zip(law.coefs, free, strict=True) if is_free)
    null_space = null_space_of(weighted_jacobian(views, batch.weight)[:, free], law.bounded[free], value, coefs)
    flat, whole = flattest(hessian, coefs), np.asarray(views.jacobian)[:count]
    return Diagnostics(value, residuals, scaled_gradient, condition, std, null_space, flat, covariance, robust, whole)


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

"""The scale of Student's t, estimated together with the coefs: where the profile likelihood over it is greatest."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.job import Job
from jaxscale.engine.scheduler import solve_lanes
from jaxscale.fitting.optimum import views_at
from jaxscale.objectives import Objective, weight_of
from jaxscale.objectives.student import likeliest_scale, minus_log_likelihood
from jaxscale.results import Fit
from jaxscale.solvers.loop import Tolerances

LEAST = 1e-12
"""Scale below which it is that of rounding: an exact fit has a likelihood without a maximum."""
TRACKED = 3
"""Minima, of the first scale, from which the profile is followed."""
CLOSE = 1e-10
"""Relative change of the scale at which it is settled."""
SETTLED = 1e-6
"""Relative difference between the scale of a fit and the likeliest one of its residuals that is none."""
MOST = 40


def with_scale(objective: Objective, job: Job, points: np.ndarray, clock: Clock) -> tuple[Objective, Job]:
    """Return the objective at its estimated scale, and the job that minimises it; others as they are.

    Each of the lowest minima at a scale like the residuals is followed: the likeliest scale of its residuals, the coefs
    at that, and so on, by the secant of ln s, which takes some six steps. The likeliest end of all counts.
    """
    if objective.dof is None or not objective.is_estimated:
        return objective, job
    weight = job.batch.weight

    def residuals(theta: np.ndarray) -> np.ndarray:
        return np.asarray(views_at(job, job.batch, theta, 1.0, clock).residual)

    def scale_at(theta: np.ndarray) -> float:
        return likeliest_scale(residuals(theta), weight, objective.dof or 1.0, LEAST)

    wide = replace(job, tolerances=Tolerances(np.float64(LEAST), np.float64(1.0), np.float64(0.0)))
    outcome = solve_lanes(wide, np.full(len(points), -1), points, np.zeros(len(points)), clock)
    ends: list[tuple[float, float]] = []
    for theta in _lowest(outcome.theta, outcome.value):
        scale, at = scale_at(theta), theta
        known: list[tuple[float, float]] = []
        for _ in range(MOST):
            one = at_scale(job, scale)
            at = solve_lanes(one, np.full(1, -1), at[None], np.full(1, scale), clock).theta[0]
            after = scale_at(at)
            known.append((math.log(scale), math.log(after) - math.log(scale)))
            if abs(known[-1][1]) < CLOSE or after <= LEAST:
                scale = after
                break
            scale = math.exp(_secant(known))
        ends.append((minus_log_likelihood(residuals(at), weight, objective.dof, scale), scale))
    finite = [end for end in ends if math.isfinite(end[0])]
    best = min(finite)[1] if finite else 1.0
    return replace(objective, scale=best), at_scale(job, best)


def at_scale(job: Job, scale: float) -> Job:
    """Return the job whose lanes end at this scale."""
    return replace(job, tolerances=Tolerances(np.float64(scale), np.float64(0.0), np.float64(0.0)))


def is_likeliest(fit: Fit) -> bool:
    """Return whether the scale of a fit is the likeliest one of its residuals, where it was to be estimated."""
    objective = fit.objective
    if objective.dof is None or not objective.is_estimated:
        return True
    found = likeliest_scale(fit.residuals, weight_of(fit.runs, objective), objective.dof, LEAST)
    return abs(math.log(found / objective.scale)) < SETTLED


def _lowest(theta: np.ndarray, value: np.ndarray) -> list[np.ndarray]:
    """Return the points of the lowest values, no two of one value."""
    order = [lane for lane in np.argsort(value) if np.isfinite(value[lane])]
    kept: list[int] = []
    for lane in order:
        if all(abs(value[lane] - value[other]) > 1e-8 * abs(value[other]) for other in kept):
            kept.append(int(lane))
    return [theta[lane] for lane in kept[:TRACKED]]


def _secant(known: list[tuple[float, float]]) -> float:
    """Return the next ln s: the fixed point itself of the last two steps where that is near, else the plain one."""
    at, step = known[-1]
    if len(known) == 1:
        return at + step
    before, old = known[-2]
    moved = (at - before) / (old - step) if old != step else 1.0
    return at + step * (moved if 0.2 < moved < 5.0 else 1.0)

"""The covariance of the coefs in each replicate, by the formulas of the point fit on the replicate's own table."""

from __future__ import annotations

import jax
import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.job import draws
from jaxscale.fitting.covariance import covariance_at, slopes_of
from jaxscale.fitting.optimum import views_at_each
from jaxscale.fitting.settling import Settling
from jaxscale.refitting.setup import Setup
from jaxscale.status import Status


def covariances_of(setup: Setup, settling: Settling, clock: Clock) -> np.ndarray:
    """Return the covariances (k, p, p) of the coefs of replicates, in the units of the coefs.

    NaN in replicates that are not usable, or whose runs are no more than the coefs. Rows and columns of coefs that are
    fixed or held at a bound are zero. A row that was drawn twice counts as two.
    """
    outcome, objective, job = settling.outcome, setup.fit.objective, setup.job
    found = np.full((*outcome.theta.shape, outcome.theta.shape[1]), np.nan)
    usable = np.flatnonzero(outcome.status <= Status.AT_BOUND)
    if not len(usable) or objective.limit:
        return found
    theta, draw = outcome.theta[usable], draws(job, settling.replicate[usable], clock)
    weight, slopes = job.batch.weight, slopes_of(setup.fit.law, theta)
    times = draw.weight / np.where(weight > 0, weight, 1.0)
    for part, views in views_at_each(job, theta, objective.scale, draw.shift, clock):
        for row in range(part.start, part.stop):
            bound = settling.bound_of(int(usable[row]))
            free = job.active > 0 if bound is None else (job.active > 0) & ~bound.is_held
            mine = jax.tree.map(lambda array, at=row - part.start: array[at], views)
            one = covariance_at(objective, job.problem.pairs, mine, weight, objective.scale, free, times[row])
            if one is not None:
                found[usable[row]] = one * slopes[row][:, None] * slopes[row]
    return found

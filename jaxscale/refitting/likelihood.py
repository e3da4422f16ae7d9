"""What a rise of the objective is worth: the likelihood ratio of least squares, or of another rho, scaled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.errors import UsageError
from jaxscale.fitting.covariance import widened
from jaxscale.fitting.optimum import hessian_of, views_at
from jaxscale.refitting.setup import Setup, setup_of
from jaxscale.resampling import SCHEMES
from jaxscale.results import Fit

NO_PROFILE = "{name} has no profile: {why}"
IS_LIMIT = (
    "the objective '{name}' has no curvature to scale its rise by; fit with objective='squared' or huber, or take an "
    "interval of replicates"
)
NO_COVARIANCE = "the fit has no standard errors, and without them a rise of the objective '{name}' has no scale"


class Curved(NamedTuple):
    """A fit around its minimum; p coefs are free, of P.

    setup: its table and problem.   free: (P,) bool.   covariance: (p, p) of theta, by the fit's own.   inverse: (p, p)
    the inverse Hessian, of the density of residuals that standard errors take.   scale: of rho.
    """

    setup: Setup
    free: np.ndarray
    covariance: np.ndarray
    inverse: np.ndarray
    scale: float

    def direction(self, name: str) -> np.ndarray:
        """Return the direction (p,) in theta of a coef, for `rise`."""
        law = self.setup.fit.law
        return law.coordinates.direction(self.setup.theta, law.names.index(name))[self.free]

    def rise(self, slope: np.ndarray) -> float:
        """Return what the objective rises by where a quantity of that slope (p,) is one standard error off.

        With F the objective, V the sandwich and H the Hessian, 2 (F_held - F) has, for one constraint, the distribution
        of s χ²_1, s = gᵀVg / gᵀH⁻¹g with g the slope, also where rho is no log-likelihood and where the errors are not
        alike. Least squares have s = 2 s², which makes it the F statistic.   Source: Kent 1982, Biometrika 69; Koenker
        & Bassett 1982, Econometrica 50, for medians; Heritier & Ronchetti 1994, JASA 89, for M-estimates.
        """
        fit = self.setup.fit
        if fit.objective.name == "squared":
            return fit.value / fit.dof
        return 0.5 * float(slope @ self.covariance @ slope) / float(slope @ self.inverse @ slope)


def curved(fit: Fit, name: str, clock: Clock) -> Curved:
    """Return a fit around its minimum; call it in float64 and on the device.

    name: of what is profiled, for messages.   Raises UsageError where a rise of the objective says nothing.
    """
    objective = fit.objective
    if objective.limit:
        raise UsageError(NO_PROFILE.format(name=name, why=IS_LIMIT.format(name=objective.name)))
    setup = setup_of(fit, SCHEMES.resolve("pairs"), 0, None, clock)
    free = np.array([one in fit.free and one not in fit.held for one in fit.law.names])
    theta = setup.theta if setup.bound is None else np.where(setup.bound.is_held, setup.bound.stand, setup.theta)
    if fit.covariance is None:
        raise UsageError(NO_PROFILE.format(name=name, why=NO_COVARIANCE.format(name=objective.name)))
    covariance = fit.law.coordinates.of_theta(theta, fit.covariance)[np.ix_(free, free)]
    if not np.isfinite(covariance).all():
        raise UsageError(NO_PROFILE.format(name=name, why=NO_COVARIANCE.format(name=objective.name)))
    batch, scale = setup.job.batch, objective.scale
    views = views_at(setup.job, batch, theta, scale, clock)
    often, residual = (batch.weight > 0)[None].astype(float), np.asarray(views.residual)[None]
    curvature = widened(objective, residual, np.asarray(views.rho.curvature)[None], scale, often)[0]
    hessian = hessian_of(views, setup.job.problem.pairs, batch.weight, curvature)[np.ix_(free, free)]
    return Curved(setup, free, covariance, np.linalg.inv(hessian), scale)

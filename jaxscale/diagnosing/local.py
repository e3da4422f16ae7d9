"""A fit around its minimum, row by row: residual, leverage, gradient and Hessian, and one step without some."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.fitting.covariance import NORMAL_MEDIAN, widened
from jaxscale.fitting.optimum import views_at
from jaxscale.refitting.setup import Setup, fitted_of, setup_of
from jaxscale.resampling import SCHEMES
from jaxscale.results import Fit

FREE = 1e-9
"""Share of a residual that its own row leaves open, 1 - leverage, below which it is not studentised."""
LEAST_CURVATURE = 1e-12
"""Of a Hessian in unit diagonal: below it the rows that are left do not determine the coefs."""


@dataclass(frozen=True)
class LocalModel:
    """The m rows that count at a minimum; p are the coefs that were minimised.

    free: (P,) bool, which of the law's.   theta: (P,), of all.   residual: (m,), times the root of the weight.
    jacobian: (m, p), likewise.   leverage: (m,).   pull: (m, p) and bend: (m, p, p), the terms of the gradient and of
    the Hessian without second derivatives of residuals.   share: (m,) of the objective.
    """

    fit: Fit
    free: np.ndarray
    theta: np.ndarray
    residual: np.ndarray
    jacobian: np.ndarray
    leverage: np.ndarray
    pull: np.ndarray
    bend: np.ndarray
    share: np.ndarray

    @cached_property
    def covariance(self) -> np.ndarray | None:
        """(p, p) of theta, by the fit's own of the coefs; None where there is none."""
        if self.fit.covariance is None:
            return None
        found = self.fit.law.coordinates.of_theta(self.theta, self.fit.covariance)[np.ix_(self.free, self.free)]
        return found if np.isfinite(found).all() else None

    def without(self, codes: np.ndarray, count: int) -> np.ndarray:
        """Return theta (count, P) after one step of Gauss and Newton from the minimum, without the rows of each code.

        codes: (m,), below `count`; others are left out of no set.   NaN where the others do not determine the coefs.

        With G the terms of the gradient of the rows left out, and H_0 those of the Hessian, the step is (H - H_0)⁻¹ G.
        The terms of the Hessian with second derivatives of residuals are left out, as Gauss and Newton do: without a
        row they may leave no minimum. Exact for least squares of a linear law.   Source: Cook & Weisberg 1982, §5.3.
        """
        size = self.pull.shape[1]
        pull = np.zeros((count, size))
        known = codes < count
        np.add.at(pull, codes[known], self.pull[known])
        unit = np.sqrt(np.maximum(np.diagonal(self.bend.sum(axis=0)), np.finfo(float).tiny))
        moved = np.full((count, size), np.nan)
        left = np.repeat(self.bend.sum(axis=0)[None], count, axis=0)
        np.subtract.at(left, codes[known], self.bend[known])
        left /= unit[:, None] * unit
        is_sound = np.isfinite(left).all(axis=(1, 2))
        is_sound[is_sound] = np.linalg.eigvalsh(left[is_sound])[:, 0] > LEAST_CURVATURE
        moved[is_sound] = np.linalg.solve(left[is_sound], (pull / unit)[is_sound][:, :, None])[:, :, 0]
        whole = np.repeat(self.theta[None], count, axis=0)
        whole[:, self.free] = self.theta[self.free] + moved / unit
        return whole

    def studentised(self) -> np.ndarray:
        """Return the residuals (m,), target less prediction, over their standard errors; NaN where a row fits itself.

        For `squared` the error is that of the other rows, as deleted residuals have it; for others the median size,
        which rows that are off do not inflate.   Source: Cook & Weisberg 1982, §2.2.
        """
        left = np.where(self.leverage < 1.0 - FREE, 1.0 - self.leverage, np.nan)
        scaled, dof = -self.residual / np.sqrt(left), len(self.residual) - self.pull.shape[1]
        if self.fit.objective.name == "squared":
            rest = np.sum(self.residual**2) - scaled**2
            with np.errstate(invalid="ignore", divide="ignore"):
                return np.asarray(scaled / np.sqrt(np.maximum(rest, 0.0) / (dof - 1.0)))
        largest = np.sort(np.abs(scaled[np.isfinite(scaled)]))[-max(dof, 1) :]
        return np.asarray(scaled / (np.median(largest) / NORMAL_MEDIAN))


def local_model(fit: Fit, clock: Clock) -> LocalModel:
    """Return the rows of a fit around its minimum; call it in float64 and on the device.   Raises as `bootstrap`."""
    setup = setup_of(fit, SCHEMES.resolve("pairs"), 0, None, clock)
    return _at(setup, clock)


def _at(setup: Setup, clock: Clock) -> LocalModel:
    fit, job, batch = setup.fit, setup.job, setup.job.batch
    place = setup.theta if setup.bound is None else np.where(setup.bound.is_held, setup.bound.stand, setup.bound.start)
    free = np.array([name in fit.free and name not in fit.held for name in fit.law.names])
    counts = np.flatnonzero(batch.weight > 0)
    objective, weight = fit.objective, batch.weight[counts]
    spread = float(np.average(np.abs(fit.residuals[counts]), weights=weight)) if objective.limit else 0.0
    scale = max(objective.scale, objective.limit * spread)
    views = views_at(job, batch, place, scale, clock)
    residual, jacobian = np.asarray(views.residual)[counts], np.asarray(views.jacobian)[counts][:, free]
    psi, curvature = (np.asarray(part)[counts] for part in (views.rho.psi, views.rho.curvature))
    once = np.ones((1, len(residual)))
    psi, curvature = weight * psi, weight * widened(objective, residual[None], curvature[None], scale, once)[0]
    bend = curvature[:, None, None] * jacobian[:, :, None] * jacobian[:, None, :]
    size = np.abs(residual) if objective.limit else np.asarray(views.rho.value)[counts]
    total = float(np.sum(weight * size))
    share = weight * size / total if total > 0 else np.zeros(len(counts))
    root = np.sqrt(weight)
    return LocalModel(
        fit,
        free,
        place,
        root * residual,
        np.asarray(root[:, None] * jacobian),
        np.asarray(fitted_of(fit, job, place, clock).leverage)[counts],
        np.asarray(psi[:, None] * jacobian),
        bend,
        share,
    )

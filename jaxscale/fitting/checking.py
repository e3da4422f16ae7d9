"""The objective once more, from the coefs as they are reported and from nothing else."""

from __future__ import annotations

import numpy as np

from jaxscale.laws import Law, predict_sets
from jaxscale.numerics.hosted import rho_of
from jaxscale.objectives import Objective, weight_of
from jaxscale.results import Fit
from jaxscale.runs import Runs

TOLERANCE = 1e-9
"""Relative difference between an objective and that of the coefs beside it, from which the two are not the same."""
NOISE = 8.0 * np.finfo(np.float64).eps
"""Relative error of a loss, and of a prediction, that is rounding."""


def recomputed(
    law: Law,
    objective: Objective,
    runs: Runs,
    coefs: np.ndarray,
    weight: np.ndarray,
    shift: np.ndarray | None = None,
) -> np.ndarray:
    """Return the objective (R,) of coefs (R, p), in the law's order, for weights (n,) or (R, n) and targets moved by a
    shift (R, n); NaN where a run that counts has no finite prediction. For an objective that is a limit, that limit,
    the sum of |r|.
    """
    with np.errstate(all="ignore"):
        predicted = predict_sets(law, coefs, runs.columns)
        residual = np.log(predicted) - np.log(runs.loss) if objective.space == "log" else predicted - runs.loss
        residual = residual if shift is None else residual - shift
        counts = np.broadcast_to(weight, residual.shape) > 0
        rho = np.abs(residual)
        if not objective.limit:
            rho = np.asarray(rho_of(objective.rho, residual, objective.scale).value)
        total: np.ndarray = np.sum(np.where(counts, weight * rho, 0.0), axis=1)
    return total


def value_over(fit: Fit, residuals: np.ndarray, weight: np.ndarray) -> float:
    """Return the objective over some of a fit's rows; for an objective with a limit the sum of |r|, as in the fit."""
    if fit.objective.limit:
        return float(np.sum(weight * np.abs(residuals)))
    rho = np.asarray(rho_of(fit.objective.rho, residuals, fit.objective.scale).value)
    return float(np.sum(np.where(weight > 0, weight * rho, 0.0)))


def is_reproduced(fit: Fit) -> bool:
    """Return whether the coefs of a fit, as they are reported, give its objective."""
    again = recomputed(
        fit.law, fit.objective, fit.runs, fit.law.vector(fit.coefs)[None], weight_of(fit.runs, fit.objective)
    )
    return bool(np.isfinite(again[0])) and not differs(np.array([fit.value]), again, fit.runs, fit.objective)[0]


def differs(value: np.ndarray, again: np.ndarray, runs: Runs, objective: Objective) -> np.ndarray:
    """Return where two objectives (R,) are not the same, beyond rounding of the losses."""
    size = 1.0 if objective.space == "log" else float(np.max(np.abs(runs.loss)))
    residual = NOISE * size * max(1.0, float(np.max(np.abs(np.log(np.abs(runs.loss[runs.loss != 0]))), initial=0.0)))
    floor = float(np.sum(weight_of(runs, objective))) * (residual if objective.limit else residual**2)
    is_same: np.ndarray = np.abs(again - value) <= TOLERANCE * np.abs(value) + floor
    return ~is_same

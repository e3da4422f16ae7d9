"""The objective once more, from the coefs as they are reported and from nothing else."""

from __future__ import annotations

import numpy as np

from jaxscale import precision
from jaxscale.engine.scheduler import Outcome
from jaxscale.laws import Law, predict_sets
from jaxscale.objectives import Objective, weight_of
from jaxscale.resampling import Fitted, Scheme, redraw
from jaxscale.results import Fit
from jaxscale.runs import Runs
from jaxscale.status import Status

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
            with precision.float64():
                rho = np.asarray(objective.rho(residual, np.float64(objective.scale)).value)  # type: ignore[arg-type]
        total: np.ndarray = np.sum(np.where(counts, weight * rho, 0.0), axis=1)
    return total


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


def checked(
    fit: Fit,
    scheme: Scheme,
    seed: int,
    fitted: Fitted | None,
    replicate: np.ndarray,
    coefs: np.ndarray,
    outcome: Outcome,
    is_bound: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the objective (k,) of replicates and their statuses, `stalled` where coefs (k, p) do not give it.

    replicate: (k,) indices.   fitted: for a scheme that needs residuals.   is_bound: (k,) lanes whose coefs are not
    those of theta; others are what was minimised and need no check, but for an objective that is a limit, whose value
    is that limit.
    """
    value, status = outcome.value.copy(), outcome.status.copy()
    lanes = np.arange(len(value)) if fit.objective.limit else np.flatnonzero(is_bound)
    if not len(lanes):
        return value, status
    draw = redraw(scheme, seed, replicate[lanes], weight_of(fit.runs, fit.objective), fit.runs.group, fitted)
    again = recomputed(fit.law, fit.objective, fit.runs, coefs[lanes], *draw)
    own = again if fit.objective.limit else value[lanes]
    is_wrong = ~np.isfinite(again) | differs(own, again, fit.runs, fit.objective)
    value[lanes] = np.where(is_wrong, value[lanes], again)
    status[lanes[is_wrong & (status[lanes] <= Status.AT_BOUND)]] = Status.STALLED
    return value, status

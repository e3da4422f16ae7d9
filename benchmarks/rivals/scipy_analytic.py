"""SciPy BFGS with a gradient written by hand: what a careful engineer without JAX would run."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from benchmarks.rivals.frame import CENTRED_TOLERANCE, WHITENED_TOLERANCE, Frame, centred, theta_of, whitened
from benchmarks.rivals.spec import DELTA, Outcome, Rival, Study


def solve_whitened(study: Study) -> Outcome:
    """Fit each resampled table in the whitened frame."""
    return solve(study, whitened(study), WHITENED_TOLERANCE)


def solve_centred(study: Study) -> Outcome:
    """Fit each resampled table on centred logs alone."""
    return solve(study, centred(study), CENTRED_TOLERANCE)


def solve(study: Study, frame: Frame, tolerance: float) -> Outcome:
    """Fit each resampled table in a frame, from the point fit, on the rows that were drawn at all."""
    ones = np.ones_like(frame.log_params)
    power_params = np.stack([ones, -frame.log_params], axis=1)
    power_tokens = np.stack([ones, -frame.log_tokens], axis=1)
    fits = []
    for weight in study.weights:
        drawn = weight > 0
        table = (frame, power_params[drawn], power_tokens[drawn], frame.log_loss[drawn], weight[drawn])
        fits.append(
            minimize(value_and_gradient, np.zeros(5), args=table, jac=True, method="BFGS", options={"gtol": tolerance})
        )
    return Outcome(
        theta=theta_of(frame, np.array([fit.x for fit in fits])),
        value=np.array([fit.fun for fit in fits]),
        failed=sum(not fit.success for fit in fits),
    )


def value_and_gradient(
    z: np.ndarray,
    frame: Frame,
    power_params: np.ndarray,
    power_tokens: np.ndarray,
    log_loss: np.ndarray,
    weight: np.ndarray,
) -> tuple[float, np.ndarray]:
    """Return the objective and its gradient (5,) in z, for one weighted table.

    power_params, power_tokens: (n, 2), a column of ones and the negated centred log.   log_loss, weight: (n,).
    With psi the residual clipped at delta, Huber's rho is psi (r − psi / 2) on both of its branches.
    """
    a0, b0, e, alpha, beta = frame.start + frame.factor @ z
    term_params = np.exp(power_params @ (a0, alpha))
    term_tokens = np.exp(power_tokens @ (b0, beta))
    floor = np.exp(e)
    predicted = term_params + term_tokens + floor
    residual = np.log(predicted) - log_loss
    psi = np.minimum(np.maximum(residual, -DELTA), DELTA)
    pull = weight * psi / predicted
    by_a0, by_alpha = (pull * term_params) @ power_params
    by_b0, by_beta = (pull * term_tokens) @ power_tokens
    gradient = np.array([by_a0, by_b0, floor * pull.sum(), by_alpha, by_beta])
    return float(weight @ (psi * (residual - 0.5 * psi))), frame.factor.T @ gradient


CENTRED = Rival(
    "scipy-centred", "SciPy BFGS, gradient by hand, centred logs, from the point fit", "serial", solve_centred
)
WHITENED = Rival("scipy-whitened", "the same, whitened by the curvature at the point fit", "serial", solve_whitened)

"""The coordinates that the careful contestants share: centred logs, whitened by the curvature at the point fit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from benchmarks.rivals.spec import DELTA, Study

TOLERANCE = 1e-7  # with the Hessian near 1 and the objective near 1e-3, the excess left is near (1e-7)² / 1e-3 = 1e-11


class Frame(NamedTuple):
    """The table in centred logs, and the map theta0 = start + factor @ z to coordinates z with a Hessian near I.

    log_params, log_tokens, log_loss: (n,), the first two less their means `centre` (2,).
    start: (5,), the point fit as log A0, log B0, log E, alpha, beta; A0 = A Nbar^-alpha with Nbar the geometric mean.
    factor: (5, 5), upper triangular.   A tuple of arrays, hence a pytree.
    """

    log_params: np.ndarray
    log_tokens: np.ndarray
    log_loss: np.ndarray
    centre: np.ndarray
    start: np.ndarray
    factor: np.ndarray


def frame_of(study: Study) -> Frame:
    """Return the frame of a study's table.

    The Huber objective's expected Hessian is JᵀJ times the share of residuals within delta; J is d log L / d theta0.
    Raises numpy.linalg.LinAlgError where the table does not identify five coefficients.
    """
    logs = np.log(np.stack([study.params, study.tokens]))
    centre = logs.mean(axis=1)
    log_params, log_tokens = logs - centre[:, None]
    log_loss = np.log(study.loss)
    start = _shifted(study.theta, -centre)
    a0, b0, e, alpha, beta = start
    terms = np.exp(np.stack([a0 - alpha * log_params, b0 - beta * log_tokens, np.full_like(log_loss, e)]))
    share = terms / terms.sum(axis=0)
    jacobian = np.stack([*share, -share[0] * log_params, -share[1] * log_tokens], axis=1)
    within = np.abs(np.log(terms.sum(axis=0)) - log_loss) <= DELTA
    curvature = jacobian.T @ jacobian * max(within.mean(), 1 / len(within))
    factor = np.linalg.inv(np.linalg.cholesky(curvature)).T
    return Frame(log_params, log_tokens, log_loss, centre, start, factor)


def theta_of(frame: Frame, z: np.ndarray) -> np.ndarray:
    """Return log A, log B, log E, alpha, beta, (R, 5), at the coordinates z (R, 5)."""
    return _shifted(frame.start + z @ frame.factor.T, frame.centre)


def _shifted(theta: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Return theta (..., 5) with its two log amplitudes moved from geometric mean 1 to exp(−centre)."""
    moved = theta.copy()
    moved[..., :2] += theta[..., 3:] * centre
    return moved

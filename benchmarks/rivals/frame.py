"""The coordinates of contestants: the published ones, centred logs, and these whitened by the curvature."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from benchmarks.rivals.spec import DELTA, Study

WHITENED_TOLERANCE = 1e-7  # with the Hessian near 1 and the objective near 1e-3, the excess is near (1e-7)² / 1e-3
CENTRED_TOLERANCE = 1e-8  # along the directions in which the Hessian is near 1e-1; others ask for less

# Hoffmann et al. 2022, unrounded in the TeX source of arXiv:2203.15556: log A, log B, log E, alpha, beta.
PUBLISHED_START = np.array([6.0073404, 6.0179186, 0.5267228, 0.33917084, 0.2849083])


class Frame(NamedTuple):
    """The table in centred logs, and the map theta0 = start + factor @ z to the coordinates z of a contestant.

    log_params, log_tokens, log_loss: (n,), the first two less their means `centre` (2,).
    start: (5,), the point fit as log A0, log B0, log E, alpha, beta; A0 = A Nbar^-alpha with Nbar the geometric mean.
    factor: (5, 5), upper triangular; the identity in centred logs.   A tuple of arrays, hence a pytree.
    """

    log_params: np.ndarray
    log_tokens: np.ndarray
    log_loss: np.ndarray
    centre: np.ndarray
    start: np.ndarray
    factor: np.ndarray


def published(study: Study) -> Frame:
    """Return the frame of the public replication: logs as they are, from the one published start."""
    logs = np.log(np.stack([study.params, study.tokens]))
    return Frame(*logs, np.log(study.loss), np.zeros(2), PUBLISHED_START, np.eye(5))


def centred(study: Study) -> Frame:
    """Return the frame in which z is theta0 less the point fit: what people write with care."""
    logs = np.log(np.stack([study.params, study.tokens]))
    centre = logs.mean(axis=1)
    return Frame(*(logs - centre[:, None]), np.log(study.loss), centre, _shifted(study.theta, -centre), np.eye(5))


def whitened(study: Study) -> Frame:
    """Return the frame in which the Hessian at the point fit is near the identity: the first step of BFGS is Newton's.

    The Huber objective's expected Hessian is JᵀJ times the share of residuals within delta; J is d log L / d theta0.
    Raises numpy.linalg.LinAlgError where the table does not identify five coefficients.
    """
    frame = centred(study)
    a0, b0, e, alpha, beta = frame.start
    floor = np.full_like(frame.log_loss, e)
    terms = np.exp(np.stack([a0 - alpha * frame.log_params, b0 - beta * frame.log_tokens, floor]))
    share = terms / terms.sum(axis=0)
    jacobian = np.stack([*share, -share[0] * frame.log_params, -share[1] * frame.log_tokens], axis=1)
    within = np.abs(np.log(terms.sum(axis=0)) - frame.log_loss) <= DELTA
    curvature = jacobian.T @ jacobian * max(within.mean(), 1 / len(within))
    return frame._replace(factor=np.linalg.inv(np.linalg.cholesky(curvature)).T)


def theta_of(frame: Frame, z: np.ndarray) -> np.ndarray:
    """Return log A, log B, log E, alpha, beta, (R, 5), at the coordinates z (R, 5)."""
    return _shifted(frame.start + z @ frame.factor.T, frame.centre)


def _shifted(theta: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Return theta (..., 5) with its two log amplitudes moved from geometric mean 1 to exp(−centre)."""
    moved = theta.copy()
    moved[..., :2] += theta[..., 3:] * centre
    return moved

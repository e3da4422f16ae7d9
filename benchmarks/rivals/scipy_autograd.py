"""SciPy BFGS with autograd: the public replication of the Chinchilla fit, as it was run."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np
from autograd import grad
from scipy.optimize import minimize

from benchmarks.rivals.frame import PUBLISHED_START
from benchmarks.rivals.spec import DELTA, Outcome, Rival, Study

FRACTIONAL = "scipy-autograd gathers rows and needs whole-number weights; this scheme draws fractions"


def solve(study: Study) -> Outcome:
    """Fit each resampled table, rows gathered, from one start with SciPy's default tolerances.

    Raises ValueError where a weight is not a whole number.   Source: Besiroglu et al. 2024, arXiv:2404.10102.
    """
    counts = study.weights.astype(int)
    if not np.array_equal(counts, study.weights):
        raise ValueError(FRACTIONAL)
    gradient = grad(huber_sum)
    fits = []
    for count in counts:
        rows = np.repeat(np.arange(len(count)), count)
        table = (study.params[rows], study.tokens[rows], study.loss[rows])
        fits.append(minimize(huber_sum, PUBLISHED_START, args=table, jac=gradient, method="BFGS"))
    return Outcome(
        theta=np.array([fit.x for fit in fits]),
        value=np.array([fit.fun for fit in fits]),
        failed=sum(not fit.success for fit in fits),
    )


def huber_sum(theta: np.ndarray, params: np.ndarray, tokens: np.ndarray, loss: np.ndarray) -> float:
    """Return the summed Huber score of the log residuals of the rows given, the logs taken anew as published."""
    a, b, e, alpha, beta = theta
    predicted = anp.log(anp.exp(a - alpha * anp.log(params)) + anp.exp(b - beta * anp.log(tokens)) + anp.exp(e))
    residual = anp.log(loss) - predicted
    size = anp.abs(residual)
    return anp.sum(anp.where(size <= DELTA, 0.5 * residual**2, DELTA * (size - 0.5 * DELTA)))


RIVAL = Rival("scipy-autograd", "SciPy BFGS, gradient by autograd, one published start", "serial", solve)

"""How far single runs lie off a fit: what the band of a new run and every predictive distribution are made of."""

from __future__ import annotations

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.results.fit import Fit

LEAST = 1e-12
"""Of a standard deviation, so that runs that lie on the law exactly have a density."""

NO_SPREAD = (
    "{count} runs of weight for {coefs} coefs leave no residual to tell how far single runs lie off the law '{law}'"
)


def run_residuals(fit: Fit) -> np.ndarray:
    """Return how far the runs of positive weight lie off the law, target minus prediction in the objective's space.

    They are widened by the square root of m / (m - p), since p coefs were fitted to them (`Fit.dof`). Each counts
    alike: which weight a run still to be made would have is not known.

    Parameters
    ----------
    fit
        A fit.

    Returns
    -------
    ndarray
        (m,), in nats per token, or their logarithm in log space.

    Raises
    ------
    UsageError
        For no more runs than coefs.

    Examples
    --------
    >>> bool(js.fitting.run_residuals(fit).std() < 0.1)
    True
    """
    own = _off(fit, is_log=fit.objective.space == "log")
    if fit.dof < 1:
        raise UsageError(NO_SPREAD.format(count=len(own), coefs=len(own) - fit.dof, law=fit.law.name))
    return own


def spread_of(fit: Fit) -> tuple[float, float]:
    """Return the root mean square of the residuals of runs in ln loss, widened as above, and its degrees of freedom.

    Both are at least a little, so that runs that lie on the law, and as many runs as coefs, have a density.
    """
    off = _off(fit, is_log=True)
    return max(float(np.sqrt(np.mean(off**2))), LEAST), float(max(fit.dof, 1))


def _off(fit: Fit, *, is_log: bool) -> np.ndarray:
    """Return the widened residuals (m,) of ln loss, or of the loss."""
    counts = np.asarray(fit.runs.weight) > 0
    residual, loss = np.asarray(fit.residuals, np.float64)[counts], fit.runs.loss[counts]
    off = -residual
    if is_log != (fit.objective.space == "log"):  # a residual is prediction minus target, in the objective's space
        off = np.log(loss) - np.log(loss + residual) if is_log else loss - loss * np.exp(residual)
    return off * np.sqrt(len(off) / max(fit.dof, 1))

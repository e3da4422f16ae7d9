"""The loss of a run that is still to be made: what the law gives, and how far single runs lie off it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.errors import UsageError
from jaxscale.fitting.predict import predict_ensemble
from jaxscale.results import Ensemble, Fit

NO_SPREAD = (
    "{count} runs of weight for {coefs} coefs leave no residual to tell how far single runs lie off the law '{law}'"
)


def run_residuals(fit: Fit) -> np.ndarray:
    """Return how far the runs of positive weight lie off the law, target minus prediction in the objective's space.

    They are widened by the square root of m / (m - p), since p coefs were fitted to them. Each counts alike: which
    weight a run still to be made would have is not known.

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
    own = -np.asarray(fit.residuals, dtype=np.float64)[np.asarray(fit.runs.weight) > 0]
    count, coefs = len(own), len(fit.free)
    if count <= coefs:
        raise UsageError(NO_SPREAD.format(count=count, coefs=coefs, law=fit.law.name))
    return own * np.sqrt(count / (count - coefs))


def new_runs(ensemble: Ensemble, columns: Mapping[str, ArrayLike], *, seed: int = 0) -> np.ndarray:
    """Return losses that runs still to be made may have: of each replicate one, off its law as the runs were.

    A band of these holds a new run; one of `predict_ensemble` holds the law's mean, and is narrower.

    Parameters
    ----------
    ensemble
        R replicates of a fit.
    columns
        As for `predict_ensemble`.
    seed
        Of which residual each has; alike for alike seeds.

    Returns
    -------
    ndarray
        (R, …), float64; NaN for a replicate that is not usable.

    Raises
    ------
    UsageError
        As `predict_ensemble` and `run_residuals`.

    Examples
    --------
    >>> sizes = {"params": [1e8, 1e9]}
    >>> mean = js.band(js.fitting.predict_ensemble(ensemble, sizes))
    >>> run = js.band(js.fitting.new_runs(ensemble, sizes))
    >>> bool((run.upper - run.lower > mean.upper - mean.lower).all())
    True
    """
    mean = predict_ensemble(ensemble, columns)
    own = run_residuals(ensemble.fit)
    off = own[np.random.default_rng(seed).integers(len(own), size=mean.shape)]
    with np.errstate(over="ignore"):  # a replicate far beyond the table may predict what overflows
        return mean * np.exp(off) if ensemble.fit.objective.space == "log" else mean + off

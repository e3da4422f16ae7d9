"""The loss of a run that is still to be made: what the law gives, and how far single runs lie off it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.fitting.predict import predict_ensemble
from jaxscale.results import Ensemble
from jaxscale.results.spread import run_residuals


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

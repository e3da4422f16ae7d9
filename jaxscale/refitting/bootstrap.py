"""Refit a law to thousands of resampled tables; every replicate ends with a status, and none is dropped."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jaxscale import precision
from jaxscale.engine import placement
from jaxscale.engine.compiling import Clock
from jaxscale.errors import UsageError
from jaxscale.refitting.gather import gather
from jaxscale.refitting.refit import refit_of
from jaxscale.refitting.setup import setup_of
from jaxscale.refitting.survey import survey_of
from jaxscale.resampling import SCHEMES, Scheme
from jaxscale.results import Ensemble, Fit

COUNT_NOT_POSITIVE = "replicates = {replicates!r} is not a positive integer"


def bootstrap(
    fit: Fit,
    *,
    scheme: Scheme | str = "pairs",
    replicates: int = 4000,
    seed: int = 0,
    chunk: int | None = None,
    covariance: bool = False,
    device: str = "auto",
    on_done: Callable[[int], None] | None = None,
) -> Ensemble:
    """Return `replicates` refits of the fit's law, each to its own draw of the table.

    Replicate r depends on the seed and r alone: not on `replicates`, on `chunk` or, but for rounding, on the device.
    It is `gather` of `refit` of every replicate after `survey`, which can be had apart.

    Parameters
    ----------
    fit
        The point fit, at a minimum.
    scheme
        How tables are drawn: a Scheme, or a name of `jaxscale.resampling.SCHEMES`.
    replicates
        How many, at least 1.
    seed
        An integer from 0 to 4294967295.
    chunk
        Most lanes per program call, two at least; None for what suits the device and the table.
    covariance
        Whether that of the coefs is computed in every replicate, for intervals that need standard errors.
    device
        Where to compute: auto, cpu, gpu or tpu.
    on_done
        Told how many more replicates have been solved once, for a progress bar.

    Returns
    -------
    Ensemble
        R replicates, each with its status.

    Raises
    ------
    UsageError
        For a fit that is no minimum, or invalid arguments.
    RunsError
        For a table with too few groups for a scheme that draws them.
    MissingDependencyError
        For a device that is not there.

    Notes
    -----
    Each replicate starts from the minimum, among those of the first 256 replicates, at which its own objective is
    lowest; one that fails is started again from other minima, from a point beside the fit, and for longer, before it is
    marked. Where a rho function with a threshold gives resampled tables several minima, every replicate is also started
    from a second one.

    Examples
    --------
    >>> more = js.bootstrap(fit, replicates=64, seed=0)
    >>> np.array_equal(more.coefs["alpha"], ensemble.coefs["alpha"])
    True
    >>> print(more.interval("alpha"))
    0.118... … 0.122... … 0.126...  (95 % percentile, ... of 64 replicates)
    """
    if isinstance(replicates, bool) or not isinstance(replicates, int | np.integer) or replicates < 1:
        raise UsageError(COUNT_NOT_POSITIVE.format(replicates=replicates))
    scheme, clock = SCHEMES.resolve(scheme), Clock()
    with precision.float64(), placement.on(device):
        setup = setup_of(fit, scheme, seed, chunk, clock)
        surveyed = survey_of(setup, clock)
        told = on_done or (lambda count: None)
        refits = refit_of(setup, surveyed, np.arange(replicates), clock, told, covariance=covariance)
    return gather(fit, surveyed, [refits])

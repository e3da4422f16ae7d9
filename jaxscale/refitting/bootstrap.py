"""Refit a law to thousands of resampled tables; every replicate ends with a status, and none is dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from jaxscale import precision
from jaxscale.engine import placement
from jaxscale.engine.compiling import Clock
from jaxscale.errors import UsageError
from jaxscale.refitting.gather import gather
from jaxscale.refitting.refit import refit_of
from jaxscale.refitting.setup import count_of, setup_of
from jaxscale.refitting.survey import survey_of
from jaxscale.refitting.tables import nested_of
from jaxscale.resampling import SCHEMES, Scheme
from jaxscale.results import Ensemble, Fit
from jaxscale.stages import Stages

WITHOUT_EACH = "without each run"

NESTED = (400, 200)
"""Simulated tables, and replicates of each."""
IS_JACKKNIFE = "the scheme '{scheme}' is a jackknife itself: leave {part}=True out, or draw replicates, as by pairs"
NOT_NESTED = "nested = {nested!r} is neither True nor two numbers, of tables and of replicates of each, from 2 on"


def bootstrap(
    fit: Fit,
    *,
    scheme: Scheme | str = "pairs",
    replicates: int | None = None,
    seed: int = 0,
    chunk: int | None = None,
    covariance: bool = False,
    jackknife: bool = False,
    nested: bool | tuple[int, int] = False,
    device: str = "auto",
    on_stage: Callable[[str, int | None], object] = lambda text, total: None,
    on_done: Callable[[int], object] = lambda count: None,
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
        How many, at least 1; None for 4,000, or for all that a scheme lists, as the jackknife does.
    seed
        An integer from 0 to 4294967295.
    chunk
        Most lanes per program call, two at least; None for what suits the device and the table.
    covariance
        Whether that of the coefs is computed in every replicate, for intervals that need standard errors.
    jackknife
        Whether the fits without each run are made, too, for intervals that need them; for a scheme that draws groups,
        those without each group.
    nested
        Whether tables are simulated from the fit, and resampled by the same scheme, for intervals that are calibrated
        by them; (T, R) for T tables and R replicates of each in place of 400 and 200. Their noise is that of the
        residuals, drawn by `residual`, or by `parametric-cluster` for a scheme that draws groups.
    device
        Where to compute: auto, cpu, gpu or tpu.
    on_stage, on_done
        Told what begins and of how many parts it is, and how many more parts of it are done: the survey, the refits,
        the search for lower minima, and failed replicates are stages of their own.

    Returns
    -------
    Ensemble
        R replicates, each with its status.

    Raises
    ------
    UsageError
        For a fit that is no minimum, a scheme that draws from residuals where the fit leaves none, a number of
        replicates that the scheme does not have, or invalid arguments.
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
    scheme, clock = SCHEMES.resolve(scheme), Clock()
    for part, is_asked in (("jackknife", jackknife), ("nested", nested)):
        if is_asked and scheme.is_listed:
            raise UsageError(IS_JACKKNIFE.format(scheme=scheme.name, part=part))
    tables, each = NESTED if isinstance(nested, bool) else checked_nested(nested)
    asked, told = np.arange(count_of(fit.runs, scheme, replicates)), Stages(on_stage, on_done)
    with precision.float64(), placement.on(device):
        setup = setup_of(fit, scheme, seed, chunk, clock)
        surveyed = survey_of(setup, clock, told)
        refits = refit_of(setup, surveyed, asked, clock, told, covariance=covariance)
    made = gather(fit, surveyed, [refits])
    if jackknife:
        without_each = "jackknife-cluster" if scheme.has_groups else "jackknife"
        left = told.within(WITHOUT_EACH)
        each_left = bootstrap(
            fit, scheme=without_each, seed=seed, chunk=chunk, device=device, on_stage=left.begin, on_done=left.done
        )
        made = replace(made, jackknife=each_left)
    if nested:
        found = nested_of(
            fit, scheme, noise_for(scheme), tables, each, seed=seed, clock=clock, device=device, told=told
        )
        made = replace(made, nested=found)
    return made


def noise_for(scheme: Scheme) -> Scheme:
    """Return the scheme by which tables are simulated that are then resampled by another one."""
    return SCHEMES.resolve("parametric-cluster" if scheme.has_groups else "residual")


def checked_nested(nested: object) -> tuple[int, int]:
    """Return how many tables and how many replicates of each, two whole numbers from 2 on; else raise UsageError."""
    numbers = nested if isinstance(nested, tuple) else ()
    if len(numbers) != 2 or not all(isinstance(one, int) and not isinstance(one, bool) and one >= 2 for one in numbers):
        raise UsageError(NOT_NESTED.format(nested=nested))
    return numbers[0], numbers[1]

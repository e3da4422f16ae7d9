"""Refit a law to thousands of resampled tables; every replicate ends with a status, and none is dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from jaxscale import precision
from jaxscale.engine import placement
from jaxscale.engine.compiling import Clock
from jaxscale.errors import UsageError
from jaxscale.intervals import LikelihoodProfile
from jaxscale.refitting.following import profile_of_coefs
from jaxscale.refitting.gather import gather
from jaxscale.refitting.refit import refit_of
from jaxscale.refitting.setup import count_of, setup_of
from jaxscale.refitting.survey import survey_of
from jaxscale.refitting.tables import nested_of
from jaxscale.resampling import SCHEMES, Scheme
from jaxscale.results import Ensemble, Fit, Nested
from jaxscale.stages import SILENT, Stages

WITHOUT_EACH = "without each run"

NESTED = (400, 200)
"""Simulated tables, and replicates of each."""
IS_JACKKNIFE = "the scheme '{scheme}' is a jackknife itself: leave {part}=True out, or draw replicates, as by pairs"
NOT_NESTED = "nested = {nested!r} is neither True nor two numbers, of tables and of replicates of each, from 2 on"


class Beside(NamedTuple):
    """What an ensemble has beside its replicates, None where it was not asked for: as in `Ensemble`."""

    jackknife: Ensemble | None
    nested: Nested | None
    profile: LikelihoodProfile | None


def resample(
    fit: Fit,
    *,
    scheme: Scheme | str = "pairs",
    replicates: int | None = None,
    seed: int = 0,
    chunk: int | None = None,
    covariance: bool = False,
    jackknife: bool = False,
    nested: bool | tuple[int, int] = False,
    profile: bool = False,
    device: str = "auto",
    on_stage: Callable[[str, int | None], object] = lambda text, total: None,
    on_done: Callable[[int], object] = lambda count: None,
) -> Ensemble:
    """Return `replicates` refits of the fit's law, each to its own draw of the table, in memory and in this process.

    It is `gather` of `refit` of every replicate after `survey`. Arguments and errors are those of `js.bootstrap`.
    """
    scheme, clock = SCHEMES.resolve(scheme), Clock()
    check_beside(scheme, jackknife=jackknife, nested=nested)
    asked, told = np.arange(count_of(fit.runs, scheme, replicates)), Stages(on_stage, on_done)
    with precision.float64(), placement.on(device):
        setup = setup_of(fit, scheme, seed, chunk, clock)
        surveyed = survey_of(setup, clock, told)
        refits = refit_of(setup, surveyed, asked, clock, told, covariance=covariance)
    made = gather(fit, surveyed, [refits])
    found = beside_of(
        fit,
        scheme,
        jackknife=jackknife,
        nested=nested,
        profile=profile,
        seed=seed,
        chunk=chunk,
        clock=clock,
        device=device,
        told=told,
    )
    return replace(made, **found._asdict())


def beside_of(
    fit: Fit,
    scheme: Scheme,
    *,
    jackknife: bool,
    nested: bool | tuple[int, int],
    profile: bool,
    seed: int,
    chunk: int | None,
    clock: Clock,
    device: str,
    told: Stages = SILENT,
) -> Beside:
    """Return what is made beside the replicates, as `js.bootstrap` says."""
    left, simulated = None, None
    if jackknife:
        without_each = "jackknife-cluster" if scheme.has_groups else "jackknife"
        own = told.within(WITHOUT_EACH)
        left = resample(
            fit, scheme=without_each, seed=seed, chunk=chunk, device=device, on_stage=own.begin, on_done=own.done
        )
    if nested:
        tables, each = NESTED if isinstance(nested, bool) else checked_nested(nested)
        simulated = nested_of(
            fit, scheme, noise_for(scheme), tables, each, seed=seed, clock=clock, device=device, told=told
        )
    return Beside(left, simulated, profile_of_coefs(fit, device, told) if profile else None)


def check_beside(scheme: Scheme, *, jackknife: bool, nested: bool | tuple[int, int]) -> None:
    """Raise UsageError for what a scheme cannot have beside its replicates."""
    for part, is_asked in (("jackknife", jackknife), ("nested", nested)):
        if is_asked and scheme.is_listed:
            raise UsageError(IS_JACKKNIFE.format(scheme=scheme.name, part=part))
    if not isinstance(nested, bool):
        checked_nested(nested)


def noise_for(scheme: Scheme) -> Scheme:
    """Return the scheme by which tables are simulated that are then resampled by another one."""
    return SCHEMES.resolve("parametric-cluster" if scheme.has_groups else "residual")


def checked_nested(nested: object) -> tuple[int, int]:
    """Return how many tables and how many replicates of each, two whole numbers from 2 on; else raise UsageError."""
    numbers = nested if isinstance(nested, tuple) else ()
    if len(numbers) != 2 or not all(isinstance(one, int) and not isinstance(one, bool) and one >= 2 for one in numbers):
        raise UsageError(NOT_NESTED.format(nested=nested))
    return numbers[0], numbers[1]

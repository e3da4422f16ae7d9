"""Refit a law to thousands of resampled tables; every replicate ends with a status, and is never dropped in silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from jaxscale import precision
from jaxscale.engine import placement
from jaxscale.engine.compiling import Clock
from jaxscale.engine.programs import problem_of
from jaxscale.engine.scheduler import Job, Outcome, solve
from jaxscale.errors import UsageError
from jaxscale.fitting.basins import SURVEY, WIDE, find_lower_basins
from jaxscale.fitting.bounds import bound_of, inside, solve_held
from jaxscale.fitting.checking import checked
from jaxscale.fitting.clusters import check_clusters
from jaxscale.fitting.ensemble_findings import findings_of_ensemble
from jaxscale.fitting.inspection import surrogate_at
from jaxscale.fitting.rescuing import leave, rescue
from jaxscale.fitting.settling import INSIDE, Settling
from jaxscale.fitting.starts import start_points
from jaxscale.fitting.table import batch_of
from jaxscale.laws.grouped import grouping_of
from jaxscale.provenance import Provenance
from jaxscale.resampling import SCHEMES, Scheme, check_seed
from jaxscale.results import Ensemble, Fit
from jaxscale.solvers import SOLVERS
from jaxscale.solvers.loop import Tolerances
from jaxscale.status import Status

WARM = 0.1
"""First scale of a replicate in units of the point fit's mean absolute residual: enough rows lie within it to steer
by."""
CLOSE = 1e-18
"""Newton decrement, relative to the value, below which a replicate ends: within 1e-7 of its standard errors, since one
standard error is a decrement of about the value over the number of runs."""

COUNT_NOT_POSITIVE = "replicates = {replicates!r} is not a positive integer"
CHUNK_NOT_POSITIVE = "chunk = {chunk!r} is not a positive integer"
NOTHING_FREE = "every coef of '{law}' is fixed: there is nothing to refit"
ONE_GROUP = (
    "this fit is one group's part of another, which shares {common} with it: bootstrap that one, and take the group's "
    "part of its ensemble with group_of"
)
FIT_UNUSABLE = "the fit is '{status}', not a minimum: its replicates would mean nothing. Fit it first."


def bootstrap(
    fit: Fit,
    *,
    scheme: Scheme | str = "pairs",
    replicates: int = 4000,
    seed: int = 0,
    chunk: int | None = None,
    device: str = "auto",
    on_done: Callable[[int], None] | None = None,
) -> Ensemble:
    """Return `replicates` refits of the fit's law, each to its own draw of the table.

    Replicate r depends on the seed and r alone: not on `replicates`, on `chunk` (most lanes per program call, two at
    least) or, but for rounding, on the device.   on_done: told how many more replicates have been solved once, for a
    progress bar.   Each replicate starts at the point fit; one that fails is started again from the other minima, from
    a point beside the fit, and from a wide scale, before it is marked. Where a rho function with a threshold gives
    resampled tables several minima, every replicate looks for a lower one.   Raises UsageError for a fit that is no
    minimum, or invalid arguments; RunsError for a table with too few groups for a scheme that draws them.
    """
    scheme = SCHEMES.resolve(scheme)
    _check(fit, replicates, chunk)
    check_clusters(fit.runs, scheme, has_own=grouping_of(fit.law) is not None)
    check_seed(seed)
    law, objective, method = fit.law, fit.objective, SOLVERS.resolve(fit.solver)
    batch = batch_of(fit.runs, law, objective, len(fit.free))
    clock = Clock()
    with precision.float64(), placement.on(device):
        job = Job(
            problem=problem_of(law, objective.space, objective.rho, batch.is_positive),
            method=method,
            scheme=scheme,
            batch=batch,
            active=np.array([float(name in fit.free) for name in law.names]),
            bounded=law.bounded,
            tolerances=Tolerances(np.float64(objective.scale), np.float64(objective.limit), np.float64(CLOSE)),
            seed=seed,
            max_steps=method.max_steps,
            width=chunk,
        )
        grid = start_points(law, fit.runs, None, {name: fit.coefs[name] for name in fit.fixed})
        known = {name: np.nan if name in fit.unidentified else coef for name, coef in fit.coefs.items()}
        theta = inside(law, known, grid)
        spread = float(np.average(np.abs(fit.residuals), weights=batch.weight[: batch.count]))
        scale = max(objective.scale, objective.limit * spread, WARM * spread)
        wide = max(scale, WIDE * spread)
        surveyed = SURVEY if wide > scale else 0  # without a threshold there is one basin
        count = max(replicates, SURVEY)  # what the first ones find decides what others try
        index = np.concatenate([np.arange(surveyed), np.arange(count)])  # the survey takes long, so it begins
        first = np.where(np.arange(len(index)) < surveyed, wide, scale)
        tell = _at_most(replicates, on_done)
        bound = bound_of(fit)
        warm = job if bound is not None else replace(job, surrogate=surrogate_at(job, theta, scale, clock))
        if bound is None:
            solved = solve(warm, index, np.tile(theta, (len(index), 1)), first, clock, tell)
        else:
            solved = solve_held(job, bound, index, np.tile(bound.start, (len(index), 1)), first, clock, tell)
        parts = (slice(surveyed), slice(surveyed, None))
        survey, outcome = (Outcome(*(array[part] for array in solved)) for part in parts)
        settling = Settling(law, job, outcome, np.arange(count), np.median(grid, axis=0), scale, clock)
        if bound is not None:
            settling.bounds.append(bound)
            settling.index[outcome.status == Status.AT_BOUND] = 0
            for ended in (survey, outcome):
                leave(job, bound, ended, np.concatenate([theta[None], grid]), clock)
        settling.settle(np.arange(count))
        others = [inside(law, minimum.coefs, grid) for minimum in fit.certificate.other_minima[:2]]
        rescue(settling, fit.value, [theta, *others], grid, SURVEY)
        settling.tell_plainly()
        before = settling.copy()
        find_lower_basins(job, warm, theta, (scale, wide), outcome, survey, clock)
        settling.settle_moved(before)
        coefs, is_open = settling.coefs()[:replicates], settling.is_open()[:replicates]
        outcome = Outcome(*(array[:replicates] for array in outcome))
        value, status = checked(fit, scheme, seed, coefs, outcome, settling.index[:replicates] != INSIDE)
        backend = placement.current().platform
    named = {name: _coef(fit, name, values) for name, values in zip(law.names, coefs.T, strict=True)}
    without = {name: mask for name, mask in zip(law.names, is_open.T, strict=True) if mask.any()}
    made = Ensemble(
        fit=fit,
        scheme=scheme,
        seed=int(seed),
        coefs=named,
        value=value,
        status=status,
        steps=outcome.steps,
        findings=(),
        provenance=Provenance.of(backend, clock.compile, clock.run, clock.compiled),
        without=without,
    )
    return replace(made, findings=findings_of_ensemble(made))


def _check(fit: Fit, replicates: int, chunk: int | None) -> None:
    if isinstance(replicates, bool) or not isinstance(replicates, int | np.integer) or replicates < 1:
        raise UsageError(COUNT_NOT_POSITIVE.format(replicates=replicates))
    if chunk is not None and (isinstance(chunk, bool) or not isinstance(chunk, int | np.integer) or chunk < 1):
        raise UsageError(CHUNK_NOT_POSITIVE.format(chunk=chunk))
    if fit.common:
        raise UsageError(ONE_GROUP.format(common=", ".join(fit.common)))
    if not fit.free:
        raise UsageError(NOTHING_FREE.format(law=fit.law.name))
    if not fit.is_usable:
        raise UsageError(FIT_UNUSABLE.format(status=fit.status))


def _at_most(count: int, on_done: Callable[[int], None] | None) -> Callable[[int], None]:
    """Return a callback that tells of `count` replicates in all: lanes of the survey are not progress."""
    left = [count]

    def tell(more: int) -> None:
        if on_done and min(more, left[0]):
            on_done(min(more, left[0]))
        left[0] -= min(more, left[0])

    return tell


def _coef(fit: Fit, name: str, values: np.ndarray) -> np.ndarray:
    """Return one coef's replicates (R,), exactly the given value where it was fixed."""
    return np.full(len(values), fit.coefs[name]) if name in fit.fixed else np.asarray(values, dtype=np.float64)

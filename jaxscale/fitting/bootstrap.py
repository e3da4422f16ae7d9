"""Refit a law to thousands of resampled tables; every replicate ends with a status, and is never dropped in silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from jaxscale import precision
from jaxscale.engine import placement
from jaxscale.engine.compiling import Clock
from jaxscale.engine.crowd import Job, Outcome, solve
from jaxscale.engine.programs import problem_of
from jaxscale.errors import UsageError
from jaxscale.fitting.bounds import edges_of, inside
from jaxscale.fitting.clusters import check_clusters
from jaxscale.fitting.elsewhere import SCOUTS, WIDE, look_elsewhere
from jaxscale.fitting.findings import findings_of_crowd
from jaxscale.fitting.held import holdable, solve_held
from jaxscale.fitting.inspection import model_at
from jaxscale.fitting.starts import start_points
from jaxscale.fitting.table import batch_of
from jaxscale.laws import Law
from jaxscale.laws.grouped import grouping_of
from jaxscale.resampling import SCHEMES, Scheme, check_seed
from jaxscale.results import Ensemble, Fit, Provenance
from jaxscale.solvers import SOLVERS
from jaxscale.solvers.loop import Goal
from jaxscale.status import Status

WARM = 0.1
"""First scale of a replicate in units of the point fit's mean absolute miss: enough rows bend to steer by."""
CLOSE = 1e-18
"""Newton decrement, relative to the value, below which a replicate ends: within 1e-7 of its standard errors, since one
standard error is a decrement of about the value over the number of runs."""
JITTER = 0.1
"""Standard deviation, on the real line, of the second rescue start."""
MOST_PATTERNS = 3
"""Combinations of coefs held at their edges that a failed replicate is tried with."""

COUNT_NOT_POSITIVE = "replicates = {replicates!r} is not a positive integer"
CHUNK_NOT_POSITIVE = "chunk = {chunk!r} is not a positive integer"
NOTHING_FREE = "every coef of '{law}' is fixed: there is nothing to refit"
ONE_GROUP = (
    "this fit is one group's part of another, which shares {common} with it: bootstrap that one, and take the group's "
    "part of its crowd with group_of"
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

    Replicate r depends on the seed and r alone: not on `replicates`, on `chunk` (most lanes per program call) or on the
    device.   on_done: told how many more replicates have been solved once, for a progress bar.   Each replicate starts
    at the point fit; one that fails is started again from the other minima, from a point beside the fit, and from a
    wide scale, before it is marked. Where a score that bends gives resampled tables several minima, every replicate
    looks for a lower one.   Raises UsageError for a fit that is no minimum, or arguments that cannot be meant;
    RunsError for a table with too few groups for a scheme that draws them.
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
            edged=law.edged,
            goal=Goal(np.float64(objective.scale), np.float64(objective.limit), np.float64(CLOSE)),
            seed=seed,
            max_steps=method.max_steps,
            width=chunk,
        )
        grid = start_points(law, fit.runs, None, {name: fit.coefs[name] for name in fit.fixed})
        theta = inside(law, fit.coefs, grid)
        spread = float(np.average(np.abs(fit.residuals), weights=fit.runs.weight))
        scale = max(objective.scale, objective.limit * spread, WARM * spread)
        wide = max(scale, WIDE * spread)
        scouting = SCOUTS if wide > scale else 0  # a score that does not bend has nothing to look for
        count = max(replicates, SCOUTS)  # what the first ones find decides what others try
        index = np.concatenate([np.arange(scouting), np.arange(count)])  # scouts take long, so they begin
        start, first = np.tile(theta, (len(index), 1)), np.where(np.arange(len(index)) < scouting, wide, scale)
        tell = _at_most(replicates, on_done)
        held = np.array([fit.coefs[name] if name in fit.at_bound else np.nan for name in law.names])
        is_held = holdable(law, held).any()
        led = job if is_held else replace(job, model=model_at(job, theta, scale, clock))
        if is_held:
            solved = solve_held(law, job, held, index, start, first, clock, tell)
        else:
            solved = solve(led, index, start, first, clock, tell)
        parts = (slice(scouting), slice(scouting, None))
        scouts, outcome = (Outcome(*(array[part] for array in solved)) for part in parts)
        if is_held:
            for ended in (scouts, outcome):
                _leave(job, held, ended, theta, clock)
        others = [inside(law, minimum.coefs, grid) for minimum in fit.certificate.other_minima[:2]]
        _rescue(law, job, [theta, *others], outcome, clock)
        look_elsewhere(job, led, theta, (scale, wide), outcome, scouts, clock)
        outcome = Outcome(*(array[:replicates] for array in outcome))
        edges = _edges(law, job, outcome, clock)
        backend = placement.current().platform
    coefs = {
        name: _coef(fit, name, np.where(np.isnan(edge), support.to_coef(value), edge))
        for name, support, value, edge in zip(law.names, law.supports, outcome.theta.T, edges.T, strict=True)
    }
    return Ensemble(
        fit=fit,
        scheme=scheme,
        seed=int(seed),
        coefs=coefs,
        value=outcome.value,
        status=outcome.status,
        steps=outcome.steps,
        findings=findings_of_crowd(outcome.status, dict(zip(law.names, edges.T, strict=True))),
        provenance=Provenance.of(backend, clock.compile, clock.run, clock.compiled),
    )


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
    """Return a callback that tells of `count` replicates in all: those that only scout are nobody's business."""
    left = [count]

    def tell(more: int) -> None:
        if on_done and min(more, left[0]):
            on_done(min(more, left[0]))
        left[0] -= min(more, left[0])

    return tell


def _coef(fit: Fit, name: str, values: np.ndarray) -> np.ndarray:
    """Return one coef's replicates (R,), exactly the given value where it was fixed."""
    return np.full(len(values), fit.coefs[name]) if name in fit.fixed else np.asarray(values, dtype=np.float64)


def _rescue(law: Law, job: Job, places: list[np.ndarray], outcome: Outcome, clock: Clock) -> None:
    """Start every failed replicate again, and keep what is usable.

    A failed one is first held at the edges at which others ended, then started from each of the places and beside the
    first. One that is degenerate is left alone: no start gives it more rows.
    """
    if not len(_lost(outcome)):
        return
    edges = _edges(law, job, outcome, clock)
    beside = places[0] + JITTER * np.random.default_rng(job.seed).standard_normal(len(places[0])) * job.active
    # of the first alone, so that no replicate depends on how many there are
    for held in _patterns(np.where(holdable(law, edges), edges, np.nan)[:SCOUTS]):
        lost = _lost(outcome)
        if len(lost):
            start, cold = np.tile(places[0], (len(lost), 1)), np.zeros(len(lost))
            _keep(outcome, lost, solve_held(law, job, held, lost, start, cold, clock))
    for place in (*places, beside):
        lost = _lost(outcome)
        if len(lost):
            start, cold = np.tile(place, (len(lost), 1)), np.zeros(len(lost))
            _keep(outcome, lost, solve(job, lost, start, cold, clock))


def _leave(job: Job, held: np.ndarray, outcome: Outcome, theta: np.ndarray, clock: Clock) -> None:
    """Go on, with every coef free, in the replicates where one of those that were held would lower the objective."""
    lost = _lost(outcome)
    if len(lost):
        start = np.where(np.isnan(held) & np.isfinite(outcome.theta[lost]), outcome.theta[lost], theta)
        _keep(outcome, lost, solve(job, lost, start, np.zeros(len(lost)), clock))


def _patterns(edges: np.ndarray) -> list[np.ndarray]:
    """Return the different rows (p,) of edges (R, p), most frequent first, without those that are NaN throughout."""
    rows, counts = np.unique(np.nan_to_num(edges, nan=np.inf), axis=0, return_counts=True)  # NaN equals no NaN
    ordered = np.where(np.isinf(rows), np.nan, rows)[np.argsort(-counts, kind="stable")]
    return [row for row in ordered if not np.isnan(row).all()][:MOST_PATTERNS]


def _lost(outcome: Outcome) -> np.ndarray:
    """Return the replicates that failed and that another start might save."""
    return np.flatnonzero((outcome.status > Status.AT_BOUND) & (outcome.status != Status.DEGENERATE))


def _keep(outcome: Outcome, lanes: np.ndarray, again: Outcome) -> None:
    """Write what became usable into the lanes that were tried again, and the steps it took."""
    outcome.steps[lanes] += again.steps
    saved = again.status <= Status.AT_BOUND
    outcome.theta[lanes[saved]], outcome.value[lanes[saved]] = again.theta[saved], again.value[saved]
    outcome.status[lanes[saved]] = again.status[saved]


def _edges(law: Law, job: Job, outcome: Outcome, clock: Clock) -> np.ndarray:
    edges = np.full(outcome.theta.shape, np.nan)
    lanes = np.flatnonzero(outcome.status == Status.AT_BOUND)
    if len(lanes):
        edges[lanes] = edges_of(law, job, lanes, outcome.theta[lanes], clock)
    return edges

"""How the replicates of a fit are solved: what follows from the fit, the scheme and the seed, and from no replicate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.data import Batch
from jaxscale.engine.job import Job
from jaxscale.engine.programs import problem_of
from jaxscale.errors import RunsError, UsageError
from jaxscale.finding import Finding
from jaxscale.fitting.bounds import Bound, bound_of, inside
from jaxscale.fitting.error_messages import under_scheme
from jaxscale.fitting.optimum import jacobian_at
from jaxscale.fitting.preparing import batch_of, start_points
from jaxscale.laws.grouped import grouping_of
from jaxscale.names import REPLICATES
from jaxscale.resampling import Fitted, Scheme, Tables, check_seed, clusters_of
from jaxscale.results import Fit
from jaxscale.runs import Runs
from jaxscale.runs.repeats import LEAST_CLUSTERS
from jaxscale.solvers import SOLVERS
from jaxscale.solvers.loop import Tolerances
from jaxscale.text import counted, shown_name

WARM = 0.1
"""First scale, in units of the point fit's mean absolute residual, of a replicate that begins away from its minimum:
enough rows lie within it to steer by."""
FINE = 0.01
"""First scale, in the same unit, of one that begins near its minimum."""
WIDE = 3.0
"""First scale of a lane that looks for other basins, in units of the point fit's mean absolute residual: so wide that
few basins are left. Ten times as wide finds no more of them, in a third more evaluations; a third as wide finds
fewer."""
CLOSE = 1e-18
"""Newton decrement, relative to the value, below which a replicate ends: within 1e-7 of its standard errors, since one
standard error is a decrement of about the value over the number of runs."""

CHUNK_NOT_POSITIVE = "chunk = {chunk!r} is not a positive integer"
NOTHING_FREE = "every coef of '{law}' is fixed: there is nothing to refit"
ONE_GROUP = (
    "this fit is one group's part of another, which shares {common} with it: bootstrap that one, and take the group's "
    "part of its ensemble with group_of"
)
FIT_UNUSABLE = "the fit is '{status}', not a minimum: its replicates would mean nothing. Fit it first."

FOLLOWED = ("repeated-seeds", "trajectory-rows")
"""Codes of the findings whose advice is to draw whole groups."""

NO_GROUPS = "the scheme '{scheme}' draws groups of rows: say which column names them, --group COLUMN"
OWN_COEFS = (
    "the scheme '{scheme}' draws whole groups, and here each group has coefs of its own, which the others do not tell"
)
NONE_LEFT = (
    "the scheme '{scheme}' draws from the residuals, and this fit leaves none: {runs} for {coefs}; use pairs, or a law "
    "with fewer coefs"
)
COUNT_NOT_POSITIVE = "replicates = {replicates!r} is not a positive integer"
OTHER_COUNT = (
    "the scheme '{scheme}' has {count} of this table, each without one of its {parts}, and not {replicates}: leave the "
    "number of replicates out"
)
TOO_FEW = "{source}: {groups} for the scheme '{scheme}', which needs {least}; without groups single rows are drawn"


@dataclass(frozen=True)
class Setup:
    """What all replicates share.

    bound: at which the point fit lies, None inside.   theta: (p,) the point fit, a coef at an edge amid the starts.
    grid: (S, p), the law's own starts.   fine, scale, wide: first scales of a replicate that begins near its minimum,
    of one that begins away from it, and of a lane that looks for other basins.   known: surrogates made so far, of
    `surrogates_at`.
    """

    fit: Fit
    job: Job
    bound: Bound | None
    theta: np.ndarray
    grid: np.ndarray
    fine: float
    scale: float
    wide: float
    known: dict[bytes, tuple[np.ndarray, ...]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def has_basins(self) -> bool:
        """Whether resampled tables may have several minima: without a threshold of rho there is one basin."""
        return self.wide > self.scale

    @property
    def floor(self) -> float:
        """A difference in the objective that is rounding."""
        return self.job.batch.rounding**2 * float(np.sum(self.job.batch.weight))

    @property
    def places(self) -> np.ndarray:
        """The point fit and the lowest of its other minima, theta (k, p)."""
        others = self.fit.certificate.other_minima[:2]
        return np.stack([self.theta, *(inside(self.fit.law, minimum.coefs, self.grid) for minimum in others)])


def setup_of(
    fit: Fit, scheme: Scheme, seed: int, chunk: int | None, clock: Clock, tables: Tables | None = None
) -> Setup:
    """Return the setup of a fit's replicates; call it in float64 and on the device.

    chunk: most lanes per program call.   tables: of a scheme that draws from these.   Raises as `bootstrap` does.
    """
    _check(fit, chunk)
    check_clusters(fit.runs, scheme, has_own=grouping_of(fit.law) is not None)
    check_seed(seed)
    law, objective, method = fit.law, fit.objective, SOLVERS.resolve(fit.solver)
    batch = batch_of(fit.runs, law, objective, len(fit.free))
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
    fine, scale = (max(objective.scale, objective.limit * spread, share * spread) for share in (FINE, WARM))
    bound = bound_of(fit)
    if tables is not None:
        job = replace(job, fitted=tables)
    elif "residuals" in scheme.needs:
        if fit.dof < 1:
            runs, coefs = counted(int(np.sum(fit.runs.weight > 0)), "run"), counted(len(fit.free), "coef")
            raise UsageError(NONE_LEFT.format(scheme=scheme.name, runs=runs, coefs=coefs))
        place = theta if bound is None else np.where(bound.is_held, bound.stand, bound.start)
        job = replace(job, fitted=fitted_of(fit, job, place, clock))
    return Setup(fit, job, bound, theta, grid, fine, scale, max(scale, WIDE * spread))


def fitted_of(fit: Fit, job: Job, theta: np.ndarray, clock: Clock) -> Fitted:
    """Return the point fit on its rows, for schemes that need residuals; theta: (p,), where it lies.

    A row of weight zero has no leverage. Directions of the coefs to which no prediction responds have none either.
    """
    batch = job.batch
    free = np.array([name in fit.free and name not in fit.held for name in fit.law.names])
    leverage = leverage_of(jacobian_at(job, batch, theta, clock)[:, free], batch)
    residual = np.asarray(fit.residuals, dtype=np.float64)
    return Fitted(batch.target[: batch.count] + residual, residual, leverage)


def leverage_of(jacobian: np.ndarray, batch: Batch) -> np.ndarray:
    """Return the leverage (n,) of rows, by the weighted Jacobian (m, p) of those that count; zero in others."""
    frame, size, _ = np.linalg.svd(jacobian, full_matrices=False)
    frame = frame[:, size > np.finfo(np.float64).eps * max(frame.shape) * np.max(size, initial=0.0)]
    leverage = np.zeros(batch.count)
    leverage[np.flatnonzero(batch.weight[: batch.count] > 0)] = np.sum(frame**2, axis=1)
    return leverage


def _check(fit: Fit, chunk: int | None) -> None:
    if chunk is not None and (isinstance(chunk, bool) or not isinstance(chunk, int | np.integer) or chunk < 1):
        raise UsageError(CHUNK_NOT_POSITIVE.format(chunk=chunk))
    if fit.common:
        raise UsageError(ONE_GROUP.format(common=", ".join(fit.common)))
    if not fit.free:
        raise UsageError(NOTHING_FREE.format(law=fit.law.name))
    if not fit.is_usable:
        raise UsageError(FIT_UNUSABLE.format(status=fit.status))


def check_clusters(runs: Runs, scheme: Scheme, *, has_own: bool) -> None:
    """Raise UsageError or RunsError unless a scheme that draws groups has enough of them; others need none.

    has_own: whether a law is fitted in which each group has coefs of its own.
    """
    if not scheme.has_groups:
        return
    if runs.group is None:
        raise UsageError(NO_GROUPS.format(scheme=scheme.name))
    if has_own:
        raise UsageError(OWN_COEFS.format(scheme=scheme.name))
    count = len(np.unique(clusters_of(runs.group, len(runs))[runs.weight > 0]))
    if count < LEAST_CLUSTERS:
        groups, source = counted(count, "group"), shown_name(runs.origin.source)
        raise RunsError(TOO_FEW.format(source=source, groups=groups, scheme=scheme.name, least=LEAST_CLUSTERS))


def count_of(runs: Runs, scheme: Scheme, replicates: int | None) -> int:
    """Return how many replicates are to be made; raise UsageError for a number that is none, or not that of a scheme.

    replicates: None for as many as the scheme lists, or REPLICATES.
    """
    listed = scheme.listed(runs.weight, runs.group)
    if replicates is None:
        return REPLICATES if listed is None else listed
    if isinstance(replicates, bool) or not isinstance(replicates, int | np.integer) or replicates < 1:
        raise UsageError(COUNT_NOT_POSITIVE.format(replicates=replicates))
    if listed is not None and replicates != listed:
        parts, count = "groups" if scheme.has_groups else "rows", counted(listed, "replicate")
        raise UsageError(OTHER_COUNT.format(scheme=scheme.name, count=count, parts=parts, replicates=replicates))
    return int(replicates)


def still_open(findings: Iterable[Finding], scheme: Scheme) -> tuple[Finding, ...]:
    """Return the findings as they stand after a bootstrap, without those whose advice its scheme follows."""
    left = (one for one in findings if not (scheme.has_groups and one.code in FOLLOWED))
    return tuple(under_scheme(one, scheme.name) for one in left)

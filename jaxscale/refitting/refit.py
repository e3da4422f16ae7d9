"""Refits of a range of replicates, which depend on the fit, the survey and the range, and on nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import numpy as np

from jaxscale import precision
from jaxscale.engine import placement
from jaxscale.engine.compiling import Clock
from jaxscale.engine.data import chunks
from jaxscale.engine.job import draws
from jaxscale.errors import UsageError
from jaxscale.fitting.checking import differs, recomputed
from jaxscale.fitting.covariance import covariances_at
from jaxscale.fitting.optimum import VIEWED, views_of_lanes
from jaxscale.fitting.settling import INSIDE, Settling
from jaxscale.objectives import weight_of
from jaxscale.refitting.restarting import rescue, settling_of
from jaxscale.refitting.setup import Setup, setup_of
from jaxscale.refitting.starting import PRICING, Pool, solve_replicates
from jaxscale.refitting.survey import BOUNDS, SURVEY, Survey
from jaxscale.resampling import redraw
from jaxscale.results import Fit
from jaxscale.stages import SILENT, Stages
from jaxscale.status import Status

TOGETHER = 1 << 16
"""Replicates whose starts are in memory at a time."""

COVARIANCES = "standard errors"
RANGE = "{done:,} of {total:,} done"

NOT_LISTED = "replicate {last} is asked for, and the scheme '{scheme}' has {count} of this table"
NOT_REPLICATES = "replicates = {replicates!r}: a range of whole numbers from 0 on is expected, such as range(100, 200)"


@dataclass(frozen=True)
class Refits:
    """Refits of replicates (k,), NumPy.

    Attributes
    ----------
    replicate
        (k,), which replicates these are, counted from 0.
    coefs
        (k, p), in the law's order.
    value
        (k,), the objective on each replicate's own table.
    status
        (k,) int8 codes of Status.
    steps
        (k,) evaluations.
    is_open
        (k, p) bool, coefs that have no value.
    backend
        The platform that they were computed on.
    clock
        The seconds spent.
    covariance
        (k, p, p) of the coefs, where it was asked for, else None.
    """

    replicate: np.ndarray
    coefs: np.ndarray
    value: np.ndarray
    status: np.ndarray
    steps: np.ndarray
    is_open: np.ndarray
    backend: str
    clock: Clock
    covariance: np.ndarray | None = None


def refit(
    fit: Fit, survey: Survey, replicates: Sequence[int], *, covariance: bool = False, device: str = "auto"
) -> Refits:
    """Return the refits of these replicates, the same to the bit in whatever range they are asked for.

    Parameters
    ----------
    fit
        The point fit.
    survey
        Of this fit, which is not checked.
    replicates
        Whole numbers from 0 on, such as range(100, 200).
    covariance
        Whether that of the coefs is computed in each.
    device
        Where to compute: auto, cpu, gpu or tpu.

    Returns
    -------
    Refits
        In the order of `replicates`.

    Raises
    ------
    UsageError
        For replicates that are no whole numbers from 0 on, or not there; and as `js.bootstrap`.
    RunsError, MissingDependencyError
        As `js.bootstrap`.

    Examples
    --------
    >>> found = js.refitting.survey(fit, seed=0)
    >>> part = js.refitting.refit(fit, found, range(8, 16))
    >>> np.array_equal(part.value, ensemble.value[8:16])
    True
    """
    asked = np.asarray(replicates)
    if asked.ndim != 1 or not len(asked) or not np.issubdtype(asked.dtype, np.integer) or asked.min() < 0:
        raise UsageError(NOT_REPLICATES.format(replicates=replicates))
    listed = survey.scheme.listed(fit.runs.weight, fit.runs.group)
    if listed is not None and asked.max() >= listed:
        raise UsageError(NOT_LISTED.format(last=int(asked.max()), scheme=survey.scheme.name, count=listed))
    clock = Clock()
    with precision.float64(), placement.on(device):
        setup = setup_of(fit, survey.scheme, survey.seed, survey.chunk, clock)
        return refit_of(setup, survey, asked, clock, covariance=covariance)


def refit_of(
    setup: Setup,
    survey: Survey,
    replicate: np.ndarray,
    clock: Clock,
    told: Stages = SILENT,
    *,
    covariance: bool = False,
) -> Refits:
    """Return the refits of replicates (k,), as `refit` does, some of them at a time."""
    told.begin(PRICING)
    pool = Pool.of(setup, survey.theta, survey.index, survey.bounds, clock, survey.descents)
    parts = [
        _refit_some(setup, survey, pool, replicate[part], clock, _part_of(told, replicate, part), covariance=covariance)
        for part in chunks(len(replicate), TOGETHER)
    ]
    coefs, value, status, steps, is_open = (np.concatenate(arrays) for arrays in list(zip(*parts, strict=True))[:5])
    spread = np.concatenate([part[5] for part in parts]) if covariance else None
    return Refits(replicate, coefs, value, status, steps, is_open, placement.current().platform, clock, spread)


def _part_of(told: Stages, replicate: np.ndarray, part: slice) -> Stages:
    """Return the stages of one of several parts, under how many replicates are done; of the only one as they are."""
    total = len(replicate)
    return told if total <= TOGETHER else told.within(RANGE.format(done=part.start, total=total))


def _refit_some(
    setup: Setup,
    survey: Survey,
    pool: Pool,
    replicate: np.ndarray,
    clock: Clock,
    told: Stages,
    *,
    covariance: bool,
) -> tuple[np.ndarray, ...]:
    """Return coefs, value, status, steps, is_open and covariance of replicates (k,), as in `Refits`."""
    solved = solve_replicates(setup, pool, replicate, clock, told)
    outcome = solved.outcome
    told.begin(BOUNDS)
    settling = settling_of(setup, outcome, solved.index, replicate, survey.bounds, clock)
    settling.told, settling.often = len(survey.bounds), survey.often
    settling.settle(np.arange(len(replicate)))
    rescue(settling, setup, survey.minima, told)
    settling.tell_plainly()
    is_known = replicate < SURVEY
    outcome.steps[is_known] += survey.steps[replicate[is_known]]
    coefs = settling.coefs()
    value, status = _checked(setup.fit, survey, settling, coefs)
    spread = _covariances(setup, settling, clock, told) if covariance else np.empty(0)
    return coefs, value, status, outcome.steps, settling.is_open(), spread


def _checked(fit: Fit, survey: Survey, settling: Settling, coefs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the objective (k,) of replicates and their statuses, `stalled` where coefs (k, p) do not give it.

    Inside, coefs are those of theta: they are what was minimised and need no check, but for an objective that is a
    limit, whose value is that limit.
    """
    outcome = settling.outcome
    value, status = outcome.value.copy(), outcome.status.copy()
    lanes = np.arange(len(value)) if fit.objective.limit else np.flatnonzero(settling.index != INSIDE)
    if not len(lanes):
        return value, status
    replicate, weight = settling.replicate[lanes], weight_of(fit.runs, fit.objective)
    draw = redraw(survey.scheme, survey.seed, replicate, weight, fit.runs.group, survey.fitted)
    again = recomputed(fit.law, fit.objective, fit.runs, coefs[lanes], *draw)
    own = again if fit.objective.limit else value[lanes]
    is_wrong = ~np.isfinite(again) | differs(own, again, fit.runs, fit.objective)
    value[lanes] = np.where(is_wrong, value[lanes], again)
    status[lanes[is_wrong & (status[lanes] <= Status.AT_BOUND)]] = Status.STALLED
    return value, status


def _covariances(setup: Setup, settling: Settling, clock: Clock, told: Stages) -> np.ndarray:
    """Return the covariances (k, p, p) of the coefs of replicates, in the units of the coefs.

    NaN in replicates that are not usable, or whose runs are no more than the coefs. Rows and columns of coefs that are
    fixed or held at a bound are zero. A row that was drawn twice counts as two.
    """
    outcome, job = settling.outcome, setup.job
    found = np.full((*outcome.theta.shape, outcome.theta.shape[1]), np.nan)
    if setup.fit.objective.limit:  # which has none
        return found
    usable, weight = np.flatnonzero(outcome.status <= Status.AT_BOUND), job.batch.weight
    held = np.stack([np.zeros_like(job.active, dtype=bool), *(bound.is_held for bound in settling.bounds)])
    told.begin(COVARIANCES, len(usable))
    for part in chunks(len(usable), max(1, VIEWED // 4 // len(weight))):
        lanes = usable[part]
        theta, draw = outcome.theta[lanes], draws(job, settling.replicate[lanes], clock)
        views = views_of_lanes(job, theta, draw.shift, setup.fit.objective.scale, clock)
        times = draw.weight / np.where(weight > 0, weight, 1.0)
        place = settling.index[lanes]
        for at in np.unique(place):
            own = np.flatnonzero(place == at)
            found[lanes[own]] = covariances_at(
                setup.fit.objective,
                job.problem.pairs,
                jax.tree.map(lambda leaf, own=own: leaf[own], views),
                weight,
                setup.fit.objective.scale,
                (job.active > 0) & ~held[at + 1],
                times[own],
            )
        found[lanes] = setup.fit.law.coordinates.of_coefs(theta, found[lanes])
        told.done(len(lanes))
    return found

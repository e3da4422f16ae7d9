"""The survey: what the first replicates show of a table's bounds and basins, for all of them to be tried at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jaxscale import precision
from jaxscale.engine import placement
from jaxscale.engine.compiling import Clock
from jaxscale.engine.scheduler import solve_lanes
from jaxscale.engine.starts import STARTS
from jaxscale.fitting.bounds import Bound
from jaxscale.fitting.settling import INSIDE, Settling
from jaxscale.refitting.restarting import NEIGHBOURS, rescue, settling_of
from jaxscale.refitting.setup import Setup, setup_of
from jaxscale.refitting.starting import PRICING, Pool, keep_lower, solve_replicates
from jaxscale.resampling import SCHEMES, Fitted, Scheme, Tables
from jaxscale.results import Fit
from jaxscale.stages import SILENT, Stages
from jaxscale.status import Status

SURVEYING = "survey"
WIDELY = "from a wide scale"
BOUNDS = "bounds"

SURVEY = 256
"""Replicates, the first, that look for bounds and for minima on behalf of all."""
SELDOM = 2
"""Further descents of the survey's last round, of which so few lead to another minimum that no other replicate needs
one: of the other minima two in a hundred are lower."""
SEEDS = 32
"""Of those, that begin from the point fit, before there are minima to begin from."""


@dataclass(frozen=True)
class Survey:
    """What every replicate is told; arrays are NumPy's.

    Attributes
    ----------
    scheme, seed
        As in `js.bootstrap`.
    chunk
        Most lanes per program call, as in `js.bootstrap`.
    bounds
        Those at which a replicate may have its minimum.
    theta
        (K, p), the points of the real line from which replicates may start: the point fit and the survey's minima.
    index
        (K,), of the bound at which each of these lies, -1 for none.
    steps
        (SURVEY,) evaluations that each of its replicates took.
    fitted
        For schemes that need residuals; the tables of one that draws from these.
    descents
        On surrogates, of a replicate: 1 where a second one seldom leads to another minimum.
    """

    scheme: Scheme
    seed: int
    chunk: int | None
    bounds: tuple[Bound, ...]
    theta: np.ndarray
    index: np.ndarray
    steps: np.ndarray
    fitted: Fitted | Tables | None
    descents: int

    @property
    def minima(self) -> np.ndarray:
        """(K, p), those inside at which failed replicates are tried."""
        return self.theta[self.index == INSIDE][:NEIGHBOURS]

    @property
    def often(self) -> np.ndarray:
        """(k,), how many of these points lie at each of the bounds."""
        return np.bincount(self.index[self.index != INSIDE], minlength=len(self.bounds))


def survey(
    fit: Fit, *, scheme: Scheme | str = "pairs", seed: int = 0, chunk: int | None = None, device: str = "auto"
) -> Survey:
    """Return what the first SURVEY replicates show, whatever the number of replicates to come.

    Parameters
    ----------
    fit
        The fit whose replicates are to be refitted.
    scheme, seed, chunk, device
        As in `js.bootstrap`.

    Returns
    -------
    Survey
        For `refit` and `gather`.

    Raises
    ------
    UsageError, RunsError, MissingDependencyError
        As `js.bootstrap`.

    Examples
    --------
    >>> found = js.refitting.survey(fit, seed=0)
    >>> parts = [js.refitting.refit(fit, found, range(a, a + 32)) for a in (0, 32)]
    >>> whole = js.refitting.gather(fit, found, parts)
    >>> np.array_equal(whole.value, ensemble.value)
    True
    """
    clock = Clock()
    with precision.float64(), placement.on(device):
        return survey_of(setup_of(fit, SCHEMES.resolve(scheme), seed, chunk, clock), clock)


def survey_of(setup: Setup, clock: Clock, told: Stages = SILENT) -> Survey:
    """Return the survey of the first replicates.

    The first few start from the point fit, and where rho has a threshold from a wide scale, too; all of them then from
    what those found, and once more from what all found.
    """
    told = told.within(SURVEYING)
    told.begin(PRICING)
    known, bounds = _known(setup), () if setup.bound is None else (setup.bound,)
    seeds, replicate = np.arange(SEEDS), np.arange(SURVEY)
    first = solve_replicates(setup, Pool.of(setup, *known, bounds, clock), seeds, clock, told).outcome
    found = [first.theta[first.status == Status.CONVERGED]]
    steps = np.pad(first.steps, (0, SURVEY - SEEDS))
    if setup.has_basins:
        start, wide = np.tile(setup.theta, (SEEDS, 1)), np.full(SEEDS, setup.wide)
        told.begin(WIDELY, len(seeds))
        first = solve_lanes(setup.job, seeds, start, wide, clock, told.done)
        found.append(first.theta[first.status == Status.CONVERGED])
        steps[:SEEDS] += first.steps
    seen = np.concatenate(found)
    pool = Pool.of(setup, *_joined(known, (seen, np.full(len(seen), INSIDE))), bounds, clock)
    solved = solve_replicates(setup, pool, replicate, clock, told)
    outcome = solved.outcome
    told.begin(BOUNDS)
    settling = settling_of(setup, outcome, solved.index, replicate, bounds, clock)
    settling.settle(replicate)
    rescue(settling, setup, outcome.theta[outcome.status == Status.CONVERGED][:NEIGHBOURS], told)
    told.begin(PRICING)
    before = settling.copy()
    pool = Pool.of(setup, *_joined(known, _minima(settling)), settling.bounds, clock)
    again = solve_replicates(setup, pool, replicate, clock, told)
    keep_lower(outcome, replicate, again.outcome, setup.floor)
    told.begin(BOUNDS)
    settling.settle_moved(before, again.index)
    settling.tell_plainly()
    steps += outcome.steps
    job = setup.job
    theta, index = _joined(known, _minima(settling))
    descents = STARTS if again.others > SELDOM else 1
    return Survey(job.scheme, job.seed, job.width, tuple(settling.bounds), theta, index, steps, job.fitted, descents)


def _known(setup: Setup) -> tuple[np.ndarray, np.ndarray]:
    """Return the points (k, p) that are known before any replicate, and the index of the bound of each."""
    places = setup.places
    theta, index = places, np.full(len(places), INSIDE)
    if setup.bound is None:
        return theta, index
    stand = np.where(setup.bound.is_held, setup.bound.stand, setup.bound.start)
    return np.concatenate([stand[None], theta]), np.concatenate([[0], index])


def _minima(settling: Settling) -> tuple[np.ndarray, np.ndarray]:
    """Return theta (k, p) of the usable lanes, and the index of the bound of each."""
    usable = settling.outcome.status <= Status.AT_BOUND
    return settling.outcome.theta[usable], settling.index[usable]


def _joined(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the points of both, with the indices of their bounds."""
    return np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1]])

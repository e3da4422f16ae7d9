"""The survey: what the first replicates show of a table's bounds and basins, for all of them to be tried at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jaxscale import precision
from jaxscale.engine import placement
from jaxscale.engine.compiling import Clock
from jaxscale.engine.scheduler import Outcome
from jaxscale.fitting.bounds import Bound
from jaxscale.refitting.restarting import NEIGHBOURS, keep_lower, leave_bound, rescue, settling_of
from jaxscale.refitting.setup import Setup, setup_of
from jaxscale.resampling import SCHEMES, Fitted, Scheme
from jaxscale.results import Fit
from jaxscale.status import Status

SURVEY = 256
"""Replicates, the first, that look for bounds and for other basins on behalf of all."""


@dataclass(frozen=True)
class Survey:
    """What every replicate is told; arrays are NumPy's.

    Attributes
    ----------
    scheme, seed
        As in `js.bootstrap`.
    chunk
        Most lanes per program call, as in `js.bootstrap`.
    narrow, wide
        The first SURVEY replicates as solved from the point fit, from the first scale of a replicate and from a wide
        one, the latter of no lanes where rho has no threshold.
    bounds
        Those at which a replicate may have its minimum.
    minima
        (K, p), at which failed replicates are tried.
    basins
        (K, p), the minima of the survey's replicates where any of them has a second one, else None.
    fitted
        For schemes that need residuals.
    """

    scheme: Scheme
    seed: int
    chunk: int | None
    narrow: Outcome
    wide: Outcome
    bounds: tuple[Bound, ...]
    minima: np.ndarray
    basins: np.ndarray | None
    fitted: Fitted | None


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
        setup = setup_of(fit, SCHEMES.resolve(scheme), seed, chunk, clock)
        index, scale = lanes_of(setup, np.arange(SURVEY))
        return survey_of(setup, *split(setup.first(index, scale, clock), setup), clock)


def lanes_of(setup: Setup, replicate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lanes (L,) of replicates (k,) and their first scales (L,).

    The survey's wide ones stand before them: they take longest, so they begin.
    """
    wide = np.arange(SURVEY if setup.has_basins else 0)
    return np.concatenate([wide, replicate]), np.repeat([setup.wide, setup.scale], [len(wide), len(replicate)])


def split(outcome: Outcome, setup: Setup) -> tuple[Outcome, Outcome]:
    """Return the lanes of replicates, and the survey's wide ones, of what the lanes of `lanes_of` came to."""
    wide = SURVEY if setup.has_basins else 0
    return Outcome(*(part[wide:] for part in outcome)), Outcome(*(part[:wide] for part in outcome))


def survey_of(setup: Setup, narrow: Outcome, wide: Outcome, clock: Clock) -> Survey:
    """Return the survey of the first replicates as `Setup.first` left them.

    narrow, wide: Outcomes of SURVEY lanes, the latter of none where there is one basin.
    """
    replicate, outcome, beyond = np.arange(SURVEY), copied(narrow), copied(wide)
    settling = settling_of(setup, outcome, replicate, clock)
    settling.settle(replicate)
    minima = outcome.theta[outcome.status == Status.CONVERGED][:NEIGHBOURS]
    rescue(settling, setup, minima)
    before = settling.copy()
    leave_bound(setup, beyond, replicate[: len(beyond.value)], clock)
    has_second = len(beyond.value) > 0 and keep_lower(outcome, replicate, beyond, setup.floor)
    basins = outcome.theta[outcome.status == Status.CONVERGED] if has_second else None
    settling.settle_moved(before)
    job = setup.job
    return Survey(job.scheme, job.seed, job.width, narrow, wide, tuple(settling.bounds), minima, basins, job.fitted)


def copied(outcome: Outcome) -> Outcome:
    """Return a copy that may be written to."""
    return Outcome(*(part.copy() for part in outcome))

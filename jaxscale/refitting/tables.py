"""Refits of many tables at once, which have the rows of one fit and other losses, and of replicates of each of them."""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np

from jaxscale import precision
from jaxscale.engine import placement
from jaxscale.engine.compiling import Clock
from jaxscale.engine.data import chunks
from jaxscale.fitting.bounds import standing
from jaxscale.fitting.covariance import covariances_at
from jaxscale.fitting.optimum import VIEWED, views_of_lanes
from jaxscale.fitting.sandwich import sandwiches_at
from jaxscale.objectives import weight_of
from jaxscale.refitting.refit import refit_of
from jaxscale.refitting.setup import Setup, leverage_of, setup_of
from jaxscale.refitting.survey import survey_of
from jaxscale.resampling import Fitted, Scheme, Tables, scheme_of_tables, simulated_shifts
from jaxscale.results import Fit, Nested
from jaxscale.stages import SILENT, Stages
from jaxscale.status import Status

SIMULATED = "simulated tables"


class TableFits(NamedTuple):
    """Fits of T tables, or of R replicates of each of them, which are (R, T, …) then.

    coefs: (T, p), NaN where one is not usable, or a coef has no value.   status: (T,) int8 codes of Status.
    covariance: (T, p, p) of the coefs where it was asked for, else None.
    """

    coefs: np.ndarray
    status: np.ndarray
    covariance: np.ndarray | None = None

    @property
    def is_usable(self) -> np.ndarray:
        """(T,) bool, those that ended at a minimum."""
        return self.status <= Status.AT_BOUND


def fits_of_tables(
    fit: Fit, shift: np.ndarray, *, seed: int = 0, clock: Clock | None = None, device: str = "auto"
) -> TableFits:
    """Return the fits of a fit's law to T tables, whose targets are those of the fit's own table and shift (T, n)."""
    found = _solved(fit, None, Tables(shift), 1, seed, clock or Clock(), device)
    return TableFits(found.coefs[0], found.status[0])


def refits_of_tables(
    fit: Fit,
    scheme: Scheme,
    tables: Tables,
    replicates: int,
    *,
    seed: int = 0,
    covariance: bool = False,
    clock: Clock | None = None,
    device: str = "auto",
    told: Stages = SILENT,
) -> TableFits:
    """Return R replicates of each of T tables by a scheme, (R, T, …).

    tables: with the point fit on each for a scheme that reads residuals, from `fitted_to_tables`.
    """
    return _solved(fit, scheme, tables, replicates, seed, clock or Clock(), device, told, covariance=covariance)


def fitted_to_tables(
    fit: Fit,
    shift: np.ndarray,
    fits: TableFits,
    *,
    has_robust: bool = False,
    clock: Clock | None = None,
    device: str = "auto",
) -> tuple[Fitted, np.ndarray, list[dict[str, np.ndarray]]]:
    """Return the point fit on the rows of each of T tables, of parts (T, n), and covariances (T, p, p) of its coefs.

    has_robust: whether the sandwiches of each are asked for, as in `Fit.robust`. Those of a table whose fit is not
    usable are the prediction of the fit itself, NaN, and nothing.
    """
    timed = clock or Clock()
    with precision.float64(), placement.on(device):
        setup = setup_of(fit, scheme_of_tables(None, len(shift)), 0, None, timed, Tables(shift))
        return _fitted(setup, shift, fits, timed, has_robust=has_robust)


def nested_of(
    fit: Fit,
    scheme: Scheme,
    noise: Scheme,
    tables: int,
    replicates: int,
    *,
    seed: int = 0,
    clock: Clock | None = None,
    device: str = "auto",
    told: Stages = SILENT,
) -> Nested:
    """Return replicates, by a scheme, of tables simulated from a fit with noise by another one."""
    timed = clock or Clock()
    first, second, third = seeds_from(seed, 3)  # the noise and the draws of one seed would have their bits in common
    shift = simulated_losses(fit, noise, tables, seed=first, clock=timed, device=device)
    fitted = None
    if "residuals" in scheme.needs:
        own = fits_of_tables(fit, shift, seed=second, clock=timed, device=device)
        fitted = fitted_to_tables(fit, shift, own, clock=timed, device=device)[0]
    given = Tables(shift, fitted)
    found = refits_of_tables(
        fit, scheme, given, replicates, seed=third, clock=timed, device=device, told=told.within(SIMULATED)
    )
    coefs = {name: found.coefs[..., at] for at, name in enumerate(fit.law.names)}
    return Nested(noise.name, seed, coefs, found.status)


def seeds_from(seed: int, count: int) -> list[int]:
    """Return so many seeds that share nothing with one another or with the one that they follow from."""
    return [int(one) for one in np.random.SeedSequence(seed).generate_state(count)]


def simulated_losses(
    fit: Fit, noise: Scheme, tables: int, *, seed: int = 0, clock: Clock | None = None, device: str = "auto"
) -> np.ndarray:
    """Return the shifts (T, n) of tables simulated from a fit, with noise by a scheme; UsageError for one without."""
    with precision.float64(), placement.on(device):
        known = setup_of(fit, noise, seed, None, clock or Clock()).job.fitted
    weight = weight_of(fit.runs, fit.objective)
    return simulated_shifts(noise, seed, tables, weight, fit.runs.group, known if isinstance(known, Fitted) else None)


def _solved(
    fit: Fit,
    scheme: Scheme | None,
    tables: Tables,
    replicates: int,
    seed: int,
    clock: Clock,
    device: str,
    told: Stages = SILENT,
    *,
    covariance: bool = False,
) -> TableFits:
    count = len(tables.shift)
    with precision.float64(), placement.on(device):
        setup = setup_of(fit, scheme_of_tables(scheme, count), seed, None, clock, tables)
        asked = np.arange(replicates * count)
        found = refit_of(setup, survey_of(setup, clock, told), asked, clock, told, covariance=covariance)
    is_known = (found.status <= Status.AT_BOUND)[:, None] & ~found.is_open
    coefs = np.where(is_known, found.coefs, np.nan)
    for at, name in enumerate(fit.law.names):
        if name in fit.fixed:
            coefs[:, at] = fit.coefs[name]
    spread = (
        None if found.covariance is None else found.covariance.reshape(replicates, count, *found.covariance.shape[1:])
    )
    return TableFits(coefs.reshape(replicates, count, -1), found.status.reshape(replicates, count), spread)


def _fitted(
    setup: Setup, shift: np.ndarray, fits: TableFits, clock: Clock, *, has_robust: bool
) -> tuple[Fitted, np.ndarray, list[dict[str, np.ndarray]]]:
    fit, job, law = setup.fit, setup.job, setup.fit.law
    batch, count = job.batch, job.batch.count
    free = np.array([name in fit.free for name in law.names])
    parts = [np.tile(part, (len(shift), 1)) for part in (batch.target[:count], np.zeros(count), np.zeros(count))]
    prediction, residual, leverage = parts
    covariance = np.full((len(shift), len(law.names), len(law.names)), np.nan)
    robust: list[dict[str, np.ndarray]] = [{} for _ in shift]
    group = None if fit.runs.group is None else batch.cluster
    padded = np.pad(shift, ((0, 0), (0, len(batch.target) - count)))
    counts, known = np.flatnonzero(batch.weight > 0), np.flatnonzero(fits.is_usable & ~np.isnan(fits.coefs).any(axis=1))
    for part in chunks(len(known), max(1, VIEWED // 4 // len(batch.target))):
        some = known[part]
        theta, is_held = standing(law, fits.coefs[some], setup.grid)
        views = views_of_lanes(job, theta, padded[some], fit.objective.scale, clock)
        residual[some] = np.asarray(views.residual)[:, :count]
        prediction[some] = batch.target[:count] + shift[some] + residual[some]
        rows = np.sqrt(batch.weight[counts])[:, None] * np.asarray(views.jacobian)[:, counts]
        for kind in np.unique(is_held, axis=0):
            own, moved = np.flatnonzero((is_held == kind).all(axis=1)), free & ~kind
            seen = jax.tree.map(lambda leaf, own=own: np.asarray(leaf)[own], views)
            leverage[some[own]] = np.stack([leverage_of(one, batch) for one in rows[own][:, :, moved]])
            once, scale = np.ones((len(own), len(batch.weight))), fit.objective.scale
            several = covariances_at(fit.objective, job.problem.pairs, seen, batch.weight, scale, moved, once)
            covariance[some[own]] = law.coordinates.of_coefs(theta[own], several)
            for place, lane in enumerate(own if has_robust else ()):
                at = jax.tree.map(lambda leaf, place=place: leaf[place], seen)
                found = sandwiches_at(fit.objective, job.problem.pairs, at, batch.weight, scale, moved, group)
                robust[some[lane]] = {by: law.coordinates.of_coefs(theta[lane], each) for by, each in found.items()}
    return Fitted(prediction, residual, leverage), covariance, robust

"""Simulated studies: their fits and, for each scheme, their ensembles, all solved together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.objectives import weight_of
from jaxscale.provenance import Provenance
from jaxscale.refitting.bootstrap import noise_for
from jaxscale.refitting.tables import (
    TableFits,
    fits_of_tables,
    fitted_to_tables,
    refits_of_tables,
    seeds_from,
    simulated_losses,
)
from jaxscale.resampling import SCHEMES, Fitted, Scheme, Tables, simulated_shifts
from jaxscale.results import Ensemble, Fit, Nested
from jaxscale.stages import Stages
from jaxscale.status import Status

WITHOUT_VALUE = "a coef without a value at a bound"
TOGETHER = 20_000
"""Most simulated tables of simulated studies that are solved together."""


@dataclass(frozen=True)
class Simulated:
    """S studies on the runs of a fit whose losses were simulated from it.

    shift: (S, n), added to the targets.   fits: of S tables.   fitted, covariance: the point fits on the rows, of parts
    (S, n), and the covariances (S, p, p) of their coefs, and the sandwiches; None where no method reads them.
    """

    fit: Fit
    shift: np.ndarray
    fits: TableFits
    fitted: Fitted | None
    covariance: np.ndarray | None
    robust: list[dict[str, np.ndarray]] | None = None

    @property
    def usable(self) -> np.ndarray:
        """(s,) the places of the studies that can have an interval: whose fit is usable, with a value of every coef."""
        return np.flatnonzero(self.fits.is_usable & ~np.isnan(self.fits.coefs).any(axis=1))

    @property
    def failed(self) -> dict[str, int]:
        """Why the other studies have no interval: a status, or a coef without a value at a bound → how many."""
        codes, numbers = np.unique(self.fits.status[~self.fits.is_usable], return_counts=True)
        found = {str(Status(code)): int(number) for code, number in zip(codes, numbers, strict=True)}
        without = int(self.fits.is_usable.sum()) - len(self.usable)
        return {**found, WITHOUT_VALUE: without} if without else found

    def fit_of(self, study: int) -> Fit:
        """Return the fit of one study: that of the truth with the study's coefs and standard errors."""
        law, covariance = self.fit.law, None if self.covariance is None else self.covariance[study]
        coefs = {name: float(one) for name, one in zip(law.names, self.fits.coefs[study], strict=True)}
        robust = {} if self.robust is None else self.robust[study]
        made = replace(
            self.fit, coefs=coefs, covariance=covariance, robust=robust, findings=(), held=(), unidentified=()
        )
        made = replace(made, held=made.at_bound)
        std: dict[str, float | None] = dict.fromkeys(law.names)
        if covariance is not None and not np.isnan(covariance).all():
            error = dict(zip(law.names, np.sqrt(np.diagonal(covariance)), strict=True))
            std |= {name: float(error[name]) for name in made.free if name not in made.held}
        return replace(made, std=std)


def simulate_studies(
    fit: Fit,
    noise: Scheme,
    studies: int,
    *,
    has_errors: bool,
    has_robust: bool,
    seed: int,
    clock: Clock,
    device: str,
) -> Simulated:
    """Return simulated studies, each fitted.

    has_errors: whether methods read residuals or standard errors.   has_robust: whether they read sandwiches, too.
    """
    first, second = seeds_from(seed, 2)
    shift = simulated_losses(fit, noise, studies, seed=first, clock=clock, device=device)
    fits = fits_of_tables(fit, shift, seed=second, clock=clock, device=device)
    fitted, covariance, robust = None, None, None
    if has_errors:
        fitted, covariance, robust = fitted_to_tables(
            fit, shift, fits, has_robust=has_robust, clock=clock, device=device
        )
    return Simulated(fit, shift, fits, fitted, covariance, robust)


def ensembles_of(
    studies: Simulated,
    scheme: Scheme,
    replicates: int,
    parts: Iterable[str],
    *,
    nested: tuple[int, int],
    seed: int,
    clock: Clock,
    device: str,
    told: Stages,
) -> Iterator[Ensemble]:
    """Yield the ensemble of each usable study by a scheme.

    parts: what is made beside the replicates, by the names of the arguments of `js.bootstrap`.   nested: how many
    tables are simulated from each study, and how often each is resampled.
    """
    fit, known, wanted = studies.fit, studies.usable, set(parts)
    first, second, third = seeds_from(seed, 3)
    given = Tables(studies.shift, studies.fitted)
    has_errors = "covariance" in wanted
    found = refits_of_tables(
        fit, scheme, given, replicates, seed=first, covariance=has_errors, told=told, clock=clock, device=device
    )
    left: TableFits | None = None
    if "jackknife" in wanted:
        without = SCHEMES.resolve("jackknife-cluster" if scheme.has_groups else "jackknife")
        count = without.listed(fit.runs.weight, fit.runs.group)
        assert count is not None  # as a jackknife lists its replicates
        left = refits_of_tables(fit, without, given, count, seed=second, told=told, clock=clock, device=device)
    inner: Iterator[Nested | None] = iter([None] * len(known))
    if "nested" in wanted:
        inner = _nested(studies, scheme, *nested, seed=third, told=told, clock=clock, device=device)
    for study, own in zip(known.tolist(), inner, strict=True):
        own_fit = studies.fit_of(study)
        jackknife = None if left is None else _ensemble(own_fit, without, second, left, study, None, None)
        yield _ensemble(own_fit, scheme, first, found, study, jackknife, own)


def _ensemble(
    fit: Fit,
    scheme: Scheme,
    seed: int,
    found: TableFits,
    study: int,
    jackknife: Ensemble | None,
    nested: Nested | None,
) -> Ensemble:
    """Return the ensemble of one study, of replicates (R, S) of all; evaluations and objectives are not kept."""
    coefs, status = found.coefs[:, study], found.status[:, study]
    covariance = None if found.covariance is None else found.covariance[:, study]
    return Ensemble(
        fit=fit,
        scheme=scheme,
        seed=seed,
        coefs={name: coefs[:, at] for at, name in enumerate(fit.law.names)},
        value=np.full(len(status), np.nan),
        status=status,
        steps=np.zeros(len(status), np.int32),
        findings=(),
        provenance=Provenance.of("", 0.0, 0.0, 0),
        without={name: mask for at, name in enumerate(fit.law.names) if (mask := np.isnan(coefs[:, at])).any()},
        covariance=covariance,
        jackknife=jackknife,
        nested=nested,
    )


def _nested(
    studies: Simulated,
    scheme: Scheme,
    tables: int,
    replicates: int,
    *,
    seed: int,
    clock: Clock,
    device: str,
    told: Stages,
) -> Iterator[Nested]:
    """Yield of each usable study the replicates of tables simulated from it, those of some studies solved together."""
    fit, known = studies.fit, studies.usable
    noise, weight, fitted = noise_for(scheme), weight_of(fit.runs, fit.objective), studies.fitted
    assert fitted is not None  # noise is drawn from residuals
    some = max(1, min(len(known), TOGETHER // tables))
    for begin in range(0, len(known), some):
        block = known[begin : begin + some]
        asked = np.concatenate([block, np.repeat(block[-1:], some - len(block))])  # of one shape, which is one program
        seeds = seeds_from(seed + begin, some + 2)
        each = [
            studies.shift[study]
            + simulated_shifts(noise, own, tables, weight, fit.runs.group, Fitted(*(part[study] for part in fitted)))
            for study, own in zip(asked.tolist(), seeds, strict=False)
        ]
        shift = np.stack(each, axis=1).reshape(-1, each[0].shape[1])  # in turn: the first replicates are surveyed
        given = Tables(shift)
        if "residuals" in scheme.needs:
            fits = fits_of_tables(fit, shift, seed=seeds[-2], clock=clock, device=device)
            given = Tables(shift, fitted_to_tables(fit, shift, fits, clock=clock, device=device)[0])
        found = refits_of_tables(fit, scheme, given, replicates, seed=seeds[-1], clock=clock, device=device, told=told)
        for at in range(len(block)):
            own = slice(at, None, some)
            coefs = {name: found.coefs[:, own, place] for place, name in enumerate(fit.law.names)}
            yield Nested(noise.name, seed, coefs, found.status[:, own])

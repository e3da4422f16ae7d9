"""Samples of what follows from coefs: in every replicate, with each run left out, and with standard errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.intervals import Interval, Sample
from jaxscale.intervals.band import NEEDS
from jaxscale.intervals.lines import line_of
from jaxscale.intervals.spec import Line
from jaxscale.results.nested import Nested, ranks_of

if TYPE_CHECKING:
    from jaxscale.resampling import Scheme
    from jaxscale.results.ensemble import Ensemble

STEP = 1e-3
"""Of a central difference, in standard errors of a coef or in its size: its square is what the slope errs by."""
NOT_DRAWN = (
    "the replicates of the scheme '{scheme}' are no draws: each is one run, or group, away from the table, and their "
    "quantiles are no interval. Draw by another scheme, such as pairs, with jackknife=True, for the intervals "
    "'jackknife' and 'bca' (--interval jackknife)"
)

NOT_MADE = "the interval '{name}' needs {need}, which this study was made without; fit again with --interval {name}"
PARTS = {
    "std": "covariance",
    "point_std": "covariance",
    "robust_std": "covariance",
    "jackknife": "jackknife",
    "ranks": "nested",
    "profile": "profile",
}
"""What an ensemble must have been made with for an interval that needs something."""


class Sets(NamedTuple):
    """Coefs (k, p) at which something is evaluated, and how many of them have no value (k,).

    The first is the point fit; the replicates follow, then those of the jackknife, those of simulated tables and, for
    slopes, the coefs of the first 1 + R moved up and down one after the other, each where these are known.
    """

    coefs: np.ndarray
    without: np.ndarray


def check_drawn(scheme: Scheme) -> None:
    """Raise UsageError for a scheme whose replicates are no draws."""
    if scheme.is_listed:
        raise UsageError(NOT_DRAWN.format(scheme=scheme.name))


def parts_for(interval: Interval) -> dict[str, bool]:
    """Return what `js.bootstrap` is to make beside the replicates for an interval, by the names of its arguments."""
    return {part: any(PARTS.get(need) == part for need in interval.needs) for part in dict.fromkeys(PARTS.values())}


def check_made(ensemble: Ensemble, interval: Interval) -> None:
    """Raise UsageError for an interval that needs what an ensemble was made without."""
    for need in interval.needs:
        if getattr(ensemble, PARTS.get(need, "coefs")) is None:
            raise UsageError(NOT_MADE.format(name=interval.name, need=NEEDS[need]))


def coef_sample(ensemble: Ensemble, name: str) -> Sample:
    """Return the sample of one coef; raise UsageError for an unknown one, and for an ensemble of a jackknife."""
    check_drawn(ensemble.scheme)
    read = getattr(ensemble.coefs, "blocks", None)  # of a large study, whose coefs are in files
    values = ensemble.samples(name) if read is None or name not in ensemble.coefs else read(name)  # which knows names
    fit, point, std = ensemble.fit, ensemble.fit.coefs[name], ensemble.fit.std[name]
    (robust, robust_dof), at = robust_of(ensemble), fit.law.names.index(name)
    return Sample(
        values,
        np.asarray(point),
        ensemble.std(name),
        None if std is None else np.asarray(std),
        None if ensemble.jackknife is None else ensemble.jackknife.samples(name),
        None if ensemble.nested is None else ranks_of(ensemble.nested.coefs[name], np.asarray(point)),
        bound=point if name in fit.at_bound else None,
        line=line_of(fit.law.supports[at].name),
        dof=fit.dof_of(name),
        robust_std=None if robust is None or not robust[at, at] >= 0.0 else np.sqrt(robust[at, at]),
        robust_dof=robust_dof,
        profile=None if ensemble.profile is None else ensemble.profile.of(at),
    )


def sample_of(
    ensemble: Ensemble, evaluate: Callable[[Mapping[str, np.ndarray]], np.ndarray], *, line: Line = "real"
) -> Sample:
    """Return the sample of a quantity that follows from the coefs, for `js.band` by any method.

    Parameters
    ----------
    ensemble
        R replicates, by a scheme that draws.
    evaluate
        evaluate(coefs), of coefs name → (k,), returns the quantity (k, …) for each of these sets.
    line
        The numbers that the quantity may be: `real`, `positive` or `unit`.

    Returns
    -------
    Sample
        With `jackknife` and `ranks` where the ensemble has these, and with standard errors by the delta method, on
        slopes by central differences, where it has covariances. A profile is that of one quantity:
        `js.refitting.followed` makes it.

    Raises
    ------
    UsageError
        For an ensemble of a jackknife, whose replicates are no draws.

    Examples
    --------
    >>> half = js.results.sample_of(ensemble, lambda coefs: 0.5 ** coefs["alpha"], line="positive")
    >>> js.band(half, method="basic").n_total
    64
    """
    sets = sets_of(ensemble).coefs
    return sample_from(ensemble, evaluate(dict(zip(ensemble.fit.law.names, sets.T, strict=True))), line=line)


def sets_of(ensemble: Ensemble, *, of_point: bool = False) -> Sets:
    """Return the coefs at which a quantity is needed for its sample; the point's in place of coefs that are NaN.

    of_point: whether, where replicates have no covariances, the slopes of the point fit alone are asked for.
    """
    check_drawn(ensemble.scheme)
    point = ensemble.fit.law.vector(ensemble.fit.coefs)[None]
    parts, without = [point, _coefs(ensemble)], [np.array([len(ensemble.fit.unidentified)]), _without(ensemble)]
    if ensemble.jackknife is not None:
        parts.append(_coefs(ensemble.jackknife))
        without.append(_without(ensemble.jackknife))
    if ensemble.nested is not None:
        parts.append(_nested(ensemble, ensemble.nested))
        without.append(np.zeros(len(parts[-1]), int))
    if of_point or ensemble.covariance is not None:
        step = _steps(ensemble)
        base, base_without = (np.concatenate(some[:2])[: len(step)] for some in (parts, without))
        for at in np.flatnonzero((step > 0).any(axis=0)):
            for side in (1.0, -1.0):
                parts.append(base + side * step * (np.arange(base.shape[1]) == at))
                without.append(base_without)
    every = np.concatenate(parts)
    return Sets(np.where(np.isnan(every).any(axis=1)[:, None], point, every), np.concatenate(without))


def sample_from(ensemble: Ensemble, found: np.ndarray, *, line: Line = "real", of_point: bool = False) -> Sample:
    """Return the sample of a quantity that was evaluated at the coefs of `sets_of`: found (k, …), of its of_point."""
    count, jackknife = 1 + len(ensemble), ensemble.jackknife
    wide = (..., *(None,) * (found.ndim - 1))
    values = np.where(ensemble.usable[wide], found[1:count], np.nan)
    left, std = None, None
    if jackknife is not None:
        left = np.where(jackknife.usable[wide], found[count : count + len(jackknife)], np.nan)
        count += len(jackknife)
    nested, ranks = ensemble.nested, None
    if nested is not None:
        is_known = ~np.isnan(_nested(ensemble, nested)).any(axis=1)
        own = np.where(is_known[wide], found[count : count + len(is_known)], np.nan)
        ranks = ranks_of(own.reshape(*nested.status.shape, *found.shape[1:]), found[0])
        count += len(is_known)
    robust, robust_dof = robust_of(ensemble)
    robust_std = None
    if of_point or ensemble.covariance is not None:
        slope = _slopes(ensemble, found[count:])
        std = _errors(slope, _covariances(ensemble))
        robust_std = None if robust is None else _errors(slope[:1], robust[None])[0]
    return Sample(
        values,
        found[0],
        None if std is None or ensemble.covariance is None else std[1:],
        None if std is None or np.isnan(std[0]).all() else std[0],
        left,
        ranks,
        line=line,
        dof=ensemble.fit.dof,
        robust_std=robust_std,
        robust_dof=robust_dof,
    )


def robust_of(ensemble: Ensemble) -> tuple[np.ndarray | None, float]:
    """Return the sandwich (p, p) of the point fit, by groups for a scheme that draws these, and its degrees of freedom.

    None where the fit has none.
    """
    fit, runs = ensemble.fit, ensemble.whole or ensemble.fit.runs
    if not ensemble.scheme.has_groups:
        return fit.robust.get("rows"), fit.dof
    count = 0 if runs.group is None else len(np.unique(runs.group[runs.weight > 0]))
    return fit.robust.get("groups"), count - 1


def _slopes(ensemble: Ensemble, moved: np.ndarray) -> np.ndarray:
    """Return the slopes (1 + R, p, …), or (1, p, …), of a quantity at moved coefs, by central differences."""
    step = _steps(ensemble)
    slope = np.zeros((*step.shape, *moved.shape[1:]))
    pairs = moved.reshape(-1, 2, len(step), *moved.shape[1:])
    wide = (..., *(None,) * (moved.ndim - 1))
    for at, (up, down) in zip(np.flatnonzero((step > 0).any(axis=0)), pairs, strict=True):
        own = step[:, at][wide]
        slope[:, at] = np.where(own > 0, (up - down) / (2.0 * np.where(own > 0, own, 1.0)), 0.0)
    return slope


def _errors(slope: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Return standard errors (k, …) by the delta method, of slopes (k, p, …) and covariances (k, p, p)."""
    with np.errstate(invalid="ignore"):
        variance = np.einsum("rj...,rjk,rk...->r...", slope, covariance, slope)
        return np.asarray(np.sqrt(variance))


def _steps(ensemble: Ensemble) -> np.ndarray:
    """Return by how much each coef is moved (1 + R, p), or (1, p) of the point: zero for those without a spread."""
    with np.errstate(invalid="ignore"):
        std = np.sqrt(np.diagonal(_covariances(ensemble), axis1=1, axis2=2))
    coefs = np.concatenate([ensemble.fit.law.vector(ensemble.fit.coefs)[None], _coefs(ensemble)])
    size = np.abs(coefs[: len(std)])
    step = STEP * np.minimum(std, np.where(size > 0, size, np.inf))
    return np.where(np.isfinite(step), step, 0.0)


def _covariances(ensemble: Ensemble) -> np.ndarray:
    """Return the covariances (1 + R, p, p) of the point fit and of the replicates, or (1, p, p) where these have none.

    NaN of a point fit that has none.
    """
    count, point, own = len(ensemble.fit.law.names), ensemble.fit.covariance, ensemble.covariance
    first = (np.full((count, count), np.nan) if point is None else point)[None]
    return first if own is None else np.concatenate([first, np.asarray(own)])


def _coefs(ensemble: Ensemble) -> np.ndarray:
    return np.stack([ensemble.coefs[name] for name in ensemble.fit.law.names], axis=1)


def _nested(ensemble: Ensemble, nested: Nested) -> np.ndarray:
    """Return the coefs (R T, p) of the replicates of simulated tables, NaN where one has no value."""
    return np.stack([nested.coefs[name].ravel() for name in ensemble.fit.law.names], axis=1)


def _without(ensemble: Ensemble) -> np.ndarray:
    return sum((mask.astype(int) for mask in ensemble.without.values()), np.zeros(len(ensemble), int))

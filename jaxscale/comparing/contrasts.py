"""Differences of coefs and exponents between two recipes, with intervals and tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from jaxscale.intervals import Sample, band
from jaxscale.intervals.student import tail
from jaxscale.laws import Law
from jaxscale.laws.grouped import own_name
from jaxscale.results import Ensemble, Fit
from jaxscale.results.recipes import Contrast

STEP = 1e-5
"""Of a central difference, relative to a coef."""
EXPONENTS: Mapping[str, Callable[[Mapping[str, np.ndarray]], np.ndarray]] = {
    "params exponent": lambda coefs: coefs["beta"] / (coefs["alpha"] + coefs["beta"]),
    "loss exponent": lambda coefs: coefs["alpha"] * coefs["beta"] / (coefs["alpha"] + coefs["beta"]),
}
"""Of N_opt and of L - E in compute, under the separable law.   Source: Hoffmann et al. 2022, eq. 4."""
SEPARABLE = {"E", "A", "B", "alpha", "beta"}
FLOOR = "E"


def contrasts_of(
    base: Ensemble, other: Ensemble, joint: Fit | None, names: tuple[str, str], level: float
) -> tuple[Contrast, ...]:
    """Return the differences of every coef that both recipes have of their own, and of the exponents of a budget.

    joint: the fit over all recipes of which both are parts, None for fits apart.   names: of the two recipes.
    """
    law = base.fit.law
    return tuple(
        _contrast(name, of, base, other, joint, names, level)
        for name, of in _quantities(law, base.fit, is_joint=joint is not None)
    )


def _quantities(law: Law, fit: Fit, *, is_joint: bool) -> Iterator[tuple[str, Callable[..., np.ndarray]]]:
    for name in law.names:
        if name not in fit.fixed and not (is_joint and name == FLOOR):
            yield name, lambda coefs, name=name: coefs[name]
    if set(law.names) == SEPARABLE:
        yield from EXPONENTS.items()


def _contrast(
    name: str,
    of: Callable[..., np.ndarray],
    base: Ensemble,
    other: Ensemble,
    joint: Fit | None,
    names: tuple[str, str],
    level: float,
) -> Contrast:
    both = (base, other)
    samples = [of({one: each.samples(one) for one in each.fit.law.names}) for each in both]
    apart = samples[1] - samples[0]
    points = [float(of({one: np.asarray(coef) for one, coef in each.fit.coefs.items()})) for each in both]
    known = apart[~np.isnan(apart)]
    sides = min(int(np.sum(known <= 0)), int(np.sum(known >= 0)))
    slopes = [_slopes(each.fit, of) for each in both]
    variance = _variance(base.fit, other.fit, slopes, joint, names)
    std, wald = None, None
    if variance is not None and variance > 0:
        std, dof = float(np.sqrt(variance)), float(base.fit.dof + other.fit.dof if joint is None else joint.dof)
        wald = float(2.0 * tail(abs(points[1] - points[0]) / std, dof)) if dof > 0 else None
    return Contrast(
        name,
        points[0],
        points[1],
        band(Sample(apart, np.asarray(points[1] - points[0])), level=level),
        min(1.0, 2.0 * (1 + sides) / (1 + len(known))),
        std,
        wald,
    )


def _slopes(fit: Fit, of: Callable[..., np.ndarray]) -> np.ndarray:
    """Return d quantity / d coef (p,), by central differences; NaN for a coef that it needs and that has no error."""
    coefs, slopes = fit.law.vector(fit.coefs), np.zeros(len(fit.coefs))
    for at, step in enumerate(STEP * np.abs(coefs)):
        up, down = coefs.copy(), coefs.copy()
        up[at], down[at] = up[at] + max(step, STEP), down[at] - max(step, STEP)
        ends = [float(of(dict(zip(fit.law.names, end, strict=True)))) for end in (up, down)]
        slopes[at] = (ends[0] - ends[1]) / (2.0 * max(step, STEP))
    lacking = [fit.std.get(name) is None and name not in fit.fixed for name in fit.law.names]
    return np.where(np.array(lacking) & (slopes != 0), np.nan, slopes)


def _variance(
    base: Fit, other: Fit, slopes: list[np.ndarray], joint: Fit | None, names: tuple[str, str]
) -> float | None:
    """Return the variance of a difference by the delta method; None where a coef that it needs has no standard error.

    Of fits apart it is the sum of both: their runs have errors of their own.
    """
    if joint is not None:
        whole, place = np.zeros(len(joint.coefs)), {name: at for at, name in enumerate(joint.law.names)}
        for recipe, side, slope in zip(names, (-1.0, 1.0), slopes, strict=True):
            for name, one in zip(base.law.names, slope, strict=True):
                whole[place.get(own_name(name, recipe), place.get(name, 0))] += side * one
        parts = [(whole, joint.covariance)]
    else:
        parts = [(slope, fit.covariance) for slope, fit in zip(slopes, (base, other), strict=True)]
    total = 0.0
    for slope, covariance in parts:
        needed = np.flatnonzero(slope != 0)
        if covariance is None:
            return None
        total += float(slope[needed] @ covariance[np.ix_(needed, needed)] @ slope[needed])
    return total if np.isfinite(total) else None

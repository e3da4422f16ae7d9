"""Profile likelihood: how far one coef may move before the best fit of all others is too bad."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jaxscale.errors import IntervalError, UsageError
from jaxscale.fitting.fit import fit as fit_to
from jaxscale.intervals.band import check_level
from jaxscale.intervals.student import quantile
from jaxscale.numerics.supports import Support
from jaxscale.registry import unknown
from jaxscale.results import Fit

NOT_A_LIKELIHOOD = (
    "a profile needs an objective that is a likelihood, squared, and this fit has '{name}': fit with "
    "objective='squared', or take an interval of replicates"
)
NO_PROFILE = "the coef '{name}' is {why}, so that there is nothing to profile"
FAILED = "the profile of '{name}' cannot be followed: with {name} = {value:.6g} the fit of the others is '{status}'"
LOWER = "with {name} = {value:.6g} the others fit better than the point fit, which is not the lowest minimum: fit again"
DOUBLINGS = 10
"""Of the distance at which the end is looked for; beyond it is the end of the support."""
CLOSE = 1e-8
"""Of the distance at which an end is looked for first, to which it is found."""
ROUNDING = 1e-14
LOWEST = 1e-8
"""Relative difference of the objective from which another minimum is lower."""


def profile(fit: Fit, name: str, *, level: float = 0.95, device: str = "auto") -> tuple[float, float]:
    """Return the limits of a coef by its profile likelihood, each to 1e-8 of its distance.

    A limit is where the least squares with this coef held rise by s² t², t Student's quantile on `dof` degrees of
    freedom; an end of the support where they never do. Where the estimate lies at a bound, that is one limit, and the
    other leaves out all that lies beyond.

    Parameters
    ----------
    fit
        Of the objective `squared`, at a minimum.
    name
        The coef.
    level
        Nominal coverage of the interval, above 0 and below 1.
    device
        Where to compute: auto, cpu, gpu or tpu.

    Returns
    -------
    tuple of float
        The lower and the upper limit.

    Raises
    ------
    UsageError
        For another objective, an unknown coef, one that was not fitted, or a level outside (0, 1); its IntervalError
        where a fit with the coef held fails, or is better than the point fit.

    Notes
    -----
    The ends are sought by the signed root of the rise, which is about linear.   Source: Bates & Watts 1988, §6.1;
    Venzon & Moolgavkar 1988.

    Examples
    --------
    >>> line = js.fit(runs, "pure-power-params", objective="squared")
    >>> low, high = js.refitting.profile(line, "A")
    >>> np.allclose([low, high], line.interval("A"), rtol=1e-6)  # ln A is linear in ln L: they are Student's
    True
    """
    check_level(level)
    _check(fit, name)
    support = fit.law.supports[fit.law.names.index(name)]
    at_bound = name in fit.at_bound
    share = 2.0 * level - 1.0 if at_bound and level > 0.5 else level
    root = SignedRoot(fit, name, support, quantile(share, fit.dof), device)
    low, high = (root.end(side) for side in (-1.0, 1.0))
    return low, high


@dataclass
class SignedRoot:
    """The root of the rise of the profile, in standard errors, less `most`, as a function of theta of one coef."""

    fit: Fit
    name: str
    support: Support
    most: float
    device: str

    def at(self, theta: float) -> float:
        """Return it at theta of the coef."""
        value, fit = float(self.support.to_coef(np.asarray(theta))), self.fit
        fixed = {name: fit.coefs[name] for name in fit.fixed} | {self.name: value}
        held = fit_to(fit.runs, fit.law, objective=fit.objective, solver=fit.solver, fix=fixed, device=self.device)
        if not held.is_usable:
            raise IntervalError(FAILED.format(name=self.name, value=value, status=held.status))
        rise = held.value / fit.value - 1.0
        if rise < -LOWEST:
            raise IntervalError(LOWER.format(name=self.name, value=value))
        return float(np.sqrt(max(rise, 0.0) * fit.dof)) - self.most

    def end(self, side: float) -> float:
        """Return the limit on one side, or the end of the support."""
        from scipy.optimize import toms748  # a second to import, which the command line need not wait for

        coef, edge = self.fit.coefs[self.name], (self.support.low, self.support.high)[int(side > 0)]
        if coef == edge:
            return float(coef)
        if coef in (self.support.low, self.support.high):
            begin, reach = float(self.support.to_real(np.asarray(self._inside()))), 1.0
        else:
            begin, error = float(self.support.to_real(np.asarray(coef))), self.fit.std[self.name]
            slope = float(self.support.slope(np.asarray(coef)))
            reach = 1.0 if error is None else self.most * error / slope
        near, far = begin, begin + side * reach
        for _ in range(DOUBLINGS):
            if self.at(far) >= 0.0:
                found = toms748(self.at, min(near, far), max(near, far), xtol=CLOSE * reach, rtol=ROUNDING)
                return float(self.support.to_coef(np.asarray(found)))
            near, far = far, far + side * 2.0 * abs(far - near)
        return float(edge)

    def _inside(self) -> float:
        """Return a coef inside, near the bound at which the estimate lies: a millionth of the table's losses."""
        low, high = self.support.low, self.support.high
        tiny = 1e-6 * float(np.min(np.abs(self.fit.runs.loss)))
        return low + tiny if self.fit.coefs[self.name] == low else high - tiny if np.isfinite(high) else 1.0 / tiny


def _check(fit: Fit, name: str) -> None:
    """Raise UsageError where a coef has no profile."""
    if name not in fit.coefs:
        raise UsageError(unknown("coef", name, tuple(fit.coefs)))
    if fit.objective.name != "squared":
        raise UsageError(NOT_A_LIKELIHOOD.format(name=fit.objective.name))
    whys = {
        "fixed": name in fit.fixed,
        "not identified": name in fit.unidentified,
        "of a fit that is no minimum": not fit.is_usable,
        "of a fit with as many coefs as runs": fit.dof < 1,
    }
    for why, holds in whys.items():
        if holds:
            raise UsageError(NO_PROFILE.format(name=name, why=why))

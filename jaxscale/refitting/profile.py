"""Profile likelihood: how far a coef, or what follows from coefs, may move before the best fit is too bad."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from jaxscale import precision
from jaxscale.engine import placement
from jaxscale.engine.compiling import Clock
from jaxscale.errors import IntervalError, UsageError
from jaxscale.fitting.fit import fit as fit_to
from jaxscale.intervals.band import check_level
from jaxscale.intervals.lines import MAPS
from jaxscale.intervals.spec import Line
from jaxscale.intervals.student import quantile
from jaxscale.numerics.supports import Support
from jaxscale.refitting.constrained import Constrained, Quantity
from jaxscale.refitting.likelihood import NO_PROFILE, Curved, curved
from jaxscale.registry import check_known
from jaxscale.results import Fit
from jaxscale.results.kinds import check_kind

FAILED = "the profile of '{name}' cannot be followed: with {name} = {value:.6g} the fit of the others is '{status}'"
LOWER = "with {name} = {value:.6g} the others fit better than the point fit, which is not the lowest minimum: fit again"
NO_SCALE = (
    "at a bound only least squares have a profile, since '{name}' has no standard error there to scale its rise by"
)
AT_BOUND = "{held} lies at a bound, from which a path along the quantity cannot tell when it leaves"
NO_LINE = "the line '{line}' is none of real, {lines}"
OFF_LINE = "at the fit it is {value:.6g}, which is not on the line '{line}'"
ENDLESS = (
    "it reaches no end within {reach:.4g} standard errors: the runs do not bound {name} on that side at this level"
)
DOUBLINGS = 10
"""Of the distance at which the end is looked for; beyond it is the end of the support."""
CLOSE = 1e-8
"""Of the distance at which an end is looked for first, to which it is found."""
ROUNDING = 1e-14
LOWEST = 1e-8
"""Relative difference of the objective from which another minimum is lower."""


def profile(
    fit: Fit,
    quantity: str | Quantity,
    *,
    level: float = 0.95,
    line: Line = "real",
    device: str = "auto",
) -> tuple[float, float]:
    """Return the limits of a coef, or of what follows from coefs, by profile likelihood, to 1e-8 of their distance.

    A limit is where the least squares with the quantity held rise by s² t², t Student's quantile on `dof` degrees of
    freedom. Of another rho the rise is scaled by what its sandwich covariance makes of one standard error. Where they
    never rise so far that is, of a coef, the end of its support, and a refusal for what follows from coefs. Where the
    estimate of a coef lies at a bound, that is one limit, and the other leaves out all that lies beyond.

    Parameters
    ----------
    fit
        At a minimum, of `squared` or another objective whose rho has a curvature.
    quantity
        The name of a coef, or a smooth function: quantity(coefs), of coefs name → (k,), returns (k,), as
        `js.allocation.at_optimum` makes them.
    level
        Nominal coverage of the interval, above 0 and below 1.
    line
        The numbers that a function's value may be: `real`, `positive` or `unit`; its limits are looked for there.
    device
        Where to compute: auto, cpu, gpu or tpu.

    Returns
    -------
    tuple of float
        The lower and the upper limit.

    Raises
    ------
    UsageError
        For the objective `absolute`, an unknown coef, one that was not fitted, a level outside (0, 1) or a line that is
        none; its IntervalError where a fit with the quantity held fails or is better than the point fit, and where a
        function reaches no end.

    Notes
    -----
    The ends are sought by the signed root of the rise, which is about linear. With a coef held the others are fitted
    from the law's own starts; along a function the minimum is followed from the point fit, by Newton's steps that keep
    to the constraint, and each is certified by what one more step would lower. For rho functions other than the square
    it is the quasi-likelihood ratio 2 (F_held - F) gᵀH⁻¹g / gᵀVg, V the fit's covariance, g the slope of the quantity
    and H the Hessian, which has Student's square about it also where the errors are not normal or not alike.

    References
    ----------
    Bates & Watts 1988, §6.1; Venzon & Moolgavkar 1988; for other rho functions Kent 1982, Biometrika 69.

    Examples
    --------
    >>> line = js.fit(runs, "pure-power-params", objective="squared")
    >>> low, high = js.refitting.profile(line, "A")
    >>> np.allclose([low, high], line.interval("A"), rtol=1e-6)  # ln A is linear in ln L: they are Student's
    True
    >>> half = js.refitting.profile(line, lambda coefs: 0.5 ** coefs["alpha"])  # of the loss, by doubling params
    >>> np.allclose(half, 0.5 ** np.array(js.refitting.profile(line, "alpha"))[::-1], rtol=1e-6)
    True
    """
    check_level(level)
    root: HeldCoef | HeldQuantity
    check_kind("profile", fit, Fit)
    if isinstance(quantity, str):
        _check(fit, quantity)
        root = HeldCoef(fit, quantity, fit.law.supports[fit.law.names.index(quantity)], device)
        share = 2.0 * level - 1.0 if quantity in fit.at_bound and level > 0.5 else level
    else:
        root, share = held_quantity(fit, quantity, line, device), level
    low, high = (root.end(side, quantile(share, fit.dof)) for side in (-1.0, 1.0))
    return (low, high) if low <= high else (high, low)


def _end(at: Callable[[float], float], most: float, begin: float, step: float) -> float | None:
    """Return where the signed root `at` is `most` on the side of the step; None where it is nowhere so far."""
    from scipy.optimize import toms748  # a second to import, which the command line need not wait for

    near, far = begin, begin + step
    for _ in range(DOUBLINGS):
        if at(far) >= most:
            inside = toms748(
                lambda x: at(x) - most, min(near, far), max(near, far), xtol=CLOSE * abs(step), rtol=ROUNDING
            )
            return float(inside)
        near, far = far, far + 2.0 * (far - near)
    return None


@dataclass
class HeldCoef:
    """The profile of one coef: every point is a fit of the others, from the law's own starts."""

    fit: Fit
    name: str
    support: Support
    device: str
    rise: float = field(init=False)

    def __post_init__(self) -> None:
        if self.fit.objective.name == "squared":
            self.rise = self.fit.value / self.fit.dof
            return
        if self.name in self.fit.at_bound:
            raise UsageError(NO_PROFILE.format(name=self.name, why=NO_SCALE.format(name=self.name)))
        with precision.float64(), placement.on(self.device):
            shape = curved(self.fit, self.name, Clock())
        self.rise = shape.rise(np.eye(len(self.fit.law.names))[self.fit.law.names.index(self.name)][shape.free])

    def at(self, theta: float) -> float:
        """Return the root of the rise, in standard errors, at theta of the coef."""
        value, fit = float(self.support.to_coef(np.asarray(theta))), self.fit
        if value in (self.support.low, self.support.high):  # by rounding: long before, the others had their say
            return 0.0
        fixed = {name: fit.coefs[name] for name in fit.fixed} | {self.name: value}
        held = fit_to(fit.runs, fit.law, objective=fit.objective, solver=fit.solver, fix=fixed, device=self.device)
        if not held.is_usable:
            raise IntervalError(FAILED.format(name=self.name, value=value, status=held.status))
        return _root(held.value, fit, self.rise, self.name, value)

    def end(self, side: float, most: float) -> float:
        """Return the limit on one side, or the end of the support."""
        coef, edge = self.fit.coefs[self.name], (self.support.low, self.support.high)[int(side > 0)]
        if coef == edge:
            return float(coef)
        if coef in (self.support.low, self.support.high):
            begin, reach = float(self.support.to_real(np.asarray(self._inside()))), 1.0
        else:
            begin, error = float(self.support.to_real(np.asarray(coef))), self.fit.std[self.name]
            slope = float(self.support.slope(np.asarray(coef)))
            reach = 1.0 if error is None else most * error / slope
        found = _end(self.at, most, begin, side * reach)
        return float(edge) if found is None else float(self.support.to_coef(np.asarray(found)))

    def _inside(self) -> float:
        """Return a coef inside, near the bound at which the estimate lies: a millionth of the table's losses."""
        low, high = self.support.low, self.support.high
        tiny = 1e-6 * float(np.min(np.abs(self.fit.runs.loss)))
        return low + tiny if self.fit.coefs[self.name] == low else high - tiny if np.isfinite(high) else 1.0 / tiny


@dataclass
class HeldQuantity:
    """The profile of a function of the coefs: every point is followed from the nearest one that is known.

    error: its standard error, on its line.   known: theta (P,) by the value on the line.
    """

    path: Constrained
    fit: Fit
    error: float
    known: dict[float, np.ndarray]
    device: str

    def at(self, value: float) -> float:
        """Return the root of the rise, in standard errors, where the quantity has that value on its line."""
        nearest = min(self.known, key=lambda one: abs(one - value))
        with precision.float64(), placement.on(self.device):
            place = self.path.minimum(value, self.known[nearest])
        self.known[value] = place.theta
        return _root(place.value, self.fit, self.path.rise, self.path.name, self.path.shown(value))

    def end(self, side: float, most: float) -> float:
        """Return the limit on one side, as the quantity; raise IntervalError where there is none."""
        begin = next(iter(self.known))
        found = _end(self.at, most, begin, side * most * self.error)
        if found is None:
            name, reach = self.path.name, most * (3.0**DOUBLINGS)
            raise IntervalError(NO_PROFILE.format(name=name, why=ENDLESS.format(name=name, reach=reach)))
        return self.path.shown(found)


def held_quantity(fit: Fit, quantity: Quantity, line: Line, device: str) -> HeldQuantity:
    """Return the profile of a function of the coefs; raise UsageError where there is none."""
    name = getattr(quantity, "__name__", "the quantity").replace("<lambda>", "the quantity")
    if line not in ("real", *MAPS):
        raise UsageError(NO_LINE.format(line=line, lines=", ".join(MAPS)))
    _check_fit(fit, name)
    if fit.held:
        raise UsageError(NO_PROFILE.format(name=name, why=AT_BOUND.format(held=", ".join(fit.held))))
    with precision.float64(), placement.on(device):
        shape: Curved = curved(fit, name, Clock())
        point = np.asarray(quantity({one: np.array([coef]) for one, coef in fit.coefs.items()}), float)
        own = MAPS[line].to_real if line in MAPS else lambda value: value
        with np.errstate(invalid="ignore", divide="ignore"):
            start = float(own(point)[0])
        if not np.isfinite(start):
            raise UsageError(NO_PROFILE.format(name=name, why=OFF_LINE.format(value=float(point[0]), line=line)))
        path = Constrained(
            fit.law,
            shape.setup.job,
            shape.setup.job.batch,
            quantity,
            line,
            name,
            np.where(shape.free, np.nan, fit.law.vector(fit.coefs)),
            shape.free,
            shape.scale,
            shape.covariance,
        )
        slope = path.derived(shape.setup.theta).slope
    path.rise = shape.rise(slope)
    error = float(np.sqrt(slope @ shape.covariance @ slope))
    return HeldQuantity(path, fit, error, {start: shape.setup.theta}, device)


def _root(value: float, fit: Fit, rise: float, name: str, at: float) -> float:
    """Return the root of a rise over that of one standard error; raise IntervalError where the objective falls."""
    if value / fit.value - 1.0 < -LOWEST:
        raise IntervalError(LOWER.format(name=name, value=at))
    return float(np.sqrt(max(value - fit.value, 0.0) / rise))


def _check(fit: Fit, name: str) -> None:
    """Raise UsageError where a coef has no profile."""
    check_known("coef", name, fit.coefs)
    for why, holds in {"it is fixed": name in fit.fixed, "it is not identified": name in fit.unidentified}.items():
        if holds:
            raise UsageError(NO_PROFILE.format(name=f"the coef '{name}'", why=why))
    _check_fit(fit, f"the coef '{name}'")


def _check_fit(fit: Fit, name: str) -> None:
    """Raise UsageError where nothing of a fit has a profile."""
    whys = {
        "the fit is no minimum": not fit.is_usable,
        "the fit has as many coefs as runs": fit.dof < 1,
        "the fit is one group's part of a fit over several": bool(fit.common),
    }
    for why, holds in whys.items():
        if holds:
            raise UsageError(NO_PROFILE.format(name=name, why=why))

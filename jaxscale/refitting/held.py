"""What a profile holds: a coef, or a function of coefs, and what the objective rises by as it moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from jaxscale import precision
from jaxscale.engine import placement
from jaxscale.engine.compiling import Clock
from jaxscale.errors import IntervalError, UsageError
from jaxscale.fitting.fit import fit as fit_to
from jaxscale.intervals.lines import MAPS
from jaxscale.intervals.spec import Line
from jaxscale.numerics.supports import Support
from jaxscale.refitting.constrained import Constrained, Quantity
from jaxscale.refitting.likelihood import NO_PROFILE, Curved, curved
from jaxscale.registry import check_known
from jaxscale.results import Fit

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


@dataclass
class HeldCoef:
    """The profile of one coef: every point is a fit of the others, from the law's own starts."""

    fit: Fit
    name: str
    support: Support
    device: str
    rise: float = field(init=False)

    @property
    def dof(self) -> int:
        """Degrees of freedom behind the estimate."""
        return self.fit.dof_of(self.name)

    @property
    def value(self) -> float:
        """The estimate."""
        return self.fit.coefs[self.name]

    @property
    def begin(self) -> float:
        """Theta of the estimate, or of a coef inside, near the bound at which it lies."""
        is_at_bound = self.value in (self.support.low, self.support.high)
        return self.placed(self._inside() if is_at_bound else self.value)

    @property
    def reach(self) -> float:
        """A standard error of theta; 1 where there is none."""
        error = self.fit.std[self.name]
        is_at_bound = self.value in (self.support.low, self.support.high)
        return 1.0 if error is None or is_at_bound else error / float(self.support.slope(np.asarray(self.value)))

    def edge(self, side: float) -> float:
        """Return the end of the support on one side."""
        return (self.support.low, self.support.high)[int(side > 0)]

    def shown(self, theta: float) -> float:
        """Return the coef at theta."""
        with np.errstate(over="ignore"):  # far out it is the end of the support
            return float(self.support.to_coef(np.asarray(theta)))

    def placed(self, coef: float) -> float:
        """Return theta of a coef."""
        return float(self.support.to_real(np.asarray(coef)))

    def __post_init__(self) -> None:
        if self.fit.objective.name == "squared":
            self.rise = self.fit.value / self.fit.dof
            return
        if self.name in self.fit.at_bound:
            raise UsageError(NO_PROFILE.format(name=self.name, why=NO_SCALE.format(name=self.name)))
        with precision.float64(), placement.on(self.device):
            shape = curved(self.fit, self.name, Clock())
        self.rise = shape.rise(shape.direction(self.name))

    def at(self, theta: float) -> float:
        """Return the root of the rise, in standard errors, at theta of the coef."""
        value = self.shown(theta)
        if value in (self.support.low, self.support.high):  # by rounding: long before, the others had their say
            return 0.0
        held = self._refitted(value)
        if not held.is_usable:
            raise IntervalError(FAILED.format(name=self.name, value=value, status=held.status))
        return _root(held.value, self.fit, self.rise, self.name, value)

    def is_least(self, value: float, root: float) -> bool:
        """Return whether fits from all starts, minima or not, find no lower root with the coef at a value.

        Raises IntervalError where they lie below the point fit.
        """
        found = self._refitted(value).value
        return not (np.isfinite(found) and _root(found, self.fit, self.rise, self.name, value) < root)

    def _refitted(self, value: float) -> Fit:
        """Return the fit of the others with the coef at a value."""
        fit = self.fit
        fixed = {name: fit.coefs[name] for name in fit.fixed} | {self.name: value}
        return fit_to(fit.runs, fit.law, objective=fit.objective, solver=fit.solver, fix=fixed, device=self.device)

    def end(self, side: float, most: float) -> float:
        """Return the limit on one side, or the end of the support."""
        edge = self.edge(side)
        if self.value == edge:
            return float(edge)
        reach = self.reach if self.fit.std[self.name] is None else most * self.reach
        found = _end(self.at, most, self.begin, side * reach)
        return float(edge) if found is None else self.shown(found)

    def _inside(self) -> float:
        """Return a coef inside, near the bound at which the estimate lies: a millionth of the table's losses."""
        low, high = self.support.low, self.support.high
        tiny = 1e-6 * float(np.min(np.abs(self.fit.runs.loss)))
        return low + tiny if self.fit.coefs[self.name] == low else high - tiny if np.isfinite(high) else 1.0 / tiny


@dataclass
class HeldQuantity:
    """The profile of a function of the coefs: every point is followed from the nearest one that is known.

    reach: its standard error, on its line.   known: theta (P,) by the value on the line, first of the estimate.
    """

    path: Constrained
    fit: Fit
    reach: float
    known: dict[float, np.ndarray]
    device: str

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return self.path.name

    @property
    def dof(self) -> int:
        """Degrees of freedom behind the estimate."""
        return self.fit.dof

    @property
    def begin(self) -> float:
        """The estimate on its line."""
        return next(iter(self.known))

    @property
    def value(self) -> float:
        """The estimate."""
        return self.path.shown(self.begin)

    def edge(self, side: float) -> float | None:
        """Return the end of what it may be on one side: none is known."""
        return None

    def shown(self, value: float) -> float:
        """Return the quantity of a value on its line."""
        return self.path.shown(value)

    def placed(self, quantity: float) -> float:
        """Return the value on its line of the quantity."""
        own = MAPS.get(self.path.line)
        return quantity if own is None else float(own.to_real(np.asarray(quantity)))

    def at(self, value: float) -> float:
        """Return the root of the rise, in standard errors, where the quantity has that value on its line."""
        nearest = min(self.known, key=lambda one: abs(one - value))
        with precision.float64(), placement.on(self.device):
            place = self.path.minimum(value, self.known[nearest])
        self.known[value] = place.theta
        return _root(place.value, self.fit, self.path.rise, self.path.name, self.path.shown(value))

    def end(self, side: float, most: float) -> float:
        """Return the limit on one side, as the quantity; raise IntervalError where there is none."""
        found = _end(self.at, most, self.begin, side * most * self.reach)
        if found is None:
            name, reach = self.path.name, most * (3.0**DOUBLINGS)
            raise IntervalError(NO_PROFILE.format(name=name, why=ENDLESS.format(name=name, reach=reach)))
        return self.path.shown(found)


def held_coef(fit: Fit, name: str, device: str) -> HeldCoef:
    """Return the profile of a coef; raise UsageError where there is none."""
    _check(fit, name)
    return HeldCoef(fit, name, fit.law.supports[fit.law.names.index(name)], device)


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
    whys = {
        "it is fixed": name in fit.fixed,
        "it is not identified": name in fit.unidentified,
        "its group has as many coefs of its own as runs": fit.dof_of(name) < 1 <= fit.dof,
    }
    for why, holds in whys.items():
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

"""The minimum of a fit's objective where a function of the coefs has a given value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.data import Batch
from jaxscale.engine.job import Job
from jaxscale.errors import IntervalError
from jaxscale.fitting.optimum import hessian_of, views_at, views_of, weighted_total
from jaxscale.intervals.lines import MAPS
from jaxscale.intervals.spec import Line
from jaxscale.laws import Law

Quantity: TypeAlias = Callable[[Mapping[str, np.ndarray]], np.ndarray]
"""quantity(coefs), of coefs name → (k,), returns (k,), as for `js.results.sample_of`."""

STEP = 1e-3
"""Of central differences in theta, in units of `unit`: their square, 1e-6, is what a slope errs by."""
DAMPING = np.array([0.0, 1e-4, 1e-2, 1.0])
"""Levenberg's, relative to a unit curvature, of the steps that are tried at once, with two curvatures each."""
MOST = 300
"""Steps at most. A coef that runs to a bound at infinity of theta needs one per unit of ln."""
SECANTS = 30
ON_VALUE = 1e-12
"""Of the size of the quantity: how exactly it has the value."""
DECREMENT = 1e-9
"""What one more Newton step would lower, in units of the squared signed root, at what is taken for a minimum."""
FLAT = 1e-6
"""Of the largest curvature: what is less counts as none, of either sign."""
NOT_MET = "there are no coefs near the fit's at which the quantity is {value:.6g}"
NOT_ENDED = "with the quantity at {value:.6g} the fit of the coefs does not come to a minimum"
NOT_FINITE = "the quantity is not finite near the fit's coefs"


class Minimised(NamedTuple):
    """A certified minimum on the constraint: theta (P,) of all coefs, and the objective."""

    theta: np.ndarray
    value: float


class Derived(NamedTuple):
    """A quantity at theta: its value, its slope (p,) and its second derivatives (p, p), over the free coefs."""

    value: float
    slope: np.ndarray
    second: np.ndarray


@dataclass
class Constrained:
    """What all points of one profile share; p coefs are free, of P.

    line, name: of the quantity.   known: (P,) coefs that do not move, NaN for the free ones.   free: (P,) bool.
    scale: of rho.   metric: (p, p), the covariance of theta.   rise: of the objective, that of one standard error.
    """

    law: Law
    job: Job
    batch: Batch
    quantity: Quantity
    line: Line
    name: str
    known: np.ndarray
    free: np.ndarray
    scale: float
    metric: np.ndarray
    rise: float = 1.0
    clock: Clock = field(default_factory=Clock)

    @property
    def unit(self) -> np.ndarray:
        """The standard errors (p,) of theta."""
        return np.sqrt(np.diagonal(self.metric))

    def of(self, theta: np.ndarray) -> np.ndarray:
        """Return the quantity (k,) on its line, at theta (k, P)."""
        coefs = np.where(np.isnan(self.known), self.law.coordinates.to_coefs(theta), self.known)
        found = np.asarray(self.quantity(dict(zip(self.law.names, coefs.T, strict=True))), dtype=np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            return MAPS[self.line].to_real(found) if self.line in MAPS else found

    def shown(self, value: float) -> float:
        """Return the quantity of a value on its line."""
        return float(MAPS[self.line].back(np.asarray(value))) if self.line in MAPS else value

    def derived(self, theta: np.ndarray) -> Derived:
        """Return the quantity at theta (P,) with its derivatives, by central differences."""
        size = len(self.unit)
        steps = STEP * np.diag(self.unit)
        one, other = np.triu_indices(size, 1)
        pairs = np.concatenate([steps[one] + steps[other], -steps[one] - steps[other]])
        moved = np.concatenate([np.zeros((1, size)), steps, -steps, pairs])
        found = self.of(theta + self._whole(moved))
        if not np.isfinite(found).all():
            raise IntervalError(NOT_FINITE)
        centre, up, down = found[0], found[1 : 1 + size], found[1 + size : 1 + 2 * size]
        own = (up - 2.0 * centre + down) / (STEP * self.unit) ** 2
        both, neither = np.split(found[1 + 2 * size :], 2)
        mixed = (both + neither - up[one] - up[other] - down[one] - down[other] + 2.0 * centre) / (
            2.0 * STEP**2 * self.unit[one] * self.unit[other]
        )
        second = np.diag(own)
        second[one, other] = second[other, one] = mixed
        return Derived(float(centre), (up - down) / (2.0 * STEP * self.unit), second)

    def minimum(self, value: float, begin: np.ndarray) -> Minimised:
        """Return the minimum of the objective where the quantity is `value`, by descent from theta (P,).

        Every step keeps to the constraint: it is one of Newton or of reweighted least squares in the directions that
        leave the quantity as it is, damped more and less, and then back along the metric's own normal. The lowest of
        them is taken. Raises IntervalError where there is no such point, or no minimum.
        """
        theta, along = begin, self.metric @ self.derived(begin).slope
        theta = self._returned(theta[None], along, value)[0]
        if not np.isfinite(theta).all():
            raise IntervalError(NOT_MET.format(value=self.shown(value)))
        for _ in range(MOST):
            derived = self.derived(theta)
            gradient, exact, weighted, total = self._terms(theta)
            along = self.metric @ derived.slope
            force = float(derived.slope @ gradient) / float(derived.slope @ derived.slope)
            basis = self._basis(derived.slope)
            down = basis.T @ gradient
            curvatures = [basis.T @ (each - force * derived.second) @ basis for each in (exact, weighted)]
            steps = [_damped(one, down, much) for one in curvatures for much in DAMPING]
            # where no row lies within the threshold of rho there is no curvature but that of reweighted least squares
            least = FLAT * max(float(np.abs(one).max(initial=0.0)) for one in curvatures)
            left = max(_decrement(one, down, least) for one in curvatures) / self.rise
            if left < DECREMENT and np.min(np.linalg.eigvalsh(curvatures[0]), initial=0.0) >= -least:
                return Minimised(theta, total)
            tried = self._returned(theta + self._whole(np.stack(steps) @ basis.T), along, value)
            values = self._values(tried)
            at = int(np.argmin(values))
            if not values[at] < total - 1e-13 * self.rise:
                break
            theta = tried[at]
        raise IntervalError(NOT_ENDED.format(value=self.shown(value)))

    def _basis(self, slope: np.ndarray) -> np.ndarray:
        """Return directions (p, p - 1) that leave the quantity as it is, in which the metric is about the unit one."""
        root = np.linalg.cholesky(self.metric)
        frame, _ = np.linalg.qr((root.T @ slope)[:, None], mode="complete")
        return np.asarray(root @ frame[:, 1:])

    def _returned(self, theta: np.ndarray, along: np.ndarray, value: float) -> np.ndarray:
        """Return theta (k, P) moved along (p,) to where the quantity is `value`, by secants; NaN where it never is."""
        line, size = self._whole(along[None])[0], max(abs(value), 1e-300)
        first = self.of(theta)
        reach = STEP * np.min(self.unit / np.maximum(np.abs(along), 1e-300))
        before, place = np.zeros(len(theta)), np.full(len(theta), reach)
        for _ in range(SECANTS):
            found = self.of(theta + place[:, None] * line)
            with np.errstate(invalid="ignore", divide="ignore"):
                slope = (found - first) / (place - before)
                step = np.where(np.abs(found - value) <= ON_VALUE * size, 0.0, (value - found) / slope)
            if not (np.abs(step) > 0).any():
                break
            before, first, place = place, found, place + step
        return np.where(
            (np.abs(found - value) <= 1e3 * ON_VALUE * size)[:, None], theta + place[:, None] * line, np.nan
        )

    def _terms(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """Return the gradient (p,), the Hessian, that of reweighted least squares (p, p), and the objective."""
        one = views_at(self.job, self.batch, theta, self.scale, self.clock)
        weight, pairs = self.batch.weight, self.job.problem.pairs
        free = np.ix_(self.free, self.free)
        rows = np.flatnonzero(weight > 0)
        gradient = (weight[rows] * np.asarray(one.rho.psi)[rows]) @ np.asarray(one.jacobian)[rows][:, self.free]
        exact = hessian_of(one, pairs, weight)[free]
        weighted = hessian_of(one, pairs, weight, np.asarray(one.rho.weight))[free]
        return gradient, exact, weighted, weighted_total(weight, np.asarray(one.rho.value))

    def _values(self, theta: np.ndarray) -> np.ndarray:
        """Return the objective (k,) at theta (k, P); infinite where that is not finite."""
        sound = np.isfinite(theta).all(axis=1)
        if not sound.any():
            return np.full(len(theta), np.inf)
        clean = np.where(sound[:, None], theta, theta[np.argmax(sound)])
        parts = [np.asarray(one.rho.value) for one in views_of(self.job, self.batch, clean, self.scale, self.clock)]
        found = np.array([weighted_total(self.batch.weight, part) for part in np.concatenate(parts)])
        return np.where(sound & np.isfinite(found), found, np.inf)

    def _whole(self, moved: np.ndarray) -> np.ndarray:
        """Return moves (k, p) of the free coefs as moves (k, P) of all."""
        whole = np.zeros((len(moved), len(self.free)))
        whole[:, self.free] = moved
        return whole


def _decrement(curvature: np.ndarray, slope: np.ndarray, least: float) -> float:
    """Return what a quadratic falls by, whose curvatures are taken by their size and to be `least` at least."""
    if not np.isfinite(curvature).all():
        return np.inf
    values, frame = np.linalg.eigh(curvature)
    steep = (frame.T @ slope) ** 2
    return 0.5 * float(np.sum(steep[steep > 0.0] / np.maximum(np.abs(values), least)[steep > 0.0]))


def _damped(curvature: np.ndarray, slope: np.ndarray, much: float) -> np.ndarray:
    """Return the step down a quadratic whose curvatures are taken by their size, each raised by a share of the most."""
    if not np.isfinite(curvature).all():
        return np.zeros(len(slope))
    values, frame = np.linalg.eigh(curvature)
    most = float(np.max(np.abs(values), initial=0.0))
    lifted = np.maximum(np.abs(values), 1e-12 * most) + much * most
    return np.asarray(-frame @ ((frame.T @ slope) / lifted)) if most > 0 else np.zeros(len(slope))

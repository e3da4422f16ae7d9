"""Coefs followed to infinity along a valley of the objective, which no law reaches: where it ends to rounding."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.data import chunks
from jaxscale.engine.job import Job
from jaxscale.engine.scheduler import solve_lanes
from jaxscale.fitting.bounds import FALLS, REMAINING, SHORT, SPANNED, UNCHANGED, Bound, one_run
from jaxscale.fitting.multipliers import Place, free_of, jacobians_of
from jaxscale.laws import Law
from jaxscale.solvers.verdict import INSENSITIVE
from jaxscale.status import Status

FADING = 0.5
"""Slope after one step outwards, relative to that before, from which a valley is said to end at infinity."""
LEADS = 0.1
"""Share of a valley's direction, in units of each coef's effect, from which a coef may be the one that leads."""
MOVING = 1e-2
"""Change of a coef's log from one step outwards to the next from which it goes to infinity, too, and has no value."""
FURTHER = 1.2 ** np.arange(-3, 24)
"""How far a coef is followed to infinity, in units of where it is; a little back, too, where a lane has come so far
that the law is hardly finite."""
ABREAST = 8
"""Steps of a stretch that are tried at a time, the farthest first: they take no longer than one."""
FINITE = 700.0
"""Log of a scale up to which a law is finite in float64, with some room."""
STRETCHES = 4
"""How often a valley is followed on from where it led: the direction is the better the further out."""


class Stop(NamedTuple):
    """A minimum with the leading coef held: theta (p,), the objective, and its slope in the log of that coef."""

    theta: np.ndarray
    value: float
    slope: float


def bound_at_infinity(law: Law, job: Job, place: Place, at: int, clock: Clock) -> Bound | None:
    """Return the bound where a coef is followed to infinity along a valley, with those that move along; None where
    none leads there.

    As an exponent grows, a term may keep what it does to the smallest runs alone if its scale grows as fast: the
    valley is straight in the coef itself and the logs of the others; the one whose log moves least leads. Its floor is
    reached to rounding at a finite place, the last one at which the law is finite; the coefs that moved have no value.
    """
    amid = np.where(free_of(job), place.middle, place.theta)
    if place.multipliers(job, amid[None], free_of(job, {at}), clock).apart[0, at] <= SPANNED:
        return None  # they predict alike everywhere: no valley, but a plain
    here, stops = place, list[Stop]()
    for _ in range(STRETCHES):
        found = _stretch(law, job, here, at, clock)
        if len(found) < 2 or (stops and found[0].theta[at] <= stops[0].theta[at]):
            break
        stops = found
        here = replace(place, theta=stops[0].theta, value=stops[0].value)
    if not stops:
        return None
    far, near = stops
    if abs(far.slope) > max(min(REMAINING * one_run(job) * far.value, FADING * abs(near.slope)), UNCHANGED * far.value):
        return None
    is_held = np.arange(len(law.names)) == at
    stand = np.where(is_held, far.theta, np.nan)
    coef = np.where(is_held, law.supports[at].to_coef(np.where(is_held, far.theta, 0.0)), np.nan)
    return Bound(stand, coef, np.where(is_held, -1, 0), np.abs(far.theta - near.theta) > MOVING, far.theta)


def _stretch(law: Law, job: Job, place: Place, at: int, clock: Clock) -> list[Stop]:
    """Return the last two stops of one stretch of a valley, the farther first; fewer where it leads nowhere."""
    free, others = np.flatnonzero(free_of(job)), free_of(job, {at})
    jacobian = place.jacobian(job, place.theta, clock)[:, free]
    length = np.linalg.norm(jacobian, axis=0)
    if not (np.isfinite(length).all() and (length > 0).all()):
        return []
    share, move = np.zeros(len(law.names)), np.zeros(len(law.names))
    share[free] = np.linalg.svd(jacobian / length, full_matrices=len(jacobian) < len(length))[2][-1]
    move[free] = share[free] / length
    leader = int(np.argmin(np.where(np.abs(share) > LEADS, np.abs(move), np.inf)))
    if at != leader or length[free == at][0] ** 2 <= INSENSITIVE * place.value:
        return []
    points = np.tile(place.theta, (len(FURTHER), 1)) + (FURTHER - 1.0)[:, None] * move / move[at]
    points[:, at] = place.theta[at] + np.log(FURTHER)
    stops: list[Stop] = []
    outwards = np.flatnonzero(place.values(job, points, clock) <= FALLS * place.value)
    rest = replace(job, active=np.where(others, job.active, 0.0))
    for part in chunks(len(outwards), ABREAST):
        start = points[outwards[::-1][part]]
        outcome = solve_lanes(rest, np.full(len(start), place.replicate), start, np.zeros(len(start)), clock)
        is_low = outcome.value <= place.value * (1.0 + SHORT * one_run(job))
        for row in np.flatnonzero((outcome.status == Status.CONVERGED) & is_low)[: 2 - len(stops)]:
            theta = outcome.theta[row]
            slope = place.multipliers(job, theta[None], others, clock).multiplier[0, at]
            stops.append(Stop(theta, float(outcome.value[row]), float(slope)))
        if len(stops) == 2:
            break
    return stops


def out_along(
    job: Job, bound: Bound, replicate: np.ndarray, theta: np.ndarray, clock: Clock, share: float = 1.0
) -> np.ndarray:
    """Return theta (k, p) of lanes moved along valleys of their own to where a bound at infinity stands.

    share: of the coef that is followed, at which they stop.

    A lane whose smallest runs are not those of the lane that the bound was found by has another scale there, and one
    that would not be finite stops short of that. Where a lane has no valley it begins where the bound was found.
    """
    at, others = int(np.argmax(bound.stands_for_infinity)), bound.is_open & ~bound.is_held
    moves = []
    with np.errstate(all="ignore"):
        for jacobian in jacobians_of(job, replicate, theta, clock):
            is_known = np.isfinite(jacobian).all(axis=(1, 2))[:, None]
            slope = np.linalg.pinv(np.where(is_known[:, :, None], jacobian[:, :, others], 0.0)) @ jacobian[:, :, [at]]
            moves.append(np.where(is_known, -slope[:, :, 0], np.nan))
        move, here = np.concatenate(moves), theta[:, others]
        room = np.min(np.where(move > 0.0, (FINITE - here) / move, np.inf), axis=1, initial=np.inf)
        further = np.minimum(np.expm1(bound.stand[at] + np.log(share) - theta[:, at]), room)
        moved = theta.copy()
        moved[:, at] += np.log1p(further)
        moved[:, others] += further[:, None] * move
    return np.where(np.isfinite(moved).all(axis=1)[:, None], moved, bound.start)

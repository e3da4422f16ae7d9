"""Which bounds a law has near a lane, finite or at infinity, found by going there: no list of them is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.job import Job
from jaxscale.engine.scheduler import Outcome
from jaxscale.fitting.bounds import (
    FALLS,
    SAME_MINIMUM,
    SPANNED,
    UNCHANGED,
    Bound,
    is_least_at_flat,
    minimise_others,
    stand_of,
)
from jaxscale.fitting.multipliers import Place, free_of
from jaxscale.fitting.nullspace import TAKES_PART, null_space
from jaxscale.fitting.valleys import bound_at_infinity
from jaxscale.laws import Law
from jaxscale.solvers.verdict import INSENSITIVE
from jaxscale.status import Status

OUT = 60.0
"""Theta beyond which a coef is out of all proportion, as e^60 is."""


def bounds_near(law: Law, job: Job, place: Place, clock: Clock) -> Iterator[Bound]:
    """Yield the bounds near a lane: each coef at each end of its support, or followed to infinity along with others."""
    for at in np.flatnonzero(law.bounded & (job.active > 0)):
        support = law.supports[at]
        for edge in (support.low, support.high):
            if np.isfinite(edge):
                bound = bound_at(law, job, place, {int(at): edge}, clock)
                if bound is not None:
                    yield bound
        if np.isinf(support.high):
            bound = bound_at_infinity(law, job, place, int(at), clock) or _edge_at_infinity(
                law, job, place, int(at), clock
            )
            if bound is not None:
                yield bound


def _edge_at_infinity(law: Law, job: Job, place: Place, at: int, clock: Clock) -> Bound | None:
    """Return the bound where a coef is infinite and the law as good as ever, as a decay that takes for ever; None where
    there is none, or where another coef then has no effect: that term is nought, and has an edge that says so.
    """
    is_held = np.arange(len(law.names)) == at
    theta, beyond = (np.where(is_held, one, place.theta) for one in (stand_of(law, at, np.inf), np.inf))
    value, there = place.values(job, np.stack([theta, beyond]), clock)
    if not (value <= FALLS * place.value and abs(there - value) <= SAME_MINIMUM * value):  # or it has no value there
        return None
    others = free_of(job, {at})
    effect = place.multipliers(job, theta[None], others, clock).effect[0]
    return None if (effect[others] <= INSENSITIVE * value).any() else bound_at(law, job, place, {at: np.inf}, clock)


def bound_at(law: Law, job: Job, place: Place, edges: dict[int, float], clock: Clock) -> Bound | None:
    """Return the bound with these coefs, by place, at these edges; None where the others have no strict minimum there.

    What else has to be held is found on the way: a coef that reaches its own edge, and one of several that predict
    alike.
    """
    held, theta = dict(edges), place.theta
    if edges:  # the others need not be as far out as the lane had come
        theta = np.where((np.abs(theta) > OUT) & (job.active > 0), place.middle, theta)
    for _ in range(2 * len(law.names)):
        outcome = _minimised(law, job, held, place, theta, clock)
        theta, value, status = outcome.theta[0], float(outcome.value[0]), Status(int(outcome.status[0]))
        if not value <= FALLS * place.value:
            return None
        if status is Status.CONVERGED:
            return _closed(law, job, place, held, theta, clock)
        if status is Status.AT_BOUND:
            more = _edge_in(law, job, place, held, theta, value, clock)
        elif status is Status.SINGULAR:
            more = _edge_in(law, job, place, held, theta, value, clock, is_sure=True)
            more = more or _one_of_alike(law, job, place, held, theta, value, clock)
        else:
            more = {}
        if not more:
            return None
        held |= more
    return None


def _minimised(law: Law, job: Job, held: Mapping[int, float], place: Place, theta: np.ndarray, clock: Clock) -> Outcome:
    """Return the minimum, of one lane, with these coefs held, from theta (p,) for the others."""
    stand = _stand(law, held)
    is_held = ~np.isnan(stand)
    start = np.where(is_held, stand, theta)[None]
    return minimise_others(job, is_held, np.array([place.replicate]), start, np.zeros(1), clock)


def _stand(law: Law, held: Mapping[int, float]) -> np.ndarray:
    stand = np.full(len(law.names), np.nan)
    for at, coef in held.items():
        stand[at] = stand_of(law, at, coef)
    return stand


def _edge_in(
    law: Law,
    job: Job,
    place: Place,
    held: dict[int, float],
    theta: np.ndarray,
    value: float,
    clock: Clock,
    *,
    is_sure: bool = False,
) -> dict[int, float]:
    """Return one coef more that changes no prediction, by place, and where it is held; none if it is nowhere to hold.

    is_sure: none, too, where that of least effect has some, which rounding elsewhere may have called none.

    A finite edge comes before an infinite one; a coef that is idle, as the exponent of a term whose scale is zero, has
    no edge and is held amid the grid, unless that lets a finite edge stand for an infinite one.
    """
    free = free_of(job, held)
    effect = place.multipliers(job, theta[None], free, clock).effect[0]
    can = np.flatnonzero(free & law.bounded)
    least = 0.0 if is_sure else float(effect[can].min(initial=np.inf))
    inert = can[effect[can] <= max(INSENSITIVE * value, least)]
    moves = [(int(at), edge) for at in inert for edge in ("low", "high", "middle")]
    points = np.tile(theta, (len(moves), 1))
    for row, (at, edge) in enumerate(moves):
        points[row, at] = place.middle[at] if edge == "middle" else stand_of(law, at, getattr(law.supports[at], edge))
    values = place.values(job, points, clock) if moves else np.zeros(0)
    kept = {move for move, there in zip(moves, values, strict=True) if abs(there - value) <= UNCHANGED * value}
    ends = [
        (np.isinf(coef := getattr(law.supports[at], edge)), (at, "middle") in kept, at, float(coef))
        for at in inert.tolist()
        for edge in ("low", "high")
        if (at, edge) in kept
    ]
    proper = [end for end in ends if not end[1]]
    if proper and proper[0][0]:  # an infinite edge: what is idle there may have a finite one that says the same
        proper = [end for end in ends if end[1] and not end[0]] or proper
    if proper:
        *_, at, coef = min(proper)
        return {at: coef}
    idle = [at for at in inert.tolist() if (at, "middle") in kept]
    return {idle[0]: float(law.supports[idle[0]].to_coef(place.middle[idle[0]]))} if idle else {}


def _one_of_alike(
    law: Law, job: Job, place: Place, held: dict[int, float], theta: np.ndarray, value: float, clock: Clock
) -> dict[int, float]:
    """Return which one of the coefs that predict alike is held, by place, and at what: an edge if it costs nothing."""
    if law.chart is not None:  # what is held there is no coef
        return {}
    free = np.flatnonzero(free_of(job, held))
    jacobian = place.jacobian(job, theta, clock)[:, free]
    length = np.linalg.norm(jacobian, axis=0)
    if not np.isfinite(length).all():
        return {}
    null, _ = null_space(jacobian / np.where(length > 0, length, 1.0))
    alike = free[np.linalg.norm(null, axis=0) > TAKES_PART]
    for at in alike:
        low = law.supports[at].low
        if np.isfinite(low):
            again = _minimised(law, job, held | {int(at): low}, place, theta, clock)
            if again.value[0] <= value * (1.0 + SAME_MINIMUM):
                return {int(at): float(low)}
    for at in alike:
        coef = float(law.supports[at].to_coef(theta[at]))
        if np.isfinite(coef):
            return {int(at): coef}
    return {}


def _closed(
    law: Law,
    job: Job,
    place: Place,
    held: dict[int, float],
    theta: np.ndarray,
    clock: Clock,
) -> Bound | None:
    """Return the bound whose others have their strict minimum at theta: which way each held coef may not leave, and
    which coefs have no value there. None where coefs predict alike, or nothing, away from the bound, too, or none may
    not leave it: that is the law, or the design of the table, and no limit.
    """
    minimised, places = free_of(job, held), list(held)
    points = np.tile(theta, (len(held) + 2, 1))
    for row, at in enumerate(places, start=2):
        points[row, at] = points[1, at] = place.middle[at]
    multipliers = place.multipliers(job, points, minimised, clock)
    is_idle = dict(
        zip(
            places,
            np.abs(multipliers.value[2:] - multipliers.value[0]) <= UNCHANGED * multipliers.value[0],
            strict=True,
        )
    )
    coef, side = np.full(len(law.names), np.nan), np.zeros(len(law.names), int)
    is_open = np.zeros(len(law.names), bool)
    for at, value in held.items():
        coef[at] = value
        if is_idle[at]:
            if multipliers.effect[1, at] == 0.0:
                return None
            is_open[at] = True
        elif multipliers.effect[0, at] == 0.0:
            side[at] = 1 if value == law.supports[at].low else -1
            if not is_least_at_flat(job, np.array([place.replicate]), theta[None], at, int(side[at]), clock)[0]:
                return None
        elif multipliers.apart[0, at] <= SPANNED:
            if multipliers.apart[1, at] <= SPANNED:
                return None
            is_open |= _taking_part(law, job, place, theta, minimised, at, clock)
        else:
            side[at] = 1 if value == law.supports[at].low else -1
    if not side.any():
        return None
    return Bound(_stand(law, held), coef, side, is_open, theta, int(sum(is_idle.values())))


def _taking_part(
    law: Law, job: Job, place: Place, theta: np.ndarray, minimised: np.ndarray, at: int, clock: Clock
) -> np.ndarray:
    """Return which coefs (p,) can move with the held one at a place without a change of any prediction."""
    jacobian = place.jacobian(job, theta, clock)
    length = np.linalg.norm(jacobian, axis=0)
    unit = jacobian / np.where(length > 0, length, 1.0)
    share = np.zeros(len(length))
    share[minimised] = np.linalg.lstsq(unit[:, minimised], unit[:, at], rcond=None)[0]
    share[at] = 1.0
    taking: np.ndarray = np.abs(share) > TAKES_PART
    return taking

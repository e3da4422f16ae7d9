"""Profiles followed as far as the intervals of any usual level go, and as closely as they need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from jaxscale.errors import IntervalError, UsageError
from jaxscale.intervals.lines import line_of
from jaxscale.intervals.profile import between
from jaxscale.intervals.spec import LikelihoodProfile, Line
from jaxscale.intervals.student import quantile
from jaxscale.refitting.constrained import Quantity
from jaxscale.refitting.held import HeldCoef, HeldQuantity, held_coef, held_quantity
from jaxscale.refitting.likelihood import NO_PROFILE
from jaxscale.results import Fit
from jaxscale.results.kinds import check_kind
from jaxscale.stages import SILENT, Stages

HIGHEST = 0.999
"""The level as far as whose limits a profile is followed."""
PACE = 1.1
"""From root to root at least, in standard errors, before it is refined; further out, twice as far each time."""
GROWTH = 3.0
"""At most from step to step: where the objective hardly rises, that is how the end of a support is reached."""
STEPS, HALVINGS, ROUNDS = 24, 4, 6
"""Steps on a side at most, steps back from what cannot be fitted, and times that a gap between roots is halved."""
CLOSE = 1e-3
"""Of a root: how far it may lie off what is interpolated: half a thousandth of an interval's width, or less."""
FIRST = 0.5
"""The root from which on it is so: nearer to the estimate, as for levels below 0.4, no gap is halved."""
FLAT = 1e-7
"""Of a root: a step that adds less has left nothing to gain."""

CHECKED = (-1e9, -2.0, 2.0, 1e9)
"""Roots near which fits from all starts must find nothing lower than a path did."""

FOLLOWING = "Following the profile of each coef"
TOO_FAR = "the profile of '{name}' is known up to the level {level}; js.refitting.profile has limits of higher ones"
NO_END = "'{name}' has no limit on that side: beyond {value:.6g} the fit of the others hardly gets worse"
NOT_RISING = (
    "the profile of '{name}' has another minimum: between {one:.6g} and {other:.6g} the fit of the others gets better "
    "again, so that there is no one limit at this level"
)
AT_INFINITY = "its estimate is infinite; js.refitting.profile has its limit"


class Knot(NamedTuple):
    """A signed root, where it was found on the line of the search, and the quantity there."""

    root: float
    place: float
    value: float


def followed(fit: Fit, quantity: str | Quantity, *, line: Line = "real", device: str = "auto") -> LikelihoodProfile:
    """Return the profile of a coef, or of what follows from coefs, from which limits of any level to 0.999 follow.

    They are those of `js.refitting.profile` within a thousandth of the width. A sample that has it, such as
    `replace(js.results.sample_of(…), profile=…)`, has the interval `profile`.

    Parameters
    ----------
    fit, quantity, line, device
        As in `js.refitting.profile`.

    Returns
    -------
    LikelihoodProfile
        Of a number, (k,). Where it could not be followed, it says why.

    Raises
    ------
    UsageError
        As `js.refitting.profile`, where nothing can be followed.

    Examples
    --------
    >>> known = js.refitting.followed(fit, "alpha")
    >>> sample = js.intervals.Sample(ensemble.samples("alpha"), profile=known, dof=fit.dof)
    >>> low, high = js.refitting.profile(fit, "alpha", level=0.9)
    >>> band = js.band(sample, level=0.9, method="profile")
    >>> bool(np.allclose([band.lower, band.upper], [low, high], rtol=0, atol=1e-3 * (high - low)))
    True
    """
    check_kind("followed", fit, Fit)
    if isinstance(quantity, str):
        return _of_coef(fit, quantity, device)
    return _of_quantity(fit, quantity, line, device)


def profile_of_coefs(fit: Fit, device: str, told: Stages = SILENT) -> LikelihoodProfile:
    """Return the profiles (p,) of all coefs; one that has none says why."""
    told.begin(FOLLOWING, len(fit.law.names))
    found = []
    for name in fit.law.names:
        found.append(_tried(partial(_of_coef, fit, name, device)))
        told.done(1)
    return LikelihoodProfile.joined(found)


def profiles_of_functions(fit: Fit, quantities: Iterable[Quantity], told: Stages = SILENT) -> LikelihoodProfile:
    """Return the profiles (m,) of functions of the coefs, positive ones on ln; one that has none says why.

    Their `__name__` is what messages call them.   Of one without a value at the fit nothing is known.
    """
    point, found = {name: np.array([coef]) for name, coef in fit.coefs.items()}, []
    for quantity in quantities:
        value = float(quantity(point)[0])
        line: Line = "positive" if value > 0.0 else "real"
        is_there = bool(np.isfinite(value))
        found.append(_tried(partial(_of_quantity, fit, quantity, line)) if is_there else unknown_profile(""))
        told.done(1)
    return LikelihoodProfile.joined(found)


def unknown_profile(why: str) -> LikelihoodProfile:
    """Return the profile of a number of which nothing is known, for that reason."""
    said = np.asarray(why, dtype=object)
    return LikelihoodProfile(np.empty(0), np.empty(0), said, said)


def _tried(follow: Callable[[], LikelihoodProfile]) -> LikelihoodProfile:
    try:
        return follow()
    except UsageError as error:
        return unknown_profile(str(error))


def _of_quantity(fit: Fit, quantity: Quantity, line: Line, device: str = "auto") -> LikelihoodProfile:
    return followed_on(held_quantity(fit, quantity, line, device))


def _of_coef(fit: Fit, name: str, device: str) -> LikelihoodProfile:
    """Return the profile of a coef, along a path where fits from all starts find nothing lower; else by such fits."""
    held = held_coef(fit, name, device)
    known = _along(held)
    return followed_on(held) if known is None else known


def _along(held: HeldCoef) -> LikelihoodProfile | None:
    """Return the profile of a coef along a path of minima; None where it ends on the way, or where others lie lower."""

    def itself(coefs: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.asarray(coefs[held.name])

    itself.__name__ = held.name
    try:
        known = followed_on(held_quantity(held.fit, itself, line_of(held.support.name), held.device))
        if not str(known.below) == str(known.above) == TOO_FAR.format(name=held.name, level=HIGHEST):
            return None
        for root in CHECKED:
            at = int(np.argmin(np.abs(known.roots - root)))
            if not held.is_least(float(known.values[at]), (1.0 - CLOSE) * abs(float(known.roots[at]))):
                return None
    except UsageError:
        return None
    return known


def followed_on(held: HeldCoef | HeldQuantity) -> LikelihoodProfile:
    """Return the profile of what is held, on both sides of the estimate; raise IntervalError where there is none."""
    if not np.isfinite(held.value):
        raise IntervalError(NO_PROFILE.format(name=f"'{held.name}'", why=AT_INFINITY))
    most = quantile(HIGHEST, held.dof)
    (left, below), (right, above) = (_walked(held, side, most) for side in (-1.0, 1.0))
    knots, below, above = _refined(held, [*left[::-1], Knot(0.0, held.begin, held.value), *right], below, above)
    said = (np.asarray(end, dtype=object) for end in (below, above))
    return LikelihoodProfile(np.array([one.root for one in knots]), np.array([one.value for one in knots]), *said)


def _walked(held: HeldCoef | HeldQuantity, side: float, most: float) -> tuple[list[Knot], str]:
    """Return the knots on one side of the estimate, outwards until the root is `most`, and why there are no more.

    Where that is the end of a support, the last of them has it, and there is nothing to say.
    """
    edge = held.edge(side)
    if held.value == edge:
        return [], ""
    knots: list[Knot] = []
    root, place, step, left, wall = 0.0, held.begin, PACE * held.reach, HALVINGS, np.inf
    for _ in range(STEPS):
        new = place + side * step
        shown = held.shown(new)
        try:
            found = root if shown == edge else held.at(new)
        except IntervalError as error:
            left, wall, step = left - 1, step, step / 2.0
            if left < 0:
                return knots, str(error)
            continue
        is_flat = root > FIRST * PACE and abs(found - root) <= FLAT * root
        if is_flat or shown == edge:
            break
        if found <= root and root > FIRST * PACE:
            return knots, NOT_RISING.format(name=held.name, one=held.shown(place), other=shown)
        gain, goal = max(found - root, 0.0), min(found + max(PACE, found), 1.01 * most)
        further = step * (goal - found) / gain if gain > 0.0 else np.inf
        if gain > 0.0:
            root = found
            knots.append(Knot(side * root, new, shown))
        if root >= most:
            return knots, TOO_FAR.format(name=held.name, level=HIGHEST)
        place, wall = new, wall - step
        step = min(further, GROWTH * step, wall / 2.0)
    if edge is None:
        return knots, NO_END.format(name=held.name, value=held.shown(place))
    last = Knot(side * max(root, FLAT), place, edge)
    return [*(one for one in knots if one.root != last.root), last], ""


def _refined(held: HeldCoef | HeldQuantity, knots: list[Knot], below: str, above: str) -> tuple[list[Knot], str, str]:
    """Return knots so close that what lies between them is interpolated, and why there are no more on either side."""
    gaps = list(pairwise(knots))
    for _ in range(ROUNDS):
        wide: list[tuple[Knot, Knot]] = []
        roots, values = (np.array([getattr(one, part) for one in knots]) for part in ("root", "value"))
        for one, other in gaps:
            is_given_up = not (knots[0].root <= one.root and other.root <= knots[-1].root)
            if is_given_up or max(-one.root, other.root) < FIRST:
                continue
            root = 0.5 * (one.root + other.root)
            new, why = _between(held, one, other, root, between(roots, values, root))
            if new is not None:
                knots = sorted([*knots, new])
                is_off = abs(new.root - root) > CLOSE * max(abs(root), FIRST)
                wide += [(one, new), (new, other)] if is_off else []
            elif why and root > 0.0:
                knots, above = [each for each in knots if each.root <= one.root], why
            elif why:
                knots, below = [each for each in knots if each.root >= other.root], why
        gaps = wide
    return knots, below, above


def _between(
    held: HeldCoef | HeldQuantity, one: Knot, other: Knot, root: float, value: float
) -> tuple[Knot | None, str]:
    """Return the knot where a root between two is expected, or why there is none."""
    if not (np.isfinite(one.value) and np.isfinite(other.value)):
        return None, ""
    if not one.value < value < other.value:
        value = 0.5 * (one.value + other.value)
    place = held.placed(value)
    try:
        found = float(np.copysign(held.at(place), root))
    except IntervalError as error:
        return None, str(error)
    if not one.root < found < other.root:
        return None, NOT_RISING.format(name=held.name, one=one.value, other=other.value)
    return Knot(found, place, value), ""

"""Lanes that ended at a bound, or on the way to one, brought exactly there: which bound it is, and its minimum."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.job import Job, draws
from jaxscale.engine.scheduler import Outcome, solve_lanes
from jaxscale.fitting.bounds import SAME_MINIMUM, SHORT, Bound, one_run, solve_held
from jaxscale.fitting.limits import bound_at, bounds_near
from jaxscale.fitting.multipliers import Place, lane_values
from jaxscale.fitting.valleys import out_along
from jaxscale.laws import Law
from jaxscale.status import Status

LOOKS = 4
"""Lanes from which bounds are looked for, beside one of each kind that says that it is at one."""
INSIDE = -1
PATIENCE = 1000
"""Evaluations for a lane that the usual number left on its way: four times as many saved one replicate in 4,096."""


@dataclass
class Settling:
    """Lanes on their way to be told where they lie; `outcome` and `index` change in place.

    replicate: (R,) indices, -1 for the table as it is.   middle: (p,) theta amid the grid of starts.   narrow: first
    scale of a lane that begins where it stands.   index: (R,) place in `bounds` of the one at which a lane lies, -1
    inside.   told: how many of the bounds, the first, lanes that did not fail may be told of; None for all of them, and
    for new ones to be found.   often: how many lanes of a survey lie at each of these; None where they are the survey.
    floor: a difference in the objective that is rounding.
    """

    law: Law
    job: Job
    outcome: Outcome
    replicate: np.ndarray
    middle: np.ndarray
    narrow: float
    clock: Clock
    bounds: list[Bound] = field(default_factory=list)
    told: int | None = None
    often: np.ndarray | None = None
    index: np.ndarray = field(init=False)
    floor: float = field(init=False)

    def __post_init__(self) -> None:
        self.index = np.full(len(self.replicate), INSIDE)
        self.floor = self.job.batch.rounding**2 * float(np.sum(self.job.batch.weight))

    def settle(self, lanes: np.ndarray) -> None:
        """Bring lanes that say that they are at a bound exactly there; one that cannot be is `stalled`.

        Which bounds there are is asked of the lanes themselves, the lowest first, where new ones may be found.
        """
        outcome = self.outcome
        is_lost = (outcome.status[lanes] > Status.AT_BOUND) & (outcome.status[lanes] != Status.DEGENERATE)
        self.measure(lanes[is_lost & np.isfinite(outcome.value[lanes])])
        own = lanes[(outcome.status[lanes] == Status.AT_BOUND) & (self.index[lanes] == INSIDE)]
        outcome.status[own] = Status.STALLED
        for bound in self.bounds[: self.told]:
            self.hold(bound, own[self.index[own] == INSIDE], is_own=True)
        for _ in range(LOOKS if self.may_find else 0):
            left = own[self.index[own] == INSIDE]
            if not len(left):
                return
            place = self.place(int(left[np.argmin(outcome.value[left])]))
            found = bound_at(self.law, self.job, place, {}, self.clock)
            if found is None:
                return
            self.hold(self.known(found), left, is_own=True)

    @property
    def may_find(self) -> bool:
        """Whether bounds may be looked for around lanes, so that what one lane shows is asked of all."""
        return self.told is None

    def measure(self, lanes: np.ndarray) -> None:
        """Measure lanes by the objective itself, also where they were given up at a wider scale of it."""
        if len(lanes):
            theta = self.outcome.theta[lanes]
            self.outcome.value[lanes] = lane_values(self.job, self.replicate[lanes], theta, self.clock)

    def go_on(self, lanes: np.ndarray, most: int = PATIENCE) -> None:
        """Let failed lanes go on from where they stand, for longer: along a curved valley steps are short.

        most: evaluations of each.
        """
        outcome = self.outcome
        lanes = lanes[np.isfinite(outcome.value[lanes])]
        if not len(lanes):
            return
        patient, before = replace(self.job, max_steps=most), self.copy()
        scale = np.full(len(lanes), self.narrow)
        self.keep(lanes, solve_lanes(patient, self.replicate[lanes], outcome.theta[lanes], scale, self.clock))
        self.settle_moved(before)

    def keep(self, lanes: np.ndarray, again: Outcome) -> None:
        """Write what a failed lane found into it if that is no higher than where it stood, usable or not."""
        outcome = self.outcome
        outcome.steps[lanes] += again.steps
        stood = np.where(np.isfinite(outcome.value[lanes]), outcome.value[lanes], np.inf)
        is_usable = again.status <= Status.AT_BOUND
        better = np.where(is_usable, again.value <= stood + self.slack(stood), again.value < stood)
        kept = lanes[better]
        for mine, other in zip((outcome.theta, outcome.value, outcome.status), again, strict=False):
            mine[kept] = other[better]
        self.measure(kept[~is_usable[better]])

    def look(self, place: Place, lanes: np.ndarray) -> None:
        """Find the bounds near a place, and bring those of `lanes` there that have their minimum at one.

        Those that failed begin there at the last scale, too: from a wide one a term that tells the smallest runs alone
        from the others may be lost.
        """
        for bound in bounds_near(self.law, self.job, place, self.clock):
            known = self.known(bound)
            self.hold(known, lanes)
            left = lanes[(self.outcome.status[lanes] > Status.AT_BOUND) & (self.index[lanes] == INSIDE)]
            self.hold(known, left, is_narrow=True)

    def hold(
        self, bound: Bound, lanes: np.ndarray, *, is_own: bool = False, is_narrow: bool = False, share: float = 1.0
    ) -> None:
        """Minimise lanes at a bound, and keep what is a minimum there and no higher than where the lane stood.

        is_own: they begin where they stand, and at the last scale, not at the minimum where the bound was found.
        is_narrow: there, and at the last scale.   share: of the way out to a bound at infinity that they are held at.
        """
        if not len(lanes):
            return
        outcome, at = self.outcome, next(i for i, one in enumerate(self.bounds) if one is bound)
        start = outcome.theta[lanes] if is_own else np.tile(bound.start, (len(lanes), 1))
        if is_own and bound.is_infinite:
            start = out_along(self.job, bound, self.replicate[lanes], start, self.clock, share)
        scale = np.full(len(lanes), self.narrow if is_own or is_narrow else 0.0)
        again = solve_held(self.job, bound, self.replicate[lanes], start, scale, self.clock)
        outcome.steps[lanes] += again.steps
        before = np.where(np.isfinite(outcome.value[lanes]), outcome.value[lanes], np.inf)
        ranks = [self.bounds[i].rank if i != INSIDE else None for i in self.index[lanes]]
        is_plainer = np.array([rank is not None and bound.rank < rank for rank in ranks])
        slack = self.slack(before, self.share_of(bound, self.index[lanes]))
        is_new = (self.index[lanes] == INSIDE) | is_plainer
        is_kept = np.where(is_new, again.value <= before + slack, again.value < before - slack)
        kept = np.flatnonzero((again.status == Status.AT_BOUND) & is_kept)
        for mine, other in zip((outcome.theta, outcome.value, outcome.status), again, strict=False):
            mine[lanes[kept]] = other[kept]
        self.index[lanes[kept]] = at

    def slack(self, value: np.ndarray, share: float | np.ndarray = SAME_MINIMUM) -> np.ndarray:
        """Return differences from values (k,) that say nothing, as a share of them."""
        return share * np.where(np.isfinite(value), value, 0.0) + self.floor

    def share_of(self, bound: Bound, index: np.ndarray) -> np.ndarray:
        """Return the share by which minima at a bound differ for nothing from lanes at the bounds index (k,).

        One that is followed to infinity stops short of it. Another replaces it where the runs cannot tell them apart,
        which is where they differ by less than one run contributes: a law has finite coefs.
        """
        is_infinite = np.array([*(one.is_infinite for one in self.bounds), False])[index]
        if bound.is_infinite:
            return np.where(is_infinite | (index == INSIDE), SHORT * self.indistinct, self.indistinct)
        return np.where(is_infinite, self.indistinct, SAME_MINIMUM)

    @property
    def indistinct(self) -> float:
        """Share of the objective that one run contributes."""
        return one_run(self.job)

    def known(self, bound: Bound) -> Bound:
        """Return the bound of the same kind, if there is one already: the same coefs held, at the same edges."""
        for one in self.bounds:
            is_alike = np.array_equal(one.side, bound.side) and np.array_equal(one.is_open, bound.is_open)
            if is_alike and np.array_equal(one.edges(self.law), bound.edges(self.law), equal_nan=True):
                return one
        self.bounds.append(bound)
        return bound

    def usual_first(self) -> list[Bound]:
        """Return the bounds, those first at which most lanes of the survey lie."""
        if self.often is None:
            return list(self.bounds)
        often = np.pad(self.often, (0, len(self.bounds) - len(self.often)))
        return [self.bounds[at] for at in np.argsort(-often, kind="stable")]

    def tell_plainly(self) -> None:
        """Try lanes at a bound at every known one that would be a plainer account of the same minimum.

        One at which no lane of the survey lies, all of which were tried there, is left out.
        """
        known = self.bounds[: self.told]
        if self.often is not None:
            known = [bound for bound, count in zip(known, self.often, strict=True) if count]
        for bound in sorted(known, key=lambda one: one.rank):
            ranks = self.ranks()
            lanes = [at for at, index in enumerate(self.index) if index != INSIDE and bound.rank < ranks[at]]
            self.hold(bound, np.array(lanes, dtype=int))

    def place(self, lane: int) -> Place:
        """Return what there is to know of one lane before looking around from it."""
        job, replicate = self.job, int(self.replicate[lane])
        theta, bound = self.outcome.theta[lane], self.bound_of(lane)
        weight = np.asarray(draws(job, np.array([replicate]), self.clock).weight)[0]
        if bound is not None:
            theta = np.where(bound.is_held, self.middle, theta)
        return Place(theta, replicate, float(self.outcome.value[lane]), weight, self.middle)

    def is_weak(self) -> np.ndarray:
        """(R,) bool: lanes at a bound where some coef has no value, of which there may be a plainer account."""
        open_at = np.array([*(bool(bound.is_open.any()) for bound in self.bounds), False])
        weak: np.ndarray = open_at[self.index]
        return weak

    def copy(self) -> tuple[np.ndarray, ...]:
        """Return theta, value, status and bound of every lane as they stand."""
        outcome = self.outcome
        return outcome.theta.copy(), outcome.value.copy(), outcome.status.copy(), self.index.copy()

    def settle_moved(self, before: tuple[np.ndarray, ...], index: np.ndarray | None = None) -> None:
        """Settle the lanes whose theta is not what it was; one that was usable, and for which that fails, goes back.

        index: (R,), of the bounds at which lanes that moved are known to lie.
        """
        outcome = self.outcome
        moved = np.flatnonzero((outcome.theta != before[0]).any(axis=1))
        self.index[moved] = INSIDE if index is None else index[moved]
        self.settle(moved)
        back = moved[(outcome.status[moved] > Status.AT_BOUND) & (before[2][moved] <= Status.AT_BOUND)]
        for mine, other in zip((outcome.theta, outcome.value, outcome.status, self.index), before, strict=True):
            mine[back] = other[back]

    def bound_of(self, lane: int) -> Bound | None:
        """Return the bound at which a lane lies; None inside."""
        return None if self.index[lane] == INSIDE else self.bounds[self.index[lane]]

    def ranks(self) -> list[tuple[int, int, int, int]]:
        """Return the rank of each lane's bound, that of none inside."""
        every = [*(bound.rank for bound in self.bounds), (0, 0, 0, 0)]
        return [every[at] for at in self.index]

    def coefs(self) -> np.ndarray:
        """Return the coefs (R, p) of all lanes, those held at a bound as they are reported."""
        found = Bound.inside(self.law).coefs_at(self.law, self.outcome.theta)
        for at, bound in enumerate(self.bounds):
            lanes = self.index == at
            found[lanes] = bound.coefs_at(self.law, self.outcome.theta[lanes])
        return found

    def is_open(self) -> np.ndarray:
        """(R, p) bool: coefs that have no value, since the lane is at a bound where others predict the same."""
        every = np.stack([*(bound.is_open for bound in self.bounds), np.zeros(len(self.law.names), bool)])
        return every[self.index]

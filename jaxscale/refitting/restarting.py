"""Failed replicates started again: at bounds, from minima of others, from the law's own starts, and for longer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.job import Job
from jaxscale.engine.scheduler import Outcome, solve_lanes
from jaxscale.fitting.bounds import Bound
from jaxscale.fitting.multipliers import Place, values_at_points
from jaxscale.fitting.settling import Settling
from jaxscale.refitting.setup import Setup
from jaxscale.stages import SILENT, Stages
from jaxscale.status import Status

FAILED = "failed replicates"

FEW = 8
"""Failed replicates that go on for a while before bounds are looked for around them: few are mostly slow, and many
mostly on their way to a bound."""
AWHILE = 256
"""Evaluations of that; to look around one replicate takes as long as a thousand."""
MOST_LOOKS = 12
"""Failed replicates from which bounds are looked for: a table may have several kinds of them."""
JITTER = 0.1
"""Standard deviation, on the real line, of the start beside the point fit."""
NEIGHBOURS = 64
"""Minima of other replicates that a failed one is measured at."""
NEARER = 0.5
"""Share of the way out to a bound at infinity at which those are held that found nothing at its end."""
TRIES = 3
"""Of those, and of the law's own starts, how many it begins from, the lowest first."""


def settling_of(
    setup: Setup, outcome: Outcome, index: np.ndarray, replicate: np.ndarray, bounds: Iterable[Bound], clock: Clock
) -> Settling:
    """Return replicates (k,) as they were solved, ready to be told where they lie; `outcome` changes in place."""
    middle = np.median(setup.grid, axis=0)
    settling = Settling(setup.fit.law, setup.job, outcome, replicate, middle, setup.scale, clock, list(bounds))
    settling.index[:] = index
    return settling


def rescue(settling: Settling, setup: Setup, minima: np.ndarray, told: Stages = SILENT) -> None:
    """Start every failed replicate again, and keep what is usable and no higher than where it stood.

    minima: (K, p), of other replicates.

    A failed one is held at every known bound from where it stands, tried at those near the point fit, goes on for
    longer, and begins from those of the minima of others, of the point fit and of the law's starts at which its own
    objective is lowest. Where bounds may still be found, in a survey, they are looked for around the failed ones, too.
    One that is degenerate is left alone: no start gives it more rows.
    """
    outcome, fit, job = settling.outcome, setup.fit, setup.job
    left = len(_lost(outcome))
    if not left:
        return
    told.begin(FAILED, left)

    def is_left() -> bool:
        nonlocal left
        before, left = left, len(_lost(outcome))
        told.done(before - left)
        return left > 0

    if settling.may_find and left <= FEW:
        settling.go_on(_lost(outcome), AWHILE)
    tried = _Tried(settling)
    _look_around(settling, 1)
    tried.hold_all(is_own=True)
    settling.go_on(_lost(outcome), job.max_steps)
    tried.hold_all(is_own=True)
    tried.hold_all(is_own=False)
    tried.hold_nearer()
    tried.hold_both()
    if not is_left():
        return
    settling.look(Place(setup.theta, -1, fit.value, job.batch.weight, settling.middle), _lost(outcome))
    _look_around(settling)
    settling.go_on(_lost(outcome))
    if not is_left():
        return
    beside = setup.theta + JITTER * np.random.default_rng(job.seed).standard_normal(len(setup.theta)) * job.active
    _try_lowest(settling, np.concatenate([minima, setup.places, beside[None], setup.grid]))
    tried.hold_all(is_own=True)
    tried.hold_all(is_own=False)
    tried.hold_edges()
    _look_around(settling)
    settling.go_on(_lost(outcome))
    is_left()


@dataclass
class _Tried:
    """Failed replicates held at bounds, none of them twice in the same way.

    stood: where replicates (R, p) stood when they were last held at a bound in this way, NaN for one that was not.
    """

    settling: Settling
    stood: dict[tuple[int, bool], np.ndarray] = field(default_factory=dict)

    def hold_all(self, *, is_own: bool) -> None:
        """Hold failed replicates at every known bound, the usual ones first.

        is_own: from where they stand, else from where the bound was found. One that creeps towards a bound is mostly in
        the basin of its minimum there; from elsewhere another one is found, and a higher one is not kept.
        """
        settling, outcome = self.settling, self.settling.outcome
        for bound in settling.usual_first():
            lost, key = _lost(outcome), (id(bound), is_own)
            before = self.stood.setdefault(key, np.full_like(outcome.theta, np.nan))
            is_new = np.isnan(before[lost]).any(axis=1)
            if is_own:
                is_new |= (before[lost] != outcome.theta[lost]).any(axis=1)
            lanes = lost[is_new]
            before[lanes] = outcome.theta[lanes]
            settling.hold(bound, lanes, is_own=is_own)

    def hold_nearer(self) -> None:
        """Hold failed replicates less far out: a scale in the hundreds has digits that a run fitted exactly lacks."""
        for far in (one for one in self.settling.usual_first() if one.is_infinite):
            self.settling.hold(far, _lost(self.settling.outcome), is_own=True, share=NEARER)

    def hold_edges(self) -> None:
        """Hold failed replicates at every lower edge, also at one that no replicate of the survey lies at."""
        law = self.settling.law
        for at in np.flatnonzero(law.bounded & (self.settling.job.active > 0)):
            if np.isfinite(law.supports[at].low):
                self._hold_new(Bound.at_edge(law, int(at), self.settling.middle))

    def hold_both(self) -> None:
        """Hold failed replicates at infinity and at an edge of another coef: what a survey found apart may meet."""
        bounds = self.settling.usual_first()
        for far in (one for one in bounds if one.is_infinite):
            for edge in (one for one in bounds if not (one.is_infinite or one.is_open.any())):
                if not ((far.is_held | far.is_open) & edge.is_held).any():
                    self._hold_new(far.beside(edge))

    def _hold_new(self, bound: Bound) -> None:
        """Hold failed replicates at a bound that may be new; it is forgotten where none has its minimum there."""
        settling = self.settling
        for is_own in (True, False):
            lost, count = _lost(settling.outcome), len(settling.bounds)
            if len(lost):
                settling.hold(settling.known(bound), lost, is_own=is_own)
                if len(settling.bounds) > count and not (settling.index == count).any():
                    settling.bounds.pop()


def _look_around(settling: Settling, most: int = MOST_LOOKS) -> None:
    """Find bounds near failed replicates, so many at most, and bring all failed ones there that belong there."""
    outcome, looked = settling.outcome, set()
    for _ in range(most if settling.may_find else 0):
        lost = _lost(outcome)
        near = [lane for lane in lost.tolist() if np.isfinite(outcome.value[lane]) and lane not in looked]
        if not near:
            return
        looked.add(near[0])
        settling.look(settling.place(near[0]), lost)


def _lost(outcome: Outcome) -> np.ndarray:
    """Return the replicates that failed and that another start might save, as places in the outcome."""
    return np.flatnonzero((outcome.status > Status.AT_BOUND) & (outcome.status != Status.DEGENERATE))


def _order(job: Job, replicate: np.ndarray, points: np.ndarray, clock: Clock) -> np.ndarray:
    """Return the places (k, K) in points (K, p), those first at which a replicate's own objective is lowest."""
    value = values_at_points(job, replicate, points, clock)
    order: np.ndarray = np.argsort(np.where(np.isfinite(value), value, np.inf), axis=1, kind="stable")
    return order


def _try_lowest(settling: Settling, points: np.ndarray) -> None:
    """Start every failed replicate from those of some points (K, p) at which its objective is lowest."""
    lost = _lost(settling.outcome)
    order = _order(settling.job, settling.replicate[lost], points, settling.clock)
    chosen = dict(zip(lost.tolist(), order, strict=True))
    for turn in range(min(TRIES, len(points))):
        lanes = _lost(settling.outcome).tolist()
        if lanes:
            _try(settling, np.array([points[chosen[lane][turn]] for lane in lanes]))


def _try(settling: Settling, start: np.ndarray) -> None:
    """Start every failed replicate from its start (k, p); keep what is no higher than where it stood, usable or not."""
    lost, before = _lost(settling.outcome), settling.copy()
    again = solve_lanes(settling.job, settling.replicate[lost], start, np.zeros(len(lost)), settling.clock)
    settling.keep(lost, again)
    settling.settle_moved(before)

"""Replicates solved from the minima of others: from the candidate at which their own objective is lowest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from jaxscale.engine.compiling import Clock
from jaxscale.engine.scheduler import Outcome, solve_lanes
from jaxscale.engine.starts import STARTS, Candidates, Starts, most_candidates, prepared_candidates, priced_starts
from jaxscale.fitting.bounds import Bound, one_run, solve_held
from jaxscale.fitting.optimum import surrogates_at
from jaxscale.fitting.settling import INSIDE
from jaxscale.refitting.setup import Setup
from jaxscale.solvers.surrogate import LEAST
from jaxscale.stages import SILENT, Stages
from jaxscale.status import Status

PRICING = "starts"
REFITTING = "refits"
LOWER_MINIMA = "lower minima"
DIRECTLY = "from minima of others"

FIRST_STEPS = 64
"""Evaluations of a replicate before it is tried at bounds: one on its way to infinity never ends."""
BRIEF_STEPS = 3
"""Evaluations from another descent's end before it is asked again whether that leads to another minimum."""
APART = 0.5
"""Distance, in standard deviations of the ensemble along its axes, from which a replicate may start from two of its
minima: nearer ones mostly lead to the same end."""
SAME = 1e-3
"""Distance, in the same unit, below which two candidates are one."""
REMOVED = 0.4
"""Distance of the end of a descent from the minimum found, in standard errors, from which it may be another one: half
of the descents with the same end come within 0.03 to 0.6 of that, by the table."""
CLOSE = 2e-3
"""Relative difference by which the surrogate may err about the end of a descent: nine of ten err less."""
LOWER = 1e-10
"""Relative difference from which a minimum is lower: a thousand times the rounding of a sum."""
DIRECT = 1e-5
"""Relative difference by which a replicate must not end above the lowest candidate, which is priced in float32."""


@dataclass(frozen=True, eq=False)
class Pool:
    """Candidates that replicates start from; NumPy, but for what the device needs of them.

    theta: (K, p), a coef that is held standing where its bound says.   index: (K,), of the bound at which a candidate
    lies, INSIDE for none.   bounds: those.   frames: (K, p, p), of the candidates' surrogates.
    """

    theta: np.ndarray
    index: np.ndarray
    bounds: tuple[Bound, ...]
    frames: np.ndarray
    candidates: Candidates

    @classmethod
    def of(
        cls,
        setup: Setup,
        theta: np.ndarray,
        index: np.ndarray,
        bounds: Sequence[Bound],
        clock: Clock,
        descents: int = STARTS,
    ) -> Pool:
        """Return the pool of points (M, p), those before others first, as many as there is room for.

        descents: of a replicate.
        """
        free = setup.job.active > 0
        away = _distances(theta[:, free], index)
        is_new = np.array([not (away[at, :at] < SAME).any() for at in range(len(theta))])
        kept = np.flatnonzero(is_new)[: most_candidates(setup.job)]
        theta, index, alike = theta[kept], index[kept], away[np.ix_(kept, kept)] < APART
        surrogates = surrogates_at(setup.job, theta, setup.fine, clock, setup.known)
        candidates = prepared_candidates(setup.job, surrogates, index == INSIDE, alike, setup.fine, descents)
        return cls(theta, index, tuple(bounds), surrogates.frame, candidates)


def _distances(theta: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Return how far points (M, p) are from one another, along the axes of those inside, in standard deviations.

    Infinite between points at different bounds; where there are too few points inside for axes, 1 between any two.
    """
    count, is_inside = len(theta), index == INSIDE
    away = np.where(np.eye(count, dtype=bool), 0.0, 1.0)
    inside = theta[is_inside]
    if len(inside) >= 2 * theta.shape[1]:
        middle = np.median(inside, axis=0)
        low, high = np.quantile(inside, (0.16, 0.84), axis=0)
        width = np.where(high > low, high - low, np.inf) / 2.0
        known = np.clip((theta - middle) / width, -9.0, 9.0)
        near = np.clip(known[is_inside], -3.0, 3.0)  # a few minima far away must not turn the axes
        spread, axes = np.linalg.svd(near, full_matrices=False)[1:]
        if spread[0] > 0.0:  # without noise every minimum is the same point
            turned = known @ axes.T / np.maximum(spread, 1e-3 * spread[0]) * np.sqrt(len(inside))
            away = np.sqrt(np.sum((turned[:, None] - turned[None]) ** 2, axis=2))
    return np.where(index[:, None] == index[None], away, np.inf)


def solve_replicates(
    setup: Setup,
    pool: Pool,
    replicate: np.ndarray,
    clock: Clock,
    told: Stages = SILENT,
) -> Solving:
    """Return replicates (k,) solved, each with its outcome and the index of the bound at which it lies.

    Each is solved from the end of the surrogate's descent from the candidate of the lowest price, or held at the bound
    at which that candidate lies; and once more from every other descent that seems to end in another minimum that may
    be lower. One that failed, or ended above its lowest candidate, starts there without the surrogate. After that no
    candidate inside is lower than what a usable replicate inside found.
    """
    told.begin(PRICING, len(replicate))
    starts = priced_starts(setup.job, pool.candidates, replicate, clock, told.done)
    solving = Solving(setup, pool, starts, replicate, clock)
    told.begin(REFITTING, len(replicate))
    told.done(solving.hold())
    solving.begin(told)
    solving.visit_others(told)
    solving.begin_directly(told)
    return solving


@dataclass
class Solving:
    """Replicates (k,) on their way from where they may start; `outcome` and `index` change in place.

    index: (k,), of the bound at which each lies, INSIDE for none.   others: how many further descents led to another
    minimum than that which the replicate had.
    """

    setup: Setup
    pool: Pool
    starts: Starts
    replicate: np.ndarray
    clock: Clock
    others: int = 0
    outcome: Outcome = field(init=False)
    index: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.replicate)
        status, steps = np.full(count, Status.STALLED, np.int8), np.zeros(count, np.int32)
        self.outcome = Outcome(self.starts.theta[:, 0].copy(), np.full(count, np.nan), status, steps)
        self.index = np.full(count, INSIDE)

    def hold(self) -> int:
        """Hold those whose cheapest candidate lies at a bound there; return how many stay."""
        starts = self.starts
        is_cheapest = starts.price[:, -1] < starts.price[:, 0]
        for at, bound in enumerate(self.pool.bounds):
            lanes = np.flatnonzero(is_cheapest & (self.pool.index[starts.chosen[:, -1]] == at))
            if len(lanes):
                start, scale = self.pool.theta[starts.chosen[lanes, -1]], np.full(len(lanes), self.setup.fine)
                held = solve_held(self.setup.job, bound, self.replicate[lanes], start, scale, self.clock)
                stays = held.status == Status.AT_BOUND
                self._take(lanes, held, stays)
                self.index[lanes[stays]] = at
        return int(np.sum(self.index != INSIDE))

    def begin(self, told: Stages) -> None:
        """Solve the others from the end of their first descent."""
        lanes = np.flatnonzero(self.index == INSIDE)
        self._take(lanes, self._solved(lanes, self.starts.theta[lanes, 0], LEAST, FIRST_STEPS, told))

    def visit_others(self, told: Stages) -> None:
        """Go on from further descents that seem to end in another minimum that may be lower, and keep what is lower.

        First briefly: most then prove to be on their way to the minimum that is known. Where rho has no threshold there
        is one basin, and a lane inside has no others.
        """
        starts, outcome, is_inside = self.starts, self.outcome, (self.index == INSIDE)[:, None]
        value = np.where(outcome.status <= Status.AT_BOUND, outcome.value, -np.inf)[:, None]
        may = starts.value < np.where(is_inside, value * (1 + CLOSE), value)
        may[:, 0] &= ~is_inside[:, 0]
        if not self.setup.has_basins:
            may &= ~is_inside
        lanes, place = np.nonzero(may)
        theta, chosen, before = starts.theta[lanes, place], starts.chosen[lanes, place], outcome.value.copy()
        for most in (BRIEF_STEPS, FIRST_STEPS):
            apart = self._is_apart(lanes, theta, self.pool.frames[chosen])
            lanes, theta, chosen = lanes[apart], theta[apart], chosen[apart]
            if len(lanes):
                told.begin(LOWER_MINIMA, len(lanes))
            again = self._solved(lanes, theta, LEAST, most, told)
            keep_lower(outcome, lanes, again, self.setup.floor)
            goes_on = (again.status == Status.MAX_STEPS) & (again.value < outcome.value[lanes] * (1 + CLOSE))
            self.others = len(lanes)
            lanes, theta, chosen = lanes[goes_on], again.theta[goes_on], chosen[goes_on]
        self.index[outcome.value < before] = INSIDE

    def begin_directly(self, told: Stages) -> None:
        """Solve those inside that failed, or ended above their lowest candidate, from there; keep what is better.

        One that is still on its way is not one of them: where to is asked of the bounds.
        """
        price, outcome = self.starts.price[:, 0], self.outcome
        is_lost = (outcome.status > Status.AT_BOUND) & (outcome.status != Status.MAX_STEPS)
        is_wrong = is_lost | ~(outcome.value <= price * (1 + DIRECT) + self.setup.floor)
        lanes = np.flatnonzero(is_wrong & np.isfinite(price) & (self.index == INSIDE))
        if len(lanes):
            told.begin(DIRECTLY, len(lanes))
        again = self._solved(lanes, self.pool.theta[self.starts.chosen[lanes, 0]], None, FIRST_STEPS, told)
        self._take(lanes, again, (again.status <= Status.AT_BOUND) | (again.value < outcome.value[lanes]))

    def _solved(self, lanes: np.ndarray, theta: np.ndarray, damping: float | None, most: int, told: Stages) -> Outcome:
        job = replace(self.setup.job, max_steps=min(most, self.setup.job.max_steps))
        scale = np.full(len(lanes), self.setup.fine)
        return solve_lanes(job, self.replicate[lanes], theta, scale, self.clock, told.done, damping)

    def _take(self, lanes: np.ndarray, again: Outcome, is_better: np.ndarray | None = None) -> None:
        """Write what lanes came to, where it is better, and add their evaluations in any case."""
        outcome, kept = self.outcome, np.ones(len(lanes), bool) if is_better is None else is_better
        outcome.steps[lanes] += again.steps
        for mine, other in zip((outcome.theta, outcome.value, outcome.status), again, strict=False):
            mine[lanes[kept]] = other[kept]

    def _is_apart(self, lanes: np.ndarray, theta: np.ndarray, frame: np.ndarray) -> np.ndarray:
        """Return which points (l, p) are no place of the minima that lanes (l,) have, in frames (l, p, p)."""
        error = np.sqrt(2.0 * self.outcome.value[lanes] * one_run(self.setup.job))
        with np.errstate(all="ignore"):
            step = np.linalg.solve(frame, (theta - self.outcome.theta[lanes])[:, :, None])[:, :, 0]
            return ~(np.max(np.abs(step), axis=1, initial=0.0) < REMOVED * error)


def keep_lower(outcome: Outcome, lanes: np.ndarray, again: Outcome, floor: float) -> None:
    """Write what is lower into the lanes that were solved again, where a lane was usable before and again.

    floor: a difference that is rounding.
    """
    np.add.at(outcome.steps, lanes, again.steps)
    is_usable = (again.status <= Status.AT_BOUND) & (outcome.status[lanes] <= Status.AT_BOUND)
    here = np.where(is_usable, outcome.value[lanes], 0.0)
    gain = here - np.where(is_usable, again.value, 0.0)
    rising = np.argsort(gain, kind="stable")  # of several writes to one place the last stays
    better = rising[(gain > LOWER * here + floor)[rising]]
    for mine, other in zip((outcome.theta, outcome.value, outcome.status), again, strict=False):
        mine[lanes[better]] = other[better]

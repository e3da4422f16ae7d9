"""Solving an ensemble of lanes: full chunks of one width on every core, with the lanes that still move regrouped."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from jaxscale import stopping
from jaxscale.engine import placement
from jaxscale.engine.compiling import Clock
from jaxscale.engine.data import Flattening, fill
from jaxscale.engine.job import ChunkSolver, Job
from jaxscale.engine.programs import StepBudget
from jaxscale.solvers.lanes import fresh_lanes
from jaxscale.status import RUNNING, Status

FIRST = 4
"""Evaluations in the first round: hardly a lane needs fewer."""
LATER = 2
"""Evaluations in each later round: a lane that ends in the first of them waits for one."""
MOST = 64
"""Evaluations in one call, so that Ctrl-C answers."""
FEW = 16
"""As few lanes of a call as that go on with those of other calls, while there are any."""


class Outcome(NamedTuple):
    """Per lane, NumPy: theta (R, p), value (R,), status (R,) int8, steps (R,) int32."""

    theta: np.ndarray
    value: np.ndarray
    status: np.ndarray
    steps: np.ndarray


class Part(NamedTuple):
    """Lanes that travel together: their places in the outcome (k,), and their packed state (k, width), NumPy."""

    place: np.ndarray
    state: np.ndarray


def solve_lanes(
    job: Job,
    replicate: np.ndarray,
    start: np.ndarray,
    scale: np.ndarray,
    clock: Clock,
    on_done: Callable[[int], object] = lambda count: None,
    damping: float | None = None,
) -> Outcome:
    """Minimise every lane; return its outcome, in the order asked.

    replicate: (R,) indices, -1 for the table as it is.   start: (R, p).   scale: (R,), 0 to choose.   damping: of the
    first step, in place of the method's own.   on_done is told how many more lanes have finished.   Answers do not
    depend on the width, the threads or the total, to rounding.   Memory: the outcome, and the state of a few chunks.
    Raises KeyboardInterrupt between two calls where the process was asked to stop.
    """
    total = len(replicate)
    outcome = Outcome(start.copy(), np.full(total, np.nan), np.full(total, RUNNING, np.int8), np.zeros(total, np.int32))
    if not total:
        return outcome
    example = fresh_lanes(job.method, start[:1], scale[:1])
    flattening = Flattening.of(example)
    solver = ChunkSolver(job, flattening, clock)
    width = solver.width
    workers = placement.threads()
    is_ended: Any = np.full(1, Status.STALLED, np.int32)
    ended = flattening.flatten(example._replace(status=is_ended))
    few = max(min(FEW, width // 8) // solver.devices, 1)

    def move(part: Part, is_last: bool) -> Part:
        count = len(part.place)
        index = fill(replicate[part.place].astype(np.int32), width)
        budget = _step_budget(job, flattening.unflatten(part.state).steps, 1 if is_last else few)
        return Part(part.place, solver.move(index, fill(part.state, width, ended), count, budget)[:count])

    def fresh(begin_at: int, end: int) -> Part:
        some = slice(begin_at, end)
        return Part(
            np.arange(begin_at, end), flattening.flatten(fresh_lanes(job.method, start[some], scale[some], damping))
        )

    settle = partial(_settle, flattening, job.max_steps, outcome, on_done)
    share = _share(total, width, solver.block, workers)
    taken, waiting = 0, fresh(0, 0)
    flying: deque[Future[Part]] = deque()
    with clock.running(), solver.compiling(), ThreadPoolExecutor(workers) as pool:
        try:
            while True:
                stopping.stop_if_asked()
                while len(flying) <= workers:
                    end = min(taken + share, taken + max(width - len(waiting.place), 0), total)
                    is_little = taken == end and 2 * len(waiting.place) < width
                    if (is_little and flying) or (taken == end and not len(waiting.place)):
                        break  # what lands next may join them, or nothing is left
                    joined, taken = _together(waiting, fresh(taken, end)), end
                    part, waiting = _cut(joined, width)
                    is_last = not flying and taken == total and not len(waiting.place)
                    flying.append(pool.submit(move, part, is_last))
                if not flying:
                    return outcome
                # in the order of submission, so that the grouping does not depend on which thread was faster
                waiting = _together(waiting, settle(flying.popleft().result()))
        except BaseException:  # Ctrl-C: do not start what still waits
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _step_budget(job: Job, steps: np.ndarray, few: int) -> StepBudget:
    """Return how far the next call moves lanes that made so many steps; no lane makes more than it may in all.

    few: the call ends when fewer lanes still move; 1 when nothing else is in flight that they could go on with.
    """
    room = job.max_steps - int(np.max(steps))
    return StepBudget(*(np.int32(part) for part in (FIRST, LATER, min(MOST, room), min(few, len(steps)))))


def _settle(flattening: Flattening, most: int, outcome: Outcome, on_done: Callable[[int], object], part: Part) -> Part:
    """Write the lanes that have ended into the outcome; return those that wait for another call."""
    place, lanes = part.place, flattening.unflatten(part.state)
    status = np.where((lanes.status == RUNNING) & (lanes.steps >= most), Status.MAX_STEPS, lanes.status)
    outcome.theta[place], outcome.value[place] = lanes.theta, lanes.here.value
    outcome.status[place], outcome.steps[place] = status, lanes.steps
    still = status == RUNNING
    on_done(int(np.sum(~still)))
    return Part(place[still], part.state[still])


def _share(total: int, width: int, block: int, workers: int) -> int:
    """Return how many fresh lanes a call takes, so that every worker has as many calls as the others, if any."""
    calls = max(math.ceil(total / width), 1)
    most = max(total // block, 1)  # a call of less than a block would pay for a whole one
    return math.ceil(total / min(math.ceil(calls / workers) * workers, max(calls, most)))


def _together(left: Part, right: Part) -> Part:
    return Part(*map(np.concatenate, zip(left, right, strict=True)))


def _cut(part: Part, width: int) -> tuple[Part, Part]:
    return Part(*(array[:width] for array in part)), Part(*(array[width:] for array in part))

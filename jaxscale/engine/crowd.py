"""Solving a crowd of lanes: chunks of one width on every core, stragglers gathered and run on."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np

from jaxscale import precision
from jaxscale.engine import placement
from jaxscale.engine.batches import Batch, chunks, fill
from jaxscale.engine.border import upload
from jaxscale.engine.programs import Answer, Clock, Question, run, solve_chunk
from jaxscale.resampling import Scheme, root_key
from jaxscale.solvers.loop import Goal, Method
from jaxscale.solvers.problem import Problem
from jaxscale.status import RUNNING, Status

WIDTHS = {"cpu": 256, "gpu": 8192, "tpu": 8192}
"""Lanes per program call: on a CPU few enough to stay in cache and to stop early, elsewhere enough to fill the chip."""
FIRST_ROUND = 10
"""Evaluations before stragglers are gathered: most lanes that start at the point fit are done by then."""
SECOND_ROUND = 10


@dataclass(frozen=True)
class Job:
    """What lanes share.

    active, edged: (p,), as in `minimise`.   goal: (least, relative) scale.   width: lanes per program call.
    """

    problem: Problem
    method: Method
    scheme: Scheme
    batch: Batch
    active: np.ndarray
    edged: np.ndarray
    goal: tuple[np.float64, np.float64]
    seed: int
    max_steps: int
    width: int | None = None


class Outcome(NamedTuple):
    """Per lane, NumPy: theta (R, p), value, scale, damping (R,), status (R,) int8, steps (R,) int32."""

    theta: np.ndarray
    value: np.ndarray
    scale: np.ndarray
    damping: np.ndarray
    status: np.ndarray
    steps: np.ndarray


def solve(
    job: Job,
    replicate: np.ndarray,
    start: np.ndarray,
    scale: np.ndarray,
    clock: Clock,
    on_done: Callable[[int], None] = lambda count: None,
) -> Outcome:
    """Minimise every lane; return its outcome, in the order asked.

    replicate: (R,) indices, -1 for the table as it is.   start: (R, p).   scale: (R,), 0 to choose.   on_done is told
    how many more lanes have finished.   Answers do not depend on the width, the threads or the total, to rounding.
    """
    total = len(replicate)
    width = job.width or WIDTHS.get(placement.current().platform, 8192)
    state = Outcome(
        start.copy(),
        np.full(total, np.nan),
        scale.copy(),
        np.zeros(total),
        np.full(total, RUNNING, np.int8),
        np.zeros(total, np.int32),
    )
    for steps in _rounds(job.max_steps):
        moving = np.flatnonzero(state.status == RUNNING)
        if len(moving) == 0:
            break
        _advance(job, replicate, moving, state, steps, width, clock, on_done)
    lost = state.status == RUNNING
    state.status[lost] = Status.MAX_STEPS
    on_done(int(lost.sum()))
    return state


def _rounds(max_steps: int) -> list[int]:
    """Return how many evaluations each round may take, max_steps in all."""
    first = min(FIRST_ROUND, max_steps)
    second = min(SECOND_ROUND, max_steps - first)
    return [steps for steps in (first, second, max_steps - first - second) if steps > 0]


def _advance(
    job: Job,
    replicate: np.ndarray,
    moving: np.ndarray,
    state: Outcome,
    steps: int,
    width: int,
    clock: Clock,
    on_done: Callable[[int], None],
) -> None:
    """Run the moving lanes for some steps and write what comes back into state."""
    device = placement.current()

    def work(part: slice) -> tuple[np.ndarray, Answer]:
        lanes = moving[part]
        padded = fill(lanes, width)
        with precision.float64(), jax.default_device(device):  # both are thread-local
            question = upload(
                {
                    "columns": job.batch.columns,
                    "target": job.batch.target,
                    "weight": job.batch.weight,
                    "rows": np.int32(job.batch.count),
                    "key": root_key(job.seed),
                    "replicate": replicate[padded].astype(np.int32),
                    "start": state.theta[padded],
                    "scale": state.scale[padded],
                    "damping": state.damping[padded],
                    "active": job.active,
                    "edged": job.edged,
                    "goal": Goal(*job.goal),
                    "noise": job.batch.noise,
                    "max_steps": np.int32(steps),
                }
            )
            return lanes, run(clock, solve_chunk, (job.problem, job.scheme, job.method), Question(**question))

    parts = list(chunks(len(moving), width))
    _write(work(parts[0]), state, on_done)  # compiles, once, before the threads start
    workers = (os.cpu_count() or 1) if device.platform == "cpu" else 1
    with ThreadPoolExecutor(workers) as pool:
        try:
            for result in pool.map(work, parts[1:]):
                _write(result, state, on_done)
        except BaseException:  # Ctrl-C: do not start what still waits
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _write(result: tuple[np.ndarray, Answer], state: Outcome, on_done: Callable[[int], None]) -> None:
    """Write a chunk's answer into its lanes and say how many of them have finished."""
    lanes, answer = result
    for name in ("theta", "value", "scale", "damping", "status"):
        getattr(state, name)[lanes] = getattr(answer, name)[: len(lanes)]
    state.steps[lanes] += answer.steps[: len(lanes)]
    on_done(int(np.sum(state.status[lanes] != RUNNING)))

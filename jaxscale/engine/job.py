"""A job, and one chunk of its lanes through three programs: the draw, the loop that minimises, and the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from jaxscale import precision
from jaxscale.engine import placement
from jaxscale.engine.compiling import Clock, Program, prefetched, run
from jaxscale.engine.data import Batch, Flattening, chunks, fill, upload
from jaxscale.engine.draws import Drawn, Source, draw_chunk, moves_targets, source_of
from jaxscale.engine.programs import Common, Ended, Question, StepBudget, judge_chunk, solve_chunk
from jaxscale.resampling import Draw, Fitted, Scheme, Tables, key_words
from jaxscale.solvers.lanes import Method
from jaxscale.solvers.loop import Tolerances
from jaxscale.solvers.problem import Problem

WIDTHS = {"cpu": 512, "gpu": 8192, "tpu": 8192}
"""Most lanes per program call: on a CPU few enough to stay in cache, elsewhere enough to fill the chip."""
CACHED = 1 << 17
"""Rows times lanes per program call on a CPU, in longer tables: their weights are what must stay in cache."""
BLOCKS = {"cpu": 8}
"""Lanes that move together inside a call, or fewer where a call has fewer; elsewhere all of them do."""
NARROWEST = 8
"""Fewest lanes per program call on a CPU, however long the table."""
LEAST_WIDTH = 2
"""Fewest lanes per program call: XLA drops an axis of length one, and what it makes of the rest rounds otherwise."""


@dataclass(frozen=True)
class Job:
    """What lanes share.

    active, bounded: (p,), as in `minimise`.   width: most lanes per program call.   fitted: the point fit, for a scheme
    that needs residuals, or the tables of one that draws from these.
    """

    problem: Problem
    method: Method
    scheme: Scheme
    batch: Batch
    active: np.ndarray
    bounded: np.ndarray
    tolerances: Tolerances
    seed: int
    max_steps: int
    width: int | None = None
    fitted: Fitted | Tables | None = None


class ChunkSolver:
    """The programs of a job, and what all its chunks share on the device.

    width: lanes per chunk.   devices: how many take a share of each.
    """

    def __init__(self, job: Job, flattening: Flattening, clock: Clock) -> None:
        self.job, self.flattening, self.clock = job, flattening, clock
        self.device, self.mesh = placement.current(), placement.mesh()
        self.devices = 1 if self.mesh is None else self.mesh.size
        width, self.block = shape_of(self.device.platform, len(job.batch.target), job.width)
        self.width = width * self.devices
        # in turn, so that every device has its share of few lanes
        self.dealt = np.arange(self.width).reshape(-1, self.devices).T.ravel()
        self.source = upload(source_in(job))
        self.common = _common(job)
        self.draw_static = (job.scheme, self.block, self.mesh)
        self.solve_static = (job.problem, job.method, flattening, self.block, self.mesh)
        self.judge_static = (job.problem.rho, flattening)

    @contextmanager
    def compiling(self) -> Iterator[None]:
        """Compile the loop and the verdict, where they are new, while other programs are being compiled."""
        number, whole = jax.ShapeDtypeStruct((), np.int32), (self.width, len(self.job.batch.target))
        lanes = jax.ShapeDtypeStruct((self.width, self.flattening.width), np.float64)
        each, rows = (jax.ShapeDtypeStruct((self.width,), kind) for kind in (np.float64, np.int32))
        weight = jax.ShapeDtypeStruct(whole, np.float64)
        draw = Draw(weight, weight if moves_targets(self.job.scheme) else None)
        question = Question(self.common, draw, lanes, StepBudget(*[number] * 4))
        ended = self._ended(lanes, Drawn(draw, each, rows))
        with prefetched(
            Program.of(solve_chunk, self.solve_static, question), Program.of(judge_chunk, self.judge_static, ended)
        ):
            yield

    def move(self, replicate: np.ndarray, lanes: np.ndarray, count: int, budget: StepBudget) -> np.ndarray:
        """Return flattened lanes (width, …) moved on by a budget, those that ended judged; `lanes` is written to.

        replicate: (width,) int32, -1 for the table as it is.   count: of the lanes that move, which come first.
        """
        dealt = self.dealt
        with precision.float64(), jax.default_device(self.device):  # both are thread-local
            drawn = self._drawn(replicate[dealt], dealt < count)
            question = Question(self.common, drawn.draw, lanes[dealt], budget)
            state = run(self.clock, solve_chunk, self.solve_static, question, stays=self.mesh is None)
            lanes[dealt] = run(self.clock, judge_chunk, self.judge_static, self._ended(state, drawn))
        return lanes

    def _drawn(self, replicate: np.ndarray, is_moving: np.ndarray) -> Drawn:
        """Return what lanes see of the table; that of none but the table itself needs no program."""
        if (replicate < 0).all() and not moves_targets(self.job.scheme):
            weight = self.job.batch.weight
            rows = np.full(self.width, np.sum(weight > 0), np.int32)
            return Drawn(_table(self.job, self.width), np.full(self.width, np.sum(weight)), rows)
        argument = (self.source, replicate, is_moving)
        drawn: Drawn = run(self.clock, draw_chunk, self.draw_static, argument, stays=self.mesh is None)
        return drawn

    def _ended(self, lanes: Any, drawn: Drawn) -> Ended:  # noqa: ANN401 - an array, or the shape of one
        job = self.job
        return Ended(lanes, drawn.total_weight, drawn.rows, job.active, job.bounded, np.float64(job.batch.rounding))


def draws(job: Job, replicate: np.ndarray, clock: Clock) -> Draw[np.ndarray]:
    """Return the draws of lanes (k,), NumPy, one (k, bucket) each, by the program that the loop's chunks use."""
    if (replicate < 0).all() and not moves_targets(job.scheme):
        return _table(job, len(replicate))
    width, block = shape_of(placement.current().platform, len(job.batch.target), job.width)
    source, parts = upload(source_in(job)), []
    for part in chunks(len(replicate), width):
        count, lanes = part.stop - part.start, fill(replicate[part].astype(np.int32), width)
        drawn = run(clock, draw_chunk, (job.scheme, block, None), (source, lanes, np.arange(width) < count))
        parts.append(jax.tree.map(lambda array, end=count: array[:end], drawn.draw))
    whole: Draw[np.ndarray] = jax.tree.map(lambda *arrays: np.concatenate(arrays), *parts)
    return whole


def shape_of(platform: str, rows: int, width: int | None = None) -> tuple[int, int]:
    """Return how many lanes a program call takes, `width` or as many as pay, and how many of them move together.

    The second divides the first, and is LEAST_WIDTH at least.
    """
    if width is None:
        width = WIDTHS.get(platform, 8192)
        width = min(width, max(NARROWEST, CACHED // rows)) if platform == "cpu" else width
    width = max(width, LEAST_WIDTH)
    block = min(width, BLOCKS.get(platform, width))
    return width // block * block, block


def _table(job: Job, lanes: int) -> Draw[np.ndarray]:
    """Return the table as it is, as every lane sees it."""
    return Draw(np.tile(job.batch.weight, (lanes, 1)))


def source_in(job: Job) -> Source:
    """Return what the replicates of a job are drawn from."""
    return source_of(job.batch, key_words(job.seed), job.fitted)


def _common(job: Job) -> Common:
    """Return what all chunks share, on the device."""
    parts = {
        "columns": job.batch.columns,
        "target": job.batch.target,
        "active": job.active,
        "tolerances": job.tolerances,
        "rounding": np.float64(job.batch.rounding),
    }
    return Common(**upload(parts))

"""The compiled programs: each compiled once for its law, objective and shapes, and counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from threading import Lock
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxscale import precision
from jaxscale.engine import placement
from jaxscale.engine.border import download
from jaxscale.engine.foresight import Foresight
from jaxscale.engine.packing import Packing
from jaxscale.engine.rounds import Pace, in_blocks, in_rounds
from jaxscale.errors import UsageError
from jaxscale.laws.spec import Law
from jaxscale.numerics.exponentials import with_exponentials
from jaxscale.numerics.logs import log
from jaxscale.numerics.scores import Score
from jaxscale.resampling import Scheme, Table, draw_replicate, key_of
from jaxscale.solvers.loop import Goal, Method, judge, move
from jaxscale.solvers.model import LEAST, ROUNDING, Model, lead
from jaxscale.solvers.problem import Problem, Row, Tree, select
from jaxscale.status import RUNNING, Status

REASSOCIATE = {
    "xla_cpu_enable_fast_math": True,
    "xla_cpu_fast_math_honor_nans": True,
    "xla_cpu_fast_math_honor_infs": True,
    "xla_cpu_fast_math_honor_division": True,
    "xla_cpu_fast_math_honor_functions": True,
    "xla_cpu_multi_thread_eigen": False,
}
"""Lets XLA's CPU compiler reassociate sums and products, so that sums over rows run in vector registers, about three
times as fast. It does so everywhere: a difference that relies on the order of its terms must be taken in integers.
NaN, infinities, divisions and functions keep their exact meaning."""

FORESIGHT = Foresight()
KEPT = 256
"""Programs kept for the process."""
SLOTS = Lock()

NOT_JAX = (
    "the law's function cannot be compiled: {kind}: {reason}\n"
    "Write it with jax.numpy in place of numpy and math, and jnp.where in place of if."
)


class Common(NamedTuple):
    """What all chunks of a crowd share, as arrays on the device.

    columns (n, …) each; target, weight (n,); rows int32; key: its two words; active, edged (p,); goal; noise;
    model: of the misses around the point where lanes begin, or one that says nothing.
    """

    columns: tuple[jax.Array, ...]
    target: jax.Array
    weight: jax.Array
    rows: jax.Array
    key: jax.Array
    active: jax.Array
    edged: jax.Array
    goal: Goal
    noise: jax.Array
    model: Model


class Question(NamedTuple):
    """What one chunk is asked: to move its lanes on.

    replicate (B,) int32, -1 for the table as it is; lanes (B, width), packed; pace: how far each lane may go and when
    to stop; led_steps int32: steps on the model that fresh lanes begin with, 0 for none. NumPy arrays, which the
    compiled program takes up faster than anything before it could.
    """

    common: Common
    replicate: Tree
    lanes: Tree
    pace: Pace
    led_steps: Tree


@dataclass
class Clock:
    """Seconds spent, compile apart from run, and the programs that were new.

    compile: seconds waited for programs: of one that was foreseen, only what was left to wait.   compiled: how many
    programs were first needed here, whoever compiled them.
    """

    compile: float = 0.0
    run: float = 0.0
    compiled: int = 0
    programs: list[str] = field(default_factory=list)

    def count(self, program: str, seconds: float) -> None:
        """Count a program that was first needed here, and the seconds waited for it."""
        self.compile += seconds
        self.compiled += 1
        self.programs.append(program)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the seconds inside as run time, but for those that compiling took."""
        began, compiling = time.perf_counter(), self.compile
        try:
            yield
        finally:
            self.run += time.perf_counter() - began - (self.compile - compiling)


@lru_cache(maxsize=256)
def problem_of(
    law: Law, space: str, rho: Callable[[jax.Array, jax.Array], Score], is_positive: tuple[bool, ...] = ()
) -> Problem:
    """Return the solver's view of a law under an objective: one row is (inputs, target).

    is_positive: of each input, whether all of the table is; without it nothing is known.
    """
    coefs_above = {coef.name: support.low >= 0 for coef, support in zip(law.coefs, law.supports, strict=True)}
    loss = with_exponentials(law.loss, is_positive or (False,) * len(law.inputs), coefs_above)

    def residual(theta: tuple[jax.Array, ...], row: Row) -> jax.Array:
        inputs, target = row
        prediction = loss(*inputs, **coefs_of(law, theta))
        return (log(prediction) if space == "log" else prediction) - target

    return Problem(residual, rho, len(law.coefs))


def coefs_of(law: Law, theta: Sequence[jax.Array]) -> dict[str, jax.Array]:
    """Return the coefs of theta, a sequence of p arrays on the real line."""
    return {name: support.from_real(value) for name, support, value in zip(law.names, law.supports, theta, strict=True)}


def solve_chunk(
    problem: Problem, scheme: Scheme, method: Method, packing: Packing, block: int, question: Question
) -> Float[Array, "B width"]:
    """Draw each lane's weights and move it on; a table with fewer distinct rows than free coefs is degenerate.

    Lanes that move come before those that only fill the chunk.   block: how many move together; it divides B.
    """
    common, pace = question.common, question.pace
    rows = (common.columns, common.target)

    def is_moving(state: jax.Array) -> jax.Array:
        return packing.unpack(state).status == RUNNING

    draw = jax.vmap(partial(draw_weight, scheme, common))
    drawn = in_blocks(draw, question.replicate, block, jnp.sum(is_moving(question.lanes), dtype=jnp.int32))

    def advance(weight: jax.Array, state: jax.Array, steps: jax.Array) -> jax.Array:
        lanes = packing.unpack(state)
        fresh = jnp.isinf(lanes.here.value) & (lanes.steps == 0) & (question.led_steps > 0)
        led, bar = jax.lax.cond(
            jnp.any(fresh),
            lambda: lead(problem, common.model, weight, lanes.scale, common.active, question.led_steps),
            lambda: (lanes.theta, lanes.scale),
        )
        begun = lanes._replace(
            theta=jnp.where(fresh[:, None], led, lanes.theta),
            damping=jnp.where(fresh, LEAST, lanes.damping),
        )
        most = jnp.where(fresh, bar * (1 + ROUNDING), jnp.inf)
        moved = move(problem, method, rows, weight, begun, common.active, common.goal, common.noise, steps, most)
        is_misled = fresh & (moved.status > int(Status.AT_BOUND))  # then it begins again where it was
        return packing.pack(select(is_misled, lanes._replace(steps=moved.steps), moved))

    state = in_rounds(advance, is_moving, drawn, question.lanes, block, pace)
    lanes = judge(problem, packing.unpack(state), common.edged, jnp.sum(drawn, axis=1), common.noise)
    is_degenerate = jnp.sum(drawn > 0, axis=1) < jnp.sum(common.active)
    status = jnp.where(is_degenerate & (lanes.status != RUNNING), int(Status.DEGENERATE), lanes.status)
    return packing.pack(lanes._replace(status=status))


def draw_weight(scheme: Scheme, common: Common, replicate: jax.Array) -> jax.Array:
    """Return the weights (n,) of one replicate: its key depends on the seed and its index alone."""
    drawn = draw_replicate(scheme, key_of(common.key), Table(common.weight, common.rows), replicate)
    return jnp.where(replicate < 0, common.weight, drawn)


@dataclass(frozen=True)
class Program:
    """What is compiled: a function with its static part bound, for arguments of this tree and shapes, on a device."""

    function: Callable[..., Tree]
    static: tuple[Tree, ...]
    tree: Tree
    shapes: tuple[tuple[tuple[int, ...], np.dtype], ...]
    device: jax.Device

    @classmethod
    def of(cls, function: Callable[..., Tree], static: tuple[Tree, ...], argument: Tree) -> Program:
        """Return the program for this argument, or one of its shapes, on the device that work started now goes to."""
        leaves, tree = jax.tree.flatten(argument)
        return cls(function, static, tree, tuple((leaf.shape, leaf.dtype) for leaf in leaves), placement.current())


class Slot:
    """The place of one program: its lock is held by who compiles it."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.executable: Callable[..., Tree] | None = None
        self.is_counted = False


def run(clock: Clock, function: Callable[..., Tree], static: tuple[Tree, ...], argument: Tree) -> Tree:
    """Return function(*static, argument) on the device as NumPy, compiled once per static part and shapes.

    argument: pytree of arrays, of NumPy or the device.   Must be called inside the float64 scope.
    """
    program = Program.of(function, static, argument)
    slot = _slot(program)
    began = time.perf_counter()
    with slot.lock:  # of two threads that need a program, one makes it; others make others meanwhile
        executable = _made(slot, program)
        if not slot.is_counted:
            slot.is_counted = True
            clock.count(function.__name__, time.perf_counter() - began)
    return download(executable(argument))


@contextmanager
def foreseen(*programs: Program) -> Iterator[None]:
    """Compile these inside this scope, in this order, while other programs are being compiled; wait for it at its end.

    Where nothing else is compiled, nothing is. One that cannot be compiled is reported by the `run` that needs it.
    """
    missing = [program for program in programs if _slot(program).executable is None]
    with FORESIGHT.expecting(*(partial(_prepare, program) for program in missing)):
        yield


def _prepare(program: Program) -> None:
    """Compile a program, unless somebody is at it."""
    slot = _slot(program)
    if slot.lock.acquire(blocking=False):
        try:
            with precision.float64():  # thread-local
                _made(slot, program)
        finally:
            slot.lock.release()


def _slot(program: Program) -> Slot:
    with SLOTS:
        return slot_of(program)


@lru_cache(maxsize=KEPT)
def slot_of(program: Program) -> Slot:
    """Return the slot of a program, empty at first."""
    return Slot()


def _made(slot: Slot, program: Program) -> Callable[..., Tree]:
    """Return the executable in a slot, compiled if it is empty; who calls holds its lock."""
    if slot.executable is None:
        slot.executable = compiled(program)
    return slot.executable


def compiled(program: Program) -> Callable[..., Tree]:
    """Return the executable of a program, and have foreseen ones compiled meanwhile.

    Raises UsageError for a function that JAX cannot trace.
    """
    argument = jax.tree.unflatten(program.tree, [jax.ShapeDtypeStruct(*shape) for shape in program.shapes])
    options = REASSOCIATE if program.device.platform == "cpu" else None
    with jax.default_device(program.device):
        try:
            lowered = jax.jit(partial(program.function, *program.static), compiler_options=options).lower(argument)
        except jax.errors.JAXTypeError as error:  # np.exp, float(), if: what a tracer cannot go through
            reason = str(error).splitlines()[0]
            raise UsageError(NOT_JAX.format(kind=type(error).__name__, reason=reason)) from error
        FORESIGHT.begin_next()  # XLA does not hold the interpreter's lock: another program is traced meanwhile
        return lowered.compile()

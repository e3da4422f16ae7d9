"""Compiling: each program once for its function, static part, shapes and device, and counted; several at once."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from importlib.metadata import version
from threading import Lock
from typing import TypeAlias

import jax
import numpy as np

from jaxscale import precision
from jaxscale.engine import caching, placement, tracing
from jaxscale.engine.data import download
from jaxscale.engine.naming import lasting_name
from jaxscale.errors import UsageError
from jaxscale.solvers.problem import Tree

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

UNFUSED = {"xla_cpu_use_fusion_emitters": False} if version("jaxlib").startswith("0.10.") else {}
"""Fusions take jaxlib 0.10 a third of what compiling costs, and programs run as fast without, to the same bits. Later
versions do not know the option.
"""
KEPT = 64
"""Programs kept for the process. On a CPU each takes 370 to 600 memory mappings, of which Linux allows 65,530: at some
150 programs the next one ends the process by a segmentation fault inside the compiler.
"""
SLOTS = Lock()

NOT_JAX = (
    "the law's function cannot be compiled: {kind}: {reason}\n"
    "Write it with jax.numpy in place of numpy and math, and jnp.where in place of if."
)

Task: TypeAlias = Callable[[], object]


@dataclass
class Clock:
    """Seconds spent, compile apart from run, and the programs that were new.

    compile: seconds waited for programs: of one that was prefetched, only what was left to wait.   compiled: how many
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


def run(
    clock: Clock, function: Callable[..., Tree], static: tuple[Tree, ...], argument: Tree, *, stays: bool = False
) -> Tree:
    """Return function(*static, argument) as NumPy, compiled once per static part and shapes.

    argument: pytree of arrays, of NumPy or the device.   stays: leave the result on the device, for another program.
    Must be called inside the float64 scope.
    """
    program = Program.of(function, static, argument)
    slot = _slot(program)
    began = time.perf_counter()
    with slot.lock:  # of two threads that need a program, one makes it; others make others meanwhile
        executable = _made(slot, program)
        if not slot.is_counted:
            slot.is_counted = True
            clock.count(function.__name__, time.perf_counter() - began)
    result = executable(argument)
    return result if stays else download(result)


@contextmanager
def prefetched(*programs: Program) -> Iterator[None]:
    """Compile these inside this scope, in this order, while other programs are being compiled; wait for it at its end.

    Where nothing else is compiled, nothing is. One that cannot be compiled is reported by the `run` that needs it.
    """
    missing = [program for program in programs if _slot(program).executable is None]
    with PREFETCH.expecting(*(partial(_prepare, program) for program in missing)):
        yield


def _prepare(program: Program) -> None:
    """Compile a program; one that is there, or that another thread compiles, leaves its turn to the next."""
    slot = _slot(program)
    if slot.executable is not None or not slot.lock.acquire(blocking=False):
        PREFETCH.begin_next()
        return
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
    """Return the executable of a program, and have prefetched ones compiled meanwhile.

    Raises UsageError for a function that JAX cannot trace.
    """
    caching.follow_environment()
    argument = jax.tree.unflatten(program.tree, [jax.ShapeDtypeStruct(*shape) for shape in program.shapes])
    options = {**REASSOCIATE, **UNFUSED} if program.device.platform == "cpu" else None
    name = None
    if tracing.is_kept():
        name = lasting_name(program.function, program.static, program.tree, program.shapes, program.device.device_kind)
    with jax.default_device(program.device):
        try:
            if name is not None:
                return _compiled_by_name(name, program, options)
            lowered = jax.jit(partial(program.function, *program.static), compiler_options=options).lower(argument)
        except jax.errors.JAXTypeError as error:  # np.exp, float(), if: what a tracer cannot go through
            reason = str(error).splitlines()[0]
            raise UsageError(NOT_JAX.format(kind=type(error).__name__, reason=reason)) from error
        PREFETCH.begin_next()  # XLA does not hold the interpreter's lock: another program is traced meanwhile
        return lowered.compile()


def _compiled_by_name(name: str, program: Program, options: dict[str, bool] | None) -> Callable[..., Tree]:
    """Return the executable of a program whose trace is kept, or is to be kept, under a name."""
    leaves = [jax.ShapeDtypeStruct(*shape) for shape in program.shapes]
    trace = tracing.kept_trace(name)
    if trace is None:
        trace = tracing.Trace.of(partial(program.function, *program.static), program.tree, leaves)
        tracing.keep_trace(name, trace)

    def call(*arrays: jax.Array) -> Tree:
        return trace.exported.call(*arrays)

    call.__name__ = program.function.__name__  # by which JAX names its files
    lowered = jax.jit(call, compiler_options=options).lower(*leaves)
    PREFETCH.begin_next()
    executable, tree = lowered.compile(), trace.tree
    return lambda argument: jax.tree.unflatten(tree, executable(*jax.tree.leaves(argument)))


class Prefetch:
    """A list of tasks that are expected, from which whoever is about to wait has the next one begun.

    Each call begins one task, the innermost scope's first, each scope's in their order; what was never begun when
    its scope ends is never done. A failure of a task is ignored: whoever
    needs its result does it again and raises the error there.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: deque[tuple[Executor, Task]] = deque()

    @contextmanager
    def expecting(self, *tasks: Task) -> Iterator[None]:
        """Expect these tasks inside this scope; it ends when those that were begun have ended."""
        with ThreadPoolExecutor(max(1, len(tasks)), thread_name_prefix="prefetched") as pool:
            mine: list[tuple[Executor, Task]] = [(pool, task) for task in tasks]
            try:
                with self._lock:
                    self._waiting.extendleft(reversed(mine))
                yield
            finally:
                with self._lock:  # nothing is handed to a pool after this
                    self._waiting = deque(one for one in self._waiting if one not in mine)

    def begin_next(self) -> None:
        """Have the next task done by a thread of its scope; return at once."""
        with self._lock:
            if self._waiting:
                pool, task = self._waiting.popleft()
                pool.submit(task)


PREFETCH = Prefetch()

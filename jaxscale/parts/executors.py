"""Parts on workers: any concurrent.futures.Executor, parts tried again where a worker was lost, versions compared."""

from __future__ import annotations

import importlib
import multiprocessing
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

from jaxscale import forks
from jaxscale.engine import tracing
from jaxscale.errors import JaxscaleError, UsageError
from jaxscale.parts.solving import Answer, Description, solve_part
from jaxscale.text import shown

MOST_TRIES = 3
"""Times that a part is submitted, before its failure is that of the study."""
AHEAD = 2
"""Parts that are submitted beforehand for each worker."""
UNKNOWN = 64
"""Parts in flight on an executor that does not say how many workers it has."""
PATIENCE = 0.5
"""Seconds between two questions whether to stop, while workers are at work."""

BAD_EXECUTOR = (
    "executor = {text!r} is neither an executor nor 'processes', 'processes:N' nor 'module:factory', of a function "
    "without arguments that returns an executor"
)
NO_FACTORY = "executor '{text}': {reason}; name a function without arguments that returns an executor"
OTHER_VERSION = (
    "the worker {worker} has {found}, and this process has {expected}.\n"
    "Its replicates would differ: give every worker the same versions."
)
LOST = (
    "replicates {start} … {last} were lost {tries} times on the executor ({reason}).\n"
    "What was finished is kept; the same call goes on from there, with another executor if need be."
)
BROKEN = (
    "the executor lost a worker and takes no parts any more ({reason}).\n"
    "What was finished is kept; the same call goes on from there, with a new executor."
)


class Solved(NamedTuple):
    """One part that is back.   tries: how often it was submitted."""

    rows: range
    answer: Answer
    tries: int


@dataclass(frozen=True)
class Crew:
    """Workers.

    make: returns an executor.   is_ours: whether it is made here, and so is ended and made anew here.   is_here:
    whether its workers are processes of this machine, which share this one's kept traces.
    """

    make: Callable[[], Executor]
    is_ours: bool
    is_here: bool = False

    @classmethod
    def of(cls, given: Executor | str) -> Crew:
        """Return the workers of an executor, or of its text; raise UsageError for what is neither."""
        if not isinstance(given, str):
            if not callable(getattr(given, "submit", None)):
                raise UsageError(BAD_EXECUTOR.format(text=given))
            return cls(lambda: given, is_ours=False)
        kind, _, rest = given.partition(":")
        if kind == "processes" and (not rest or rest.isdecimal()):
            count = int(rest) if rest else os.cpu_count() or 1
            if count:
                return cls(lambda: processes(count), is_ours=True, is_here=True)
        elif kind and rest:
            return cls(_factory(given, kind, rest), is_ours=True)
        raise UsageError(BAD_EXECUTOR.format(text=given))


def processes(count: int) -> ProcessPoolExecutor:
    """Return that many processes of this machine, each with its share of the cores and this one's compile cache.

    They are begun afresh: a fork of a process that has used JAX would wait for ever.
    """
    import jax

    folder = jax.config.values.get("jax_compilation_cache_dir")
    cores = max((os.cpu_count() or 1) // count, 1)
    context, arguments = multiprocessing.get_context("spawn"), (str(folder) if folder else "", cores)
    return ProcessPoolExecutor(count, mp_context=context, initializer=forks.begin_worker, initargs=arguments)


def each_solved(
    crew: Crew, description: Description, ranges: Iterable[range], is_over: Callable[[], bool]
) -> Iterator[Solved]:
    """Yield parts as they come back, in any order; those that are at work when it is over are waited for.

    is_over: asked before a part is submitted and while parts are waited for.   Raises JaxscaleError for a part that was
    lost MOST_TRIES times, and for a worker with other versions.
    """
    if crew.is_here and tracing.FOLDER:
        description = replace(description, traces=str(tracing.FOLDER[0]))
    waiting, tries, flying = deque(ranges), Counter[int](), dict[Future[Answer], range]()
    with _opened(crew) as opened:
        while waiting or flying:
            if is_over():
                waiting.clear()
                for future in [one for one in flying if one.cancel()]:
                    del flying[future]
            while waiting and len(flying) < opened.most:
                rows = waiting.popleft()
                tries[rows.start] += 1
                try:
                    flying[opened.executor.submit(solve_part, description, rows.start, rows.stop)] = rows
                except (BrokenExecutor, RuntimeError) as error:  # RuntimeError: it is shut down
                    waiting.appendleft(rows)
                    tries[rows.start] -= 1
                    if flying:
                        break  # those in flight fail alike, and say why
                    opened.renew(error)
            done, _ = wait(flying, timeout=PATIENCE, return_when=FIRST_COMPLETED)
            for future in done:
                rows = flying.pop(future)
                try:
                    answer = future.result()
                except JaxscaleError:
                    raise
                except (Exception, CancelledError) as error:
                    _check_tries(rows, tries[rows.start], error)
                    waiting.append(rows)
                    if isinstance(error, BrokenExecutor):
                        opened.is_broken = error
                else:
                    yield Solved(rows, _checked(answer, description), tries[rows.start])
            if opened.is_broken is not None and crew.is_ours and not flying:
                opened.renew(opened.is_broken)


class _Opened:
    """An executor at work, which is made anew where it is ours and broke."""

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        self.is_broken: BaseException | None = None
        self._begin()

    def _begin(self) -> None:
        self.executor = self.crew.make()
        workers = getattr(self.executor, "_max_workers", None)
        self.most = AHEAD * workers if isinstance(workers, int) and workers > 0 else UNKNOWN

    def renew(self, error: BaseException) -> None:
        """Take a new executor; raise JaxscaleError where it is the caller's."""
        if not self.crew.is_ours:
            raise JaxscaleError(BROKEN.format(reason=_reason(error))) from error
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.is_broken = None
        self._begin()


@contextmanager
def _opened(crew: Crew) -> Iterator[_Opened]:
    opened = _Opened(crew)
    try:
        yield opened
    finally:
        if crew.is_ours:
            opened.executor.shutdown(wait=True, cancel_futures=True)


def _check_tries(rows: range, tries: int, error: BaseException) -> None:
    if tries >= MOST_TRIES:
        words = {"start": rows.start, "last": rows.stop - 1, "tries": tries, "reason": _reason(error)}
        raise JaxscaleError(LOST.format(**words)) from error


def _checked(answer: Answer, description: Description) -> Answer:
    """Return the answer; raise JaxscaleError for one of a worker with other versions, by its name."""
    if answer.record is None or answer.versions != description.versions:
        found, expected = (
            " and ".join(f"{name} {version}" for name, version in one.items())
            for one in (answer.versions, description.versions)
        )
        raise JaxscaleError(OTHER_VERSION.format(worker=shown(answer.worker), found=found, expected=expected))
    return answer


def _factory(text: str, module: str, name: str) -> Callable[[], Executor]:
    """Return what makes an executor, found by its name; raise UsageError where there is none."""
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(NO_FACTORY.format(text=text, reason=str(error) or type(error).__name__)) from error
    if not callable(found):
        raise UsageError(NO_FACTORY.format(text=text, reason=f"{name} is no function"))

    def make() -> Executor:
        made: Executor = found()
        if not callable(getattr(made, "submit", None)):
            raise UsageError(NO_FACTORY.format(text=text, reason=f"it returned a {type(made).__name__}"))
        return made

    return make


def _reason(error: BaseException) -> str:
    first = (str(error).splitlines() or [""])[0][:120]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__

"""Parts on workers: any concurrent.futures.Executor, parts tried again where a worker was lost, versions compared."""

from __future__ import annotations

import importlib
import multiprocessing
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from typing import Any, NamedTuple, Protocol

from jaxscale import forks
from jaxscale.engine import tracing
from jaxscale.errors import JaxscaleError, UsageError
from jaxscale.finding import Finding
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
    "Its numbers would differ: give every worker the same versions."
)
LOST = (
    "{what} were lost {tries} times on the executor ({reason}).\n"
    "What was finished is kept; the same call goes on from there, with another executor if need be."
)
BROKEN = (
    "the executor lost a worker and takes no parts any more ({reason}).\n"
    "What was finished is kept; the same call goes on from there, with a new executor."
)


RETRIED = "{what} were submitted {tries} times: workers were lost"
REPLICATES = "replicates {start} … {last}"


class Solved(NamedTuple):
    """One part that is back.   tries: how often it was submitted."""

    rows: range
    answer: Answer
    tries: int


class Task(NamedTuple):
    """What a worker is asked: a function that it can import, and its arguments.   what: it is, for messages."""

    what: str
    call: Callable[..., Any]
    given: tuple[object, ...]


class Signed(Protocol):
    """An answer that says whose it is.   versions: of the worker."""

    @property
    def versions(self) -> Mapping[str, str]: ...  # noqa: D102
    @property
    def worker(self) -> str: ...  # noqa: D102


class Back(NamedTuple):
    """The answer to the task at this place.   tries: how often it was submitted."""

    place: int
    answer: Any
    tries: int

    def note(self, what: str) -> tuple[Finding, ...]:
        """Return the finding of a task that was lost and submitted again; none for others."""
        return (Finding("parts-retried", RETRIED.format(what=what, tries=self.tries)),) if self.tries > 1 else ()


@dataclass(frozen=True)
class Crew:
    """Workers.

    make: returns an executor.   is_ours: whether it is made here, and so is ended and made anew here.   is_here:
    whether its workers are processes of this machine, which share this one's kept traces.
    """

    make: Callable[[], Executor]
    is_ours: bool
    is_here: bool = False

    @property
    def traces(self) -> str:
        """The folder of kept traces that the workers share, "" for none."""
        return str(tracing.FOLDER[0]) if self.is_here and tracing.FOLDER else ""

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
) -> Iterator[tuple[Solved, tuple[Finding, ...]]]:
    """Yield parts as `each_back` does, and what there is to say of each."""
    told, rows = replace(description, traces=crew.traces), list(ranges)
    names = [REPLICATES.format(start=one.start, last=one.stop - 1) for one in rows]
    tasks = [
        Task(name, solve_part, (told, one.start, one.stop)) for name, one in zip(names, rows, strict=True)
    ]  # fmt: skip
    for back in each_back(crew, tasks, description.versions, is_over):
        yield Solved(rows[back.place], back.answer, back.tries), back.note(names[back.place])


def each_back(
    crew: Crew, tasks: Sequence[Task], versions: Mapping[str, str], is_over: Callable[[], bool]
) -> Iterator[Back]:
    """Yield answers as they come back, in any order; those that are at work when it is over are waited for.

    versions: those of this process.   is_over: asked before a task is submitted and while answers are waited for.
    Raises JaxscaleError for a task that was lost MOST_TRIES times, and for a worker with other versions.
    """
    waiting, tries, flying = deque(range(len(tasks))), Counter[int](), dict[Future[Signed], int]()
    with _opened(crew) as opened:
        while waiting or flying:
            if is_over():
                waiting.clear()
                for future in [one for one in flying if one.cancel()]:
                    del flying[future]
            while waiting and len(flying) < opened.most:
                place = waiting.popleft()
                tries[place] += 1
                try:
                    flying[opened.executor.submit(tasks[place].call, *tasks[place].given)] = place
                except (BrokenExecutor, RuntimeError) as error:  # RuntimeError: it is shut down
                    waiting.appendleft(place)
                    tries[place] -= 1
                    if flying:
                        break  # those in flight fail alike, and say why
                    opened.renew(error)
            done, _ = wait(flying, timeout=PATIENCE, return_when=FIRST_COMPLETED)
            for future in done:
                place = flying.pop(future)
                try:
                    answer = future.result()
                except JaxscaleError:
                    raise
                except (Exception, CancelledError) as error:
                    _check_tries(tasks[place].what, tries[place], error)
                    waiting.append(place)
                    if isinstance(error, BrokenExecutor):
                        opened.is_broken = error
                else:
                    _check_versions(answer, versions)
                    yield Back(place, answer, tries[place])
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


def _check_tries(what: str, tries: int, error: BaseException) -> None:
    if tries >= MOST_TRIES:
        raise JaxscaleError(LOST.format(what=what, tries=tries, reason=_reason(error))) from error


def _check_versions(answer: Signed, versions: Mapping[str, str]) -> None:
    """Raise JaxscaleError for the answer of a worker with other versions, by its name."""
    if answer.versions != versions:
        found, expected = (
            " and ".join(f"{name} {version}" for name, version in one.items()) for one in (answer.versions, versions)
        )
        raise JaxscaleError(OTHER_VERSION.format(worker=shown(answer.worker), found=found, expected=expected))


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

"""Computations of their own side by side: those that share programs in turn, a few such groups at a time."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from queue import SimpleQueue
from typing import Generic, NamedTuple, TypeVar

import jax

from jaxscale import stopping
from jaxscale.engine import caching, placement

Answer = TypeVar("Answer")

MOST = 4
"""Groups at a time: each needs about eight programs, of which `engine.compiling` keeps 64."""


class Landed(NamedTuple, Generic[Answer]):
    """A task that has ended: its place, its answer or None, and what it raised or None."""

    place: int
    answer: Answer | None
    error: BaseException | None


def side_by_side(
    tasks: Sequence[Callable[[], Answer]],
    alike: Sequence[Hashable],
    on_done: Callable[[int], object] = lambda count: None,
    on_answer: Callable[[int, Answer], object] = lambda place, answer: None,
) -> list[Answer]:
    """Return the answers of tasks, in their order; which of them run at a time is nothing that they may depend on.

    alike: of each task, the same for two that share programs. A group of them is begun as a whole, in the order in
    which groups first come, so that a program is compiled once and is done with before others take its place; another
    thread compiles the programs of the next group meanwhile, and helps where no group is left to begin.   on_done: told
    in this thread how many more have ended.   on_answer: told before that, here too, the place of one and its answer.
    What a task raises is raised here when those that run have ended; of an interrupt they are told, and end between
    two calls of the device.
    """
    caching.follow_environment()  # once, and what it refuses is no task's failure
    workers = min(MOST, os.cpu_count() or 1, len(tasks))
    left = Left(alike, workers)
    landed: SimpleQueue[Landed[Answer]] = SimpleQueue()
    device, is_over = jax.config.values["jax_default_device"], threading.Event()

    def work() -> None:
        scopes = stopping.until(is_over), placement.sharing(lambda: left.threads)
        with jax.default_device(device), scopes[0], scopes[1]:  # all are thread-local
            place = left.take(None)
            while place is not None and not is_over.is_set():
                try:
                    landed.put(Landed(place, tasks[place](), None))
                except BaseException as error:
                    landed.put(Landed(place, None, error))
                place = left.take(place)

    found: dict[int, Answer] = {}
    with ThreadPoolExecutor(max(workers, 1), thread_name_prefix="side-by-side") as pool:
        try:
            for _ in range(workers):
                pool.submit(copy_context().run, work)
            for _ in tasks:
                one = landed.get()
                if one.error is not None:
                    raise one.error
                found[one.place] = one.answer  # type: ignore[assignment]
                on_answer(one.place, found[one.place])
                on_done(1)
        finally:
            is_over.set()
    return [found[place] for place in range(len(tasks))]


class Left:
    """The tasks that are not begun, by group; threads take from it.   threads: that are at work."""

    def __init__(self, alike: Sequence[Hashable], threads: int) -> None:
        self.threads = threads
        self._alike, self._lock = alike, threading.Lock()
        self._new: dict[Hashable, deque[int]] = {}
        for place, group in enumerate(alike):
            self._new.setdefault(group, deque()).append(place)
        self._begun: dict[Hashable, deque[int]] = {}

    def take(self, last: int | None) -> int | None:
        """Return the place of the next task for a thread that did the last one; None where none is left.

        One of the same group; else the first of a group that nobody has begun; else one of the longest group.
        """
        with self._lock:
            own = self._begun.get(self._alike[last], deque()) if last is not None else deque()
            if not own and self._new:
                group = next(iter(self._new))
                own = self._begun[group] = self._new.pop(group)
            if not own and self._begun:
                own = max(self._begun.values(), key=len)
            if own:
                return own.popleft()
            self.threads -= 1
            return None

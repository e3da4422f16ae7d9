"""Work that is known to come, begun while something else is waited for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import TypeAlias

Task: TypeAlias = Callable[[], object]


class Prefetch:
    """A list of tasks that are expected, from which whoever is about to wait has the next one begun.

    Each call begins one task, the innermost scope's first, each scope's in their order; what was never begun when
    its scope ends is never done. A task that fails does so unheard: it is work in advance, and who needs its result
    does it again and meets the failure there.
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

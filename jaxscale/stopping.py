"""A request to stop, such as Ctrl-C, that work answers where it can be left whole.

One request holds for the process: it is made where signals are handled, and asked for between the rounds of the engine
and after the parts of a large study, which import nothing of the command line.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_LOCK = threading.RLock()  # a handler of signals may run where the lock is held
_NUMBERS: list[int] = []
"""The signals by which this process was asked to stop, in their order."""
_FINISHING: list[object] = []
"""One entry for each part that is being made and would be lost."""
_OVER: ContextVar[threading.Event | None] = ContextVar("over", default=None)
"""Set when nobody waits any more for what this thread computes."""


def ask(number: int) -> bool:
    """Ask the work to stop at the end of a part, by the number of a signal; return whether it will.

    False where no part is being made, or it was asked before: who asks then ends the work by other means.
    """
    with _LOCK:
        is_heard = bool(_FINISHING) and not _NUMBERS
        if is_heard:
            _NUMBERS.append(number)
        return is_heard


def insist(number: int) -> None:
    """Ask the work to stop wherever `stop_if_asked` is called next outside a part."""
    with _LOCK:
        _NUMBERS.append(number)


def is_stopping() -> bool:
    """Return whether the work was asked to stop: what makes parts asks after each."""
    return bool(_NUMBERS)


def asked_by() -> int | None:
    """Return the number of the first signal by which the work was asked to stop, None for none."""
    return _NUMBERS[0] if _NUMBERS else None


def stop_if_asked() -> None:
    """Raise KeyboardInterrupt where the work was asked to stop and no part has to be finished first.

    So, too, where it is work of a thread that nobody waits for any more.
    """
    over = _OVER.get()
    if (_NUMBERS and not _FINISHING) or (over is not None and over.is_set()):
        raise KeyboardInterrupt


@contextmanager
def until(over: threading.Event) -> Iterator[None]:
    """Return a scope, of this thread, in which the work is asked to stop once the event is set."""
    token = _OVER.set(over)
    try:
        yield
    finally:
        _OVER.reset(token)


@contextmanager
def finishing() -> Iterator[None]:
    """Return a scope of a part, or of a loop over parts that asks `is_stopping` after each: it is not broken off."""
    mark = object()
    with _LOCK:
        _FINISHING.append(mark)
    try:
        yield
    finally:
        with _LOCK:
            _FINISHING.remove(mark)


def forget() -> None:
    """Forget all requests: a new command begins in this process."""
    with _LOCK:
        _NUMBERS.clear()

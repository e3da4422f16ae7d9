"""Ctrl-C and SIGTERM while the command runs: answered at once, in one line, whatever Python is doing.

Python runs a handler of its own between two bytecodes of the main thread, and a compilation of XLA can keep that thread
for half a minute. An exception that a handler raises is lost in callbacks, breaks imports off in their middle, and
where it reaches C++ the process is aborted. So nothing is raised: a thread hears of the signal, saves what is worth it,
says so, and ends the process. That needs a process of one's own; `jaxscale.cli.session` does what it can in another.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from jaxscale.cli.starting import DEFAULTS, LINES, say

LastWords: TypeAlias = Callable[[], str]
"""Saves what is worth it and returns what there is to say of it, or nothing."""

PATIENCE = 0.5
"""Seconds that a second signal leaves to files that are being written."""
FILES = threading.RLock()
"""Held while a result is written, so that an answer waits for its end."""


def listen(last_words: LastWords) -> None:
    """Answer signals from here to the end of the process, which must be the command's own; from the main thread."""
    if sys.platform == "win32":  # there a signal is told to a socket, not to a pipe
        return _install(lambda number, frame: _end(number, last_words))
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    _install(lambda number, frame: None)  # a signal without a handler in Python is not told to the pipe
    _thread.start_new_thread(_hear, (reading, last_words))


@contextmanager
def held_off() -> Iterator[None]:
    """Let what is written in this scope be written to its end before a signal ends the process."""
    with FILES:
        yield


def finish() -> None:
    """Let an answer that has begun end the process, and no other begin: the exit code is decided."""
    FILES.acquire()


def _install(handler: Callable[[int, object], None]) -> None:
    for number, default in DEFAULTS.items():
        if signal.getsignal(number) == default:
            signal.signal(number, handler)


def _hear(reading: int, last_words: LastWords) -> None:
    """Answer the first signal in a thread of its own, so that a second one need not wait for it."""
    is_ending = False
    while True:
        number = os.read(reading, 1)[0]
        if number in LINES and not is_ending:
            is_ending = True
            _thread.start_new_thread(_end, (number, last_words))
        elif number in LINES:
            FILES.acquire(timeout=PATIENCE)
            say(number)
            os._exit(128 + number)


def _end(number: int, last_words: LastWords) -> None:
    """End the process without flushing or cleaning up, which other threads inside C++ might not survive."""
    with FILES:
        try:
            say(number, last_words())
        except BaseException as error:  # whatever failed in saving, the process was told to end
            say(number, str(error).splitlines()[0] if str(error) else type(error).__name__)
        finally:
            os._exit(128 + number)

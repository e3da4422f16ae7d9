"""Other processes: those forked after JAX has computed, which would wait for ever, and those begun afresh for parts.

A forked one would wait for threads that only its parent has.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from jaxscale.errors import UsageError

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

FORKED = (
    "this process was forked from one in which JAX had computed, and it would wait here for threads that only that one "
    "has.\nStart workers by 'spawn': multiprocessing.get_context('spawn'), in concurrent.futures as mp_context."
)

STRANDED: list[int] = []
"""This process, if it was forked so."""


def watch() -> None:
    """Notice every fork from here on."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_note)


def check_fork() -> None:
    """Raise UsageError in a process that was forked after JAX had computed."""
    if STRANDED:
        raise UsageError(FORKED)


def _note() -> None:
    bridge = sys.modules.get("jax._src.xla_bridge")  # JAX has no public word for whether its threads have been started
    if bridge is not None and bridge.backends_are_initialized():
        STRANDED.append(os.getpid())


def begin_worker(folder: str, cores: int) -> None:
    """Set up a process that was begun afresh for parts of a study, before it has imported JAX.

    folder: of the compile cache, "" for none.   cores: how many of them are this process's own.   Ctrl-C at a terminal
    is told to every process there; the parent answers for all, and where it ends, however it does, this one ends too.
    """
    import signal
    import threading
    from multiprocessing import current_process, parent_process

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "sched_setaffinity"):
        own, (_, _, number) = sorted(os.sched_getaffinity(0)), current_process().name.rpartition("-")
        first = cores * (int(number) - 1 if number.isdecimal() else 0)
        os.sched_setaffinity(0, {own[(first + one) % len(own)] for one in range(cores)})
    if folder:
        os.environ["JAX_COMPILATION_CACHE_DIR"] = folder
        os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.1"
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    """End this process when its parent has ended."""
    parent.join()
    os._exit(1)

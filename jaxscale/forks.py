"""Processes forked after JAX has computed: it would wait there for threads that only their parent has."""

from __future__ import annotations

import os
import sys

from jaxscale.errors import UsageError

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

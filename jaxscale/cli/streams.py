"""The three standard streams, any of which may be closed, full, or left by its reader."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TextIO


def occupy() -> None:
    """Open those of descriptors 0 to 2 that are closed on nothing, so that no file of ours gets their number.

    What is written to a standard stream by number, as XLA writes its messages, would end up in that file.
    """
    number = os.open(os.devnull, os.O_RDWR)
    while number <= 2:
        number = os.open(os.devnull, os.O_RDWR)
    os.close(number)


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a stream is there and is a terminal."""
    return stream is not None and not stream.closed and stream.isatty()


def abandon(stream: TextIO | None) -> None:
    """Send what a stream still holds to nothing, so that Python does not fail on it when it ends."""
    with suppress(OSError, ValueError, AttributeError):  # a stream of a test has no descriptor
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())  # type: ignore[union-attr]
        os.close(nothing)

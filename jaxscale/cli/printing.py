"""The standard streams, any of which may be closed, full or left by its reader; results go to stdout."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from jaxscale.errors import StoreError

if TYPE_CHECKING:
    from rich.console import Console
from contextlib import suppress
from typing import TextIO

NOT_WRITTEN = "standard output: the result could not be written ({reason}); send it elsewhere, as with > FILE"
CLOSED = "it is closed"

UNBOUNDED = 10_000
"""Columns of a page that is not for a terminal: nothing wraps, so that a line is a record."""


class NotPrintedError(StoreError):
    """Standard output takes no result."""


def print_page(draw: Callable[[Console, int], None]) -> None:
    """Let `draw` print on a console with a width for prose, and write what came out to stdout."""
    from rich.console import Console

    on_terminal = is_terminal(sys.stdout)
    width = Console().width if on_terminal else _columns()
    console = Console(width=UNBOUNDED, force_terminal=on_terminal or None, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        draw(console, width)
    write("\n".join(line.rstrip() for line in captured.get().splitlines()))


def write(text: str) -> None:
    """Write text and a newline to stdout; a reader that went away, as `head` does, ends the output and nothing else.

    Raises NotPrintedError where stdout is closed or takes nothing.
    """
    if sys.stdout is None or sys.stdout.closed:
        raise NotPrintedError(NOT_WRITTEN.format(reason=CLOSED))
    try:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without … shows \u2026
        print(text, flush=True)
    except OSError as error:
        give_up(error)


def give_up(error: OSError) -> None:
    """Write no more to stdout after an error of it; raise NotPrintedError unless only its reader has left."""
    abandon(sys.stdout)
    if not isinstance(error, BrokenPipeError):
        raise NotPrintedError(NOT_WRITTEN.format(reason=error.strerror or type(error).__name__)) from error


def _columns() -> int:
    """Return the width in COLUMNS, or no limit where it is not a width."""
    asked = os.environ.get("COLUMNS", "")
    return int(asked) if asked.isdecimal() and int(asked) > 0 else UNBOUNDED


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

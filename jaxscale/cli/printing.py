"""Results to stdout: pages at the terminal's width, unwrapped text in a pipe, silence where the reader has left."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

UNBOUNDED = 10_000
"""Columns of a page that is not for a terminal: nothing wraps, so that a line is a record."""


def print_page(draw: Callable[[Console, int], None]) -> None:
    """Let `draw` print on a console with a width for prose, and write what came out to stdout."""
    from rich.console import Console

    is_terminal = sys.stdout.isatty()
    width = Console().width if is_terminal else int(os.environ.get("COLUMNS") or UNBOUNDED)
    console = Console(width=UNBOUNDED, force_terminal=is_terminal or None, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        draw(console, width)
    write("\n".join(line.rstrip() for line in captured.get().splitlines()))


def write(text: str) -> None:
    """Write text and a newline to stdout; a reader that went away, as `head` does, ends the output and nothing else."""
    try:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without … shows \u2026
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to fail at exit

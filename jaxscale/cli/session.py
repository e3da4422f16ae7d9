"""One invocation: how much it says on stderr and where, and whether it was interrupted."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TypeAlias

import click

Command: TypeAlias = Callable[..., None]
"""A function that click calls with what was typed."""


@dataclass
class Session:
    """Set by the options -q, -v and --debug as they are read; one per invocation."""

    is_quiet: bool = False
    is_verbose: bool = False
    is_debug: bool = False
    is_interrupted: bool = False

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Remember Ctrl-C as well as raise it: raised inside a callback of the collector or an import, it is lost."""

        def remember(number: int, frame: object) -> None:
            self.is_interrupted = True
            raise KeyboardInterrupt

        before = signal.getsignal(signal.SIGINT)
        is_ours = threading.current_thread() is threading.main_thread() and before is signal.default_int_handler
        if is_ours:  # who ignores or handles interrupts, as a shell in the background does, goes on doing so
            signal.signal(signal.SIGINT, remember)
        try:
            yield
        finally:
            if is_ours:
                signal.signal(signal.SIGINT, before)

    def stop_if_interrupted(self) -> None:
        """Raise KeyboardInterrupt if Ctrl-C was pressed and has been lost since."""
        if self.is_interrupted:
            raise KeyboardInterrupt

    def say(self, message: str) -> None:
        """Write a message to stderr, unless --quiet."""
        if not self.is_quiet:
            write_error(message)

    def detail(self, message: str) -> None:
        """Write a message to stderr if --verbose or --debug."""
        if (self.is_verbose or self.is_debug) and not self.is_quiet:
            write_error(message)

    @property
    def shows_progress(self) -> bool:
        """Whether a progress bar may be drawn: only on a terminal, and unless --quiet."""
        return not self.is_quiet and sys.stderr.isatty()


def write_error(message: str) -> None:
    """Write a message to stderr, at most three lines, each without control characters."""
    for line in message.splitlines()[:3]:
        safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in line)
        click.echo(safe.rstrip(), err=True)


def debug_option(command: Command) -> Command:
    """Add --debug, which may stand before a command or after it."""
    return click.option(
        "--debug", is_flag=True, expose_value=False, callback=_set_debug, help="Show the traceback of an error."
    )(command)


def talking(command: Command) -> Command:
    """Add -q, -v and --debug, and give the session to the command as its first argument."""

    @click.option("-q", "--quiet", is_flag=True, help="Write nothing to stderr but errors.")
    @click.option("-v", "--verbose", is_flag=True, help="Write more to stderr, as which compile cache is used.")
    @debug_option
    @click.pass_obj
    @wraps(command)
    def told(session: Session, *args: object, quiet: bool, verbose: bool, **options: object) -> None:
        session.is_quiet, session.is_verbose = quiet, verbose
        command(session, *args, **options)

    return told


def _set_debug(context: click.Context, parameter: click.Parameter, is_debug: bool) -> None:
    if is_debug:
        context.ensure_object(Session).is_debug = True

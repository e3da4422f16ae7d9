"""The state of one invocation: verbosity, messages and progress on stderr, and interruption."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, TypeAlias

import click

from jaxscale import stopping
from jaxscale.cli import starting
from jaxscale.cli.printing import abandon, is_terminal
from jaxscale.errors import JaxscaleError
from jaxscale.text import visible

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

AFTER = "{stage}: done, going on"
RESTORED = "\r\x1b[2K\x1b[?25h"
"""Clears the line of a terminal and shows its cursor."""

Command: TypeAlias = Callable[..., None]
"""A function that click calls with what was typed."""


@dataclass
class Session:
    """Set by the options -q, -v and --debug as they are read; one per invocation.

    keep: saves what an interrupt would lose, and returns the words for it.   tidy: what else an interrupt leaves to do.
    drawing: the progress line while there is one.   is_json: whether --json was typed, so that a refusal is a
    document too.   is_own: whether the process is the command's own.
    """

    is_quiet: bool = False
    is_verbose: bool = False
    is_debug: bool = False
    is_own: bool = False
    is_json: bool = False
    keep: Callable[[], str] = str
    tidy: list[Callable[[], object]] = field(default_factory=list)
    drawing: Progress | None = None

    def last_words(self) -> str:
        """Save what an interrupt would lose, and return what there is to say of it, in one line or none."""
        for one in self.tidy:
            one()
        try:
            return visible(self.keep())
        except JaxscaleError as error:  # told to end, it ends: what could not be saved is said
            return visible(str(error).splitlines()[0])

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Remember Ctrl-C as well as raise it: raised inside a callback of the collector or an import, it is lost.

        For a process that is not the command's own; in its own `jaxscale.cli.outcomes` handles it.
        """

        def remember(number: int, frame: object) -> None:
            if stopping.ask(number):
                self.announce_stop()
            else:
                stopping.insist(number)
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

    def announce_stop(self) -> None:
        """Say that a part is finished first, above the progress line where there is one."""
        if self.drawing is None:
            starting.put(f"{starting.STOPPING}\n")
        else:
            self.drawing.console.print(starting.STOPPING, highlight=False, markup=False)

    def restore(self) -> None:
        """Give the terminal its cursor and an empty line back, without the locks of the progress line."""
        if self.drawing is not None:
            starting.put(RESTORED)

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
        return not self.is_quiet and is_terminal(sys.stderr)


def write_error(message: str) -> None:
    """Write a message to stderr, at most three lines, each without control characters.

    Where stderr takes nothing, nothing is said: the exit code says enough.
    """
    try:
        for line in message.splitlines()[:3]:
            click.echo(visible(line).rstrip(), err=True)
    except (OSError, ValueError):  # ValueError: it is closed
        abandon(sys.stderr)


def debug_option(command: Command) -> Command:
    """Add --debug, which may stand before a command or after it."""
    return click.option(
        "--debug", is_flag=True, expose_value=False, callback=_set_debug, help="Show the traceback of an error."
    )(command)


def talking(command: Command) -> Command:
    """Add -q, -v and --debug, and pass the session to the command as its first argument."""

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


class Bar:
    """The progress line of a terminal, whose updates also raise a Ctrl-C that was lost."""

    def __init__(self, drawing: Progress | None) -> None:
        self._drawing = drawing
        self._task: TaskID | None = None if drawing is None else drawing.add_task("", total=None)
        self._text = ""
        self._left: int | None = None

    def stage(self, text: str, total: int | None = None) -> None:
        """Begin something, of a known number of parts or of an unknown length."""
        stopping.stop_if_asked()
        self._text, self._left = text[:1].upper() + text[1:], total
        self._show()

    def advance(self, count: int) -> None:
        """Add finished parts."""
        stopping.stop_if_asked()
        if self._drawing is not None and self._task is not None:
            self._drawing.advance(self._task, count)
        if self._left is not None:
            self._left -= count
            if self._left <= 0:  # what comes next has not said so yet: nothing stands at 100 %
                self._text, self._left = AFTER.format(stage=self._text), None
                self._show()

    def _show(self) -> None:
        if self._drawing is not None and self._task is not None:
            self._drawing.remove_task(self._task)  # a reset would keep a total where there is none now
            self._task = self._drawing.add_task(self._text, total=self._left)


@contextmanager
def progress(session: Session) -> Iterator[Bar]:
    """Show a bar until the scope ends, and leave no trace of it."""
    if not session.shows_progress:
        yield Bar(None)
        return
    from jaxscale.cli.drawing import progress_line

    with progress_line() as drawing:
        session.drawing = drawing
        session.tidy.append(drawing.stop)  # a second time it does nothing
        try:
            yield Bar(drawing)
        finally:
            session.drawing = None

"""How a command ends: every exception becomes an exit code and one to three lines on stderr."""

from __future__ import annotations

import errno
import signal
import traceback
from collections.abc import Callable

import click

from jaxscale.cli import printing
from jaxscale.cli.session import Session, write_error
from jaxscale.cli.starting import LINES
from jaxscale.errors import JaxscaleError

UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF, errno.EPIPE, errno.EAGAIN)
INTERNAL, USAGE, NOT_TRUSTWORTHY, INTERRUPTED = 1, 2, 4, 130

UNEXPECTED = "internal error: {kind}: {message}\nAdd --debug for the traceback, and please report it."
OUT_OF_MEMORY = "out of memory: ask for fewer --replicates or budgets, or use a larger machine"
SEE_HELP = "{message}\nSee {command} --help."
LONGEST = 300


def exit_code_of(run: Callable[[], object], session: Session) -> int:
    """Run a command line, say on stderr why it failed if it did, and return its exit code.

    With --debug the traceback comes before the message.
    """
    try:
        with session.interruptible():
            code = run()
            session.stop_if_interrupted()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return USAGE
    except (click.exceptions.Abort, KeyboardInterrupt):
        return _interrupted(session)
    except SystemExit as error:  # by which click ends where a reader went away from its help, and nowhere else
        if error.code != 1:
            raise
        return 0
    except Exception as error:
        if session.is_debug:
            for line in traceback.format_exc().splitlines():
                write_error(line)
        if session.is_interrupted:  # an import that Ctrl-C cut short fails with an error of its own
            return _interrupted(session)
        return _failed(error, session)
    return code if isinstance(code, int) else 0


def _interrupted(session: Session) -> int:
    write_error("; ".join(filter(None, (LINES[signal.SIGINT], session.last_words()))))
    return INTERRUPTED


def _failed(error: Exception, session: Session) -> int:
    """Say why a command failed, and return its exit code."""
    if isinstance(error, OSError) and error.errno in UNWRITABLE and error.filename is None:
        try:  # click's own writing of help to stdout: a file would have a name
            printing.give_up(error)
            return 0
        except JaxscaleError as refused:
            error = refused
    code, message = _refusal(error)
    saved = session.last_words() if isinstance(error, printing.NotPrintedError) else ""
    write_error(f"{message}\n{saved}" if saved else message)
    return code


def _refusal(error: Exception) -> tuple[int, str]:
    """Return the exit code and the message of a failure."""
    if isinstance(error, JaxscaleError):
        return error.exit_code, str(error)
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "jaxscale"
        return USAGE, SEE_HELP.format(message=error.format_message().replace("\n", " "), command=path)
    if isinstance(error, click.ClickException):
        return error.exit_code, error.format_message()
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error)[:LONGEST]:
        return INTERNAL, OUT_OF_MEMORY
    first = (str(error).splitlines() or [""])[0][:LONGEST]
    return INTERNAL, UNEXPECTED.format(kind=type(error).__name__, message=first)

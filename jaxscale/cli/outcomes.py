"""How a command ends: exceptions become exit codes and lines on stderr, signals are answered at once.

Python runs a handler of its own between two bytecodes of the main thread, and a compilation of XLA can keep that thread
for half a minute. An exception that a handler raises is lost in callbacks, breaks imports off in their middle, and
where it reaches C++ the process is aborted. So nothing is raised: a thread hears of the signal, saves what is worth it,
says so, and ends the process. Where a part of a large study is being made, it says that the process stops after it, and
asks for that (`jaxscale.stopping`); another signal ends the process then. All this needs a process of one's own;
`jaxscale.cli.session` does what it can in another.
"""

from __future__ import annotations

import _thread
import errno
import gc
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from jaxscale import names, speaking, stopping
from jaxscale.cli import printing
from jaxscale.cli.refusing import said
from jaxscale.cli.session import Session, write_error
from jaxscale.cli.starting import DEFAULTS, LINES, say
from jaxscale.errors import JaxscaleError

UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF, errno.EPIPE, errno.EAGAIN)
KINDS = {2: "UsageError"}
"""Kinds of refusals that are not exceptions of the package, by exit code."""
INTERNAL, USAGE, NOT_TRUSTWORTHY = 1, 2, 4

UNEXPECTED = "internal error: {kind}: {message}\nAdd --debug for the traceback, and please report it."
OUT_OF_MEMORY = "out of memory: ask for fewer --replicates or budgets, or use a larger machine"
SEE_HELP = "{message}\nSee {command} --help."
LONGEST = 300

PATIENCE = 0.5
"""Seconds that a second signal leaves to files that are being written."""
FILES = threading.RLock()
"""Held while a result is written, so that an answer waits for its end."""


def exit_code_of(run: Callable[[], object], session: Session) -> int:
    """Run a command line, say on stderr why it failed if it did, and return its exit code.

    With --debug the traceback comes before the message.
    """
    with speaking.typing():
        return _exit_code_of(run, session)


def _exit_code_of(run: Callable[[], object], session: Session) -> int:
    stopping.forget()
    try:
        with session.interruptible():
            code = run()
            stopping.stop_if_asked()
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
        if stopping.is_stopping():  # an import that Ctrl-C cut short fails with an error of its own
            return _interrupted(session)
        return _failed(error, session)
    return code if isinstance(code, int) else 0


def _interrupted(session: Session) -> int:
    """Say that the work was stopped and what is kept; return 128 and the number of the signal."""
    number, words = stopping.asked_by() or signal.SIGINT, session.last_words()
    if session.is_own:  # another signal may be answered in this moment, and one of both says it
        say(number, words)
    else:
        write_error("; ".join(filter(None, (LINES[number], words))))
    return 128 + number


def _failed(error: Exception, session: Session) -> int:
    """Say why a command failed, and return its exit code."""
    if isinstance(error, OSError) and error.errno in UNWRITABLE and error.filename is None:
        try:  # click's own writing of help to stdout: a file would have a name
            printing.give_up(error)
            return 0
        except JaxscaleError as refused:
            error = refused
    code, message = _refusal(error)
    if session.is_json and not isinstance(error, printing.NotPrintedError):
        printing.write(_document_of(code, message, error))
    saved = session.last_words() if isinstance(error, printing.NotPrintedError) else ""
    write_error(f"{message}\n{saved}" if saved else message)
    return code


def _document_of(code: int, message: str, error: Exception) -> str:
    """Return a refusal as one JSON document: its kind, its exit code and the lines of its message."""
    kind = type(error).__name__ if isinstance(error, JaxscaleError) else KINDS.get(code, "InternalError")
    told = {"kind": kind, "exit_code": code, "message": message}
    return json.dumps({"schema_version": names.SCHEMA_VERSION, "error": told}, indent=1, ensure_ascii=True)


def _refusal(error: Exception) -> tuple[int, str]:
    """Return the exit code and the message of a failure."""
    if isinstance(error, JaxscaleError):
        return error.exit_code, str(error)
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "jaxscale"
        return USAGE, SEE_HELP.format(message=said(error).replace("\n", " "), command=path)
    if isinstance(error, click.ClickException):
        return error.exit_code, error.format_message()
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error)[:LONGEST]:
        return INTERNAL, OUT_OF_MEMORY
    first = (str(error).splitlines() or [""])[0][:LONGEST]
    return INTERNAL, UNEXPECTED.format(kind=type(error).__name__, message=first)


def listen(session: Session) -> None:
    """Answer signals from here to the end of the process, which must be the command's own; from the main thread."""
    session.is_own = True
    if sys.platform == "win32":  # there a signal is told to a socket, not to a pipe
        return _install(lambda number, frame: _answer(number, session))
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    _install(lambda number, frame: None)  # a signal without a handler in Python is not told to the pipe
    _thread.start_new_thread(_hear, (reading, session))


@contextmanager
def held_off() -> Iterator[None]:
    """Return a scope in which writes finish before a signal ends the process."""
    with FILES:
        yield


def finish() -> None:
    """Let an answer that has begun end the process, and no other begin: the exit code is decided.

    Python gives signals back their defaults while it ends, and one that came then would change the exit code. While it
    ends it also looks for garbage in all that was imported, a quarter of the time of a short command that uses JAX;
    what is frozen it does not look at.
    """
    FILES.acquire()
    gc.freeze()
    for number in DEFAULTS:
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_IGN)


def _install(handler: Callable[[int, object], None]) -> None:
    for number, default in DEFAULTS.items():
        if signal.getsignal(number) == default:
            signal.signal(number, handler)


def _hear(reading: int, session: Session) -> None:
    """Answer signals one by one; what may wait for a lock or a disk is done in a thread of its own."""
    is_second = False
    while True:
        number = os.read(reading, 1)[0]
        if number not in LINES:
            continue
        _thread.start_new_thread(_answer, (number, session))
        if is_second:
            time.sleep(PATIENCE)
            session.restore()
            say(number)
            os._exit(128 + number)
        is_second = True


def _answer(number: int, session: Session) -> None:
    if stopping.ask(number):
        session.announce_stop()
    else:
        _end(number, session)


def _end(number: int, session: Session) -> None:
    """End the process without flushing or cleaning up, which other threads inside C++ might not survive."""
    with FILES:
        try:
            say(number, session.last_words())
        except BaseException as error:  # whatever failed in saving, the process was told to end
            say(number, str(error).splitlines()[0] if str(error) else type(error).__name__)
        finally:
            os._exit(128 + number)

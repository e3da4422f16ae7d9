"""The bytes of a table, read once: everything after this works on the same snapshot."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from jaxscale.errors import RunsError, UsageError
from jaxscale.runs import memory
from jaxscale.text import shown_name

NOT_A_PATH = "read_runs takes a path or '-', not {kind}; a pandas DataFrame goes to Runs.from_frame"
NOT_FOUND = "{source}: there is no such file; check the name and the folder it is meant in ({folder})"
DANGLING = "{source}: the link points to a file that does not exist; mend the link or name the table itself"
ADDRESS = "{source}: is an address, and only files are read; download it and give the file's name"
DIRECTORY = "{source}: is a directory; give the name of a table inside it"
NOT_REGULAR = "{source}: is a pipe, socket or device, not a file; send its contents to standard input and give '-'"
FORBIDDEN = "{source}: no permission to read it; check the file's owner and mode"
CANNOT_OPEN = "{source}: cannot be read ({reason}); check the name and the disk"
CHANGED = (
    "{source}: the file changed while it was read, so the numbers may belong to two versions.\n"
    "Wait until nothing writes to it, or copy it, and read it again."
)
STDIN_CLOSED = "standard input is closed, so '-' has nothing to read; give a file name or pipe a table in"
STDIN_TERMINAL = "'-' reads a table from standard input, which is a terminal; give a file name or pipe a table in"

STANDARD_INPUT = ("-", "/dev/stdin")


@dataclass(frozen=True)
class Content:
    """What was read: the source's name for messages, its bytes, and their SHA-256 in hexadecimal."""

    source: str
    data: bytes
    sha256: str


def content_of(source: str | Path, *, cost: float) -> Content:
    """Return the bytes of a file, or of standard input for "-".

    cost: bytes of memory that one byte of the source will need once it is parsed.
    Raises RunsError for what is no readable regular file, for one that changes meanwhile, and for one that does not fit
    in memory; UsageError for a terminal or a closed standard input.
    """
    if not isinstance(source, (str, Path)):
        raise UsageError(NOT_A_PATH.format(kind=type(source).__name__))
    if str(source) in STANDARD_INPUT:
        name, data = "<stdin>", _standard_input(cost)
    else:
        name, data = str(source), _file(str(source), cost)
    return Content(name, data, hashlib.sha256(data).hexdigest())


def _standard_input(cost: float) -> bytes:
    if sys.stdin is None or sys.stdin.closed:
        raise UsageError(STDIN_CLOSED)
    if sys.stdin.isatty():
        raise UsageError(STDIN_TERMINAL)
    try:
        limit = int(memory.available_bytes() / cost)
        data = sys.stdin.buffer.read(limit + 1)
    except OSError as error:
        raise UsageError(STDIN_CLOSED) from error
    memory.require(len(data), cost=cost, source="<stdin>")
    return data


def _file(name: str, cost: float) -> bytes:
    shown = shown_name(name)
    try:
        before = os.stat(name)
        if stat.S_ISDIR(before.st_mode):
            raise RunsError(DIRECTORY.format(source=shown))
        if not stat.S_ISREG(before.st_mode):
            raise RunsError(NOT_REGULAR.format(source=shown))
        memory.require(before.st_size, cost=cost, source=shown)
        with open(name, "rb") as handle:
            data = content(handle, before.st_size + 1)
        after = os.stat(name)
    except FileNotFoundError as error:
        raise RunsError(_absent(name)) from error
    except PermissionError as error:
        raise RunsError(FORBIDDEN.format(source=shown)) from error
    except (OSError, ValueError) as error:
        if isinstance(error, RunsError):
            raise
        reason = error.strerror if isinstance(error, OSError) else "a NUL in the name"
        raise RunsError(CANNOT_OPEN.format(source=shown, reason=reason)) from error
    if _version(before) != _version(after) or len(data) != before.st_size:
        raise RunsError(CHANGED.format(source=shown))
    return data


def content(handle: BinaryIO, limit: int) -> bytes:
    """Return at most `limit` bytes of an open file."""
    return handle.read(limit)


def _absent(name: str) -> str:
    shown = shown_name(name)
    if "://" in name:
        return ADDRESS.format(source=shown)
    if os.path.islink(name):
        return DANGLING.format(source=shown)
    return NOT_FOUND.format(source=shown, folder=shown_name(os.getcwd()))


def _version(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns

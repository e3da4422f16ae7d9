"""Files that appear whole or not at all, also after a power loss, and the lock by which one process writes a folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jaxscale.errors import StoreError
from jaxscale.text import shown_name

LOCK = ".lock"
DRAFT = ".draft"

IN_USE = (
    "{place}: another process is at work on this study, and only one may be.\n"
    "Wait for its end, or give each process a share of its own, as jaxscale bootstrap {place} --part 1/4 does."
)
CANNOT_LOCK = "{place}: cannot be locked for this process ({reason}); check the folder's owner and the disk"


def commit(path: Path, data: bytes) -> None:
    """Write a file beside its place, wait for the disk, and move it in: a kill leaves the old file or the new one.

    The folder's entry is waited for as well. The draft has one name, which the next commit overwrites: see `locked`.
    Raises OSError, and leaves the old file, and no draft that would take the last of a disk.
    """
    draft = path.with_name(f".{path.name}{DRAFT}")
    try:
        with open(draft, "wb") as handle:
            _write(handle.fileno(), data)
            os.fsync(handle.fileno())
        os.replace(draft, path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk; where folders cannot be opened, as on Windows, do nothing."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(folder: Path, in_use: str = IN_USE) -> Iterator[None]:
    """Return a scope in which no other process writes this folder, which must exist.

    The system gives the lock back when the process ends, however it ends.   Raises StoreError where another process
    has it, which says `in_use` of the {place}, and where the folder cannot be written.
    """
    place = shown_name(str(folder))
    try:
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StoreError(CANNOT_LOCK.format(place=place, reason=error.strerror)) from error
    try:
        try:
            _take(handle)
        except (BlockingIOError, PermissionError) as error:
            raise StoreError(in_use.format(place=place)) from error
        except OSError as error:
            raise StoreError(CANNOT_LOCK.format(place=place, reason=error.strerror)) from error
        yield
    finally:
        os.close(handle)


def _write(handle: int, data: bytes) -> None:
    """Write all bytes: the system may take some of them at a time."""
    left = memoryview(data)
    while left:
        left = left[os.write(handle, left) :]


def _take(handle: int) -> None:
    """Lock an open file for this process, or raise OSError at once."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        return
    import fcntl

    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

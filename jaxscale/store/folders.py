"""The folder of a result: when it may be written, and how it is written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from jaxscale.errors import StoreError
from jaxscale.store.archive import write_archive
from jaxscale.text import shown_name

IS_LINK = "{place}: is a symbolic link, and results are not written through links; name the folder itself"
IS_FILE = "{place}: is a file; name a folder for the result"
NAME_TAKEN = "{place}: holds a folder named {name}, where the result would be; choose another folder"
EXISTS = (
    "{place}: exists and holds something else than this same computation.\n"
    "Choose another folder, or let its result be replaced with --force (in Python: force=True)."
)
NOT_WRITTEN = "{place}: the result could not be written ({reason}); check the name, the folder's owner and the disk"

RESULT = "result.json"
ARRAYS = "arrays.npz"


def absolute(folder: str | Path) -> Path:
    """Return the folder with the current one before it; raise StoreError where that is gone."""
    with _reasons(Path(folder)):
        return Path(os.path.abspath(folder))


def check_writable(folder: Path, *, is_own: Callable[[Path], bool], force: bool) -> None:
    """Raise StoreError unless the folder is new, empty, its own, or given up by force.

    is_own: whether the result in a folder that is not empty is the same computation.   A link or a file is refused
    whatever force says.
    """
    place = shown_name(str(folder))
    with _reasons(folder):
        if folder.is_symlink():
            raise StoreError(IS_LINK.format(place=place))
        if not os.path.lexists(folder):
            return
        if not folder.is_dir():
            raise StoreError(IS_FILE.format(place=place))
        for name in (RESULT, ARRAYS):
            if stat.S_ISDIR(_mode(folder / name)):
                raise StoreError(NAME_TAKEN.format(place=place, name=name))
        if not force and any(folder.iterdir()) and not is_own(folder):
            raise StoreError(EXISTS.format(place=place))


def write_folder(folder: Path, arrays: Mapping[str, np.ndarray], document: Callable[[int, str], bytes]) -> None:
    """Write both files beside the folder, then move them in: a kill leaves the old result, or one that load refuses.

    document: from the size and SHA-256 of the archive to the bytes of result.json, which moves last. A new folder
    appears at once with everything in it; in one that exists only these two files are replaced.   Raises StoreError.
    """
    with _reasons(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = folder.parent / f".jaxscale-{secrets.token_hex(8)}"
        draft.mkdir()
        try:
            write_archive(draft / ARRAYS, arrays)
            with open(draft / ARRAYS, "rb") as handle:
                sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
            (draft / RESULT).write_bytes(document((draft / ARRAYS).stat().st_size, sha256))
            _flush(draft / ARRAYS, draft / RESULT)
            if os.path.lexists(folder):
                os.replace(draft / ARRAYS, folder / ARRAYS)
                os.replace(draft / RESULT, folder / RESULT)
            else:
                os.rename(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _mode(path: Path) -> int:
    try:
        return os.lstat(path).st_mode
    except FileNotFoundError:
        return 0


def _flush(*paths: Path) -> None:
    """Wait until the files are on the disk, so that after a power loss no name points to nothing."""
    for path in paths:
        with open(path, "rb+") as handle:
            os.fsync(handle.fileno())


@contextmanager
def _reasons(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses into a StoreError that says why."""
    try:
        yield
    except StoreError:
        raise
    except (OSError, ValueError) as error:
        reason = error.strerror or type(error).__name__ if isinstance(error, OSError) else "a NUL in the name"
        raise StoreError(NOT_WRITTEN.format(place=shown_name(str(folder)), reason=reason)) from error

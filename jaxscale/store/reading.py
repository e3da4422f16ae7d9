"""The two files of a saved result, read once each and judged before anything in them is used."""

from __future__ import annotations

import hashlib
import os
import stat
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from jaxscale.digits import data_size
from jaxscale.errors import StoreError
from jaxscale.runs import opening
from jaxscale.store.archive import Archive, archive_of
from jaxscale.store.document import LARGEST, record_of
from jaxscale.store.folders import ARRAYS, RESULT
from jaxscale.store.record import Record
from jaxscale.text import shown, shown_name

NO_FOLDER = "{place}: there is no such folder; name one that jaxscale fit or js.save has written"
NOT_A_FOLDER = "{place}: is not a folder; a saved result is a folder with {result} and {arrays} in it"
NO_FILE = "{place}: there is no {name} in this folder, so it holds no whole result; fit again"
NOT_READABLE = "{place}: cannot be read ({reason}); check its owner, its mode and the disk"
TOO_LARGE = "{place}: has {size}, and at most {limit} is read; fit again with fewer replicates"
OTHER_KIND = "{place}: is {kind}, not a saved result of jaxscale; name a folder that jaxscale fit has written"
NEWER = (
    "{place}: has schema version {found}, and jaxscale {jaxscale} reads up to version {known}.\n"
    "Upgrade jaxscale, or fit again with this one."
)
OTHER_SIZE = "{place}: has {found} bytes where {expected} were written: truncated, or its save was cut off; fit again"
OTHER_HASH = (
    "{place}: is not what was saved: its SHA-256 is {found}…, and {result} names {expected}….\n"
    "A bit was flipped, the file was exchanged, or its save was cut off; fit again."
)

KIND = "jaxscale-result"
SCHEMA_VERSION = 2
OLDER = (
    "{place}: has schema version {found}, of an older jaxscale; this one reads version {known}.\n"
    "Run the command that made it again."
)

_COPIES = 2.0
"""Memory per byte of the archive: its bytes, and the arrays made from them."""


def result_in(folder: Path) -> Record:
    """Return the top object of result.json; raise StoreError for another kind, or another schema version."""
    _check_is_folder(folder)
    data = _content(folder, RESULT, LARGEST)
    record = record_of(data, place=shown_name(str(folder / RESULT)))
    kind = record.fields.get("kind")
    if kind != KIND:
        shown_kind = "of no kind" if kind is None else f"of kind {shown(str(kind))}"
        raise StoreError(OTHER_KIND.format(place=record.place, kind=shown_kind))
    found = record.count("schema_version")
    if found > SCHEMA_VERSION:
        raise StoreError(NEWER.format(place=record.place, found=found, jaxscale=_version(), known=SCHEMA_VERSION))
    if found < 1:
        raise record.wrong("schema_version", f"{SCHEMA_VERSION}")
    if found < SCHEMA_VERSION:
        raise StoreError(OLDER.format(place=record.place, found=found, known=SCHEMA_VERSION))
    return record


def arrays_in(folder: Path, expected: Record) -> Archive:
    """Return the arrays of arrays.npz; raise StoreError unless size and hash are the expected ones.

    expected: the field `arrays` of result.json.
    """
    data = _content(folder, ARRAYS, int(opening.MEMORY_LIMIT / _COPIES))
    place = shown_name(str(folder / ARRAYS))
    if len(data) != expected.count("bytes"):
        raise StoreError(OTHER_SIZE.format(place=place, found=len(data), expected=expected.count("bytes")))
    found, named = hashlib.sha256(data).hexdigest(), expected.text("sha256")
    if found != named:
        parts = {"found": found[:16], "expected": shown(named[:16])}
        raise StoreError(OTHER_HASH.format(place=place, result=RESULT, **parts))
    return archive_of(data, place=place)


def digest_in(folder: Path) -> str | None:
    """Return the digest of the computation in a folder; raise StoreError where there is no readable result."""
    return result_in(folder).optional_text("digest")


def _check_is_folder(folder: Path) -> None:
    place = shown_name(str(folder))
    try:
        mode = os.stat(folder).st_mode
    except (FileNotFoundError, ValueError) as error:  # ValueError: a NUL in the name
        raise StoreError(NO_FOLDER.format(place=place)) from error
    except OSError as error:
        raise StoreError(NOT_READABLE.format(place=place, reason=error.strerror)) from error
    if not stat.S_ISDIR(mode):
        raise StoreError(NOT_A_FOLDER.format(place=place, result=RESULT, arrays=ARRAYS))


def _content(folder: Path, name: str, limit: int) -> bytes:
    """Return the bytes of a regular file, at most `limit`; a pipe or a device would never end."""
    path, place = folder / name, shown_name(str(folder / name))
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            raise StoreError(NOT_READABLE.format(place=place, reason="not a regular file"))
        if found.st_size > limit:
            sizes = {"size": data_size(found.st_size), "limit": data_size(limit)}
            raise StoreError(TOO_LARGE.format(place=place, **sizes))
        with open(path, "rb") as handle:
            return handle.read(limit)
    except FileNotFoundError as error:
        raise StoreError(NO_FILE.format(place=shown_name(str(folder)), name=name)) from error
    except OSError as error:
        raise StoreError(NOT_READABLE.format(place=place, reason=error.strerror)) from error


def _version() -> str:
    try:
        return version("jaxscale")
    except PackageNotFoundError:  # a source tree on the path, not installed
        return "unknown"

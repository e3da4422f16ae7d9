"""The folder of a study, result.json and arrays.npz: written whole or not at all, and verified when read."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from jaxscale.digits import data_size
from jaxscale.errors import StoreError
from jaxscale.meant import near_path
from jaxscale.results.kinds import path_of
from jaxscale.runs import opening
from jaxscale.store.archive import Archive, archive_of, write_archive
from jaxscale.store.specs import wrong_field
from jaxscale.text import Json, shown, shown_name

IS_LINK = "{place}: is a symbolic link, and results are not written through links; name the folder itself"
IS_FILE = "{place}: is a file; name a folder for the result"
NAME_TAKEN = "{place}: holds a folder named {name}, where the result would be; choose another folder"
EXISTS = (
    "{place}: exists and holds something else than this same computation.\n"
    "Choose another folder, or let its result be replaced with --force."
)
NOT_WRITTEN = "{place}: the result could not be written ({reason}); check the name, the folder's owner and the disk"
NO_FOLDER = "{place}: there is no such folder; name one that jaxscale fit or js.save has written{meant}"
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
OLDER = (
    "{place}: has schema version {found}, of an older jaxscale; this one reads version {known}.\n"
    "Run the command that made it again."
)
NOT_JSON = "{place}: is not JSON as jaxscale writes it ({reason}), so the file is damaged; fit again"
TOO_LONG = "{place}: is larger than {limit} MB, which no result of jaxscale is; nothing was read"
EDITED = (
    "{place}: is not what was saved: the SHA-256 of its fields is {found}…, and it names {expected}….\n"
    "It was edited or exchanged; fit again."
)

RESULT = "result.json"
ARRAYS = "arrays.npz"
KIND = "jaxscale-result"
SCHEMA_VERSION = 4
DRAFTS = ".jaxscale-*"
"""Folders in which results are written before they are moved in; a kill leaves one."""
LARGEST = 64_000_000
DEEPEST = 64

_COPIES = 2.0
"""Memory per byte of the archive: its bytes, and the arrays made from them."""


def absolute_path(folder: str | Path) -> Path:
    """Return the folder with the current one before it; raise StoreError where that is gone."""
    with told_reasons(path_of(folder)):
        return Path(os.path.abspath(folder))


def check_writable(folder: Path, *, is_own: Callable[[Path], bool], force: bool) -> None:
    """Raise StoreError unless the folder is new, empty, its own, or given up by force.

    is_own: whether the result in a folder that is not empty is the same computation.   A link or a file is refused
    whatever force says.
    """
    place = shown_name(str(folder))
    with told_reasons(folder):
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


def write_folder(folder: Path, record: Mapping[str, Json], arrays: Mapping[str, np.ndarray], digest: str) -> None:
    """Write both files beside the folder, then move them in: a kill leaves the old result, or one that load refuses.

    record: fields of result.json, to which it adds what it is, digest, the name of the computation, and the SHA-256 of
    both files. A new folder appears at once with everything in it; in one that exists only these two files are
    replaced, result.json last.   Raises StoreError.
    """
    with told_reasons(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = folder.parent / DRAFTS.replace("*", secrets.token_hex(8))
        draft.mkdir()
        try:
            write_archive(draft / ARRAYS, arrays)
            with open(draft / ARRAYS, "rb") as handle:
                sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
            described: dict[str, Json] = {"bytes": (draft / ARRAYS).stat().st_size, "sha256": sha256}
            (draft / RESULT).write_bytes(document_bytes(record, described, digest))
            _flush(draft / ARRAYS, draft / RESULT)
            if os.path.lexists(folder):
                os.replace(draft / ARRAYS, folder / ARRAYS)
                os.replace(draft / RESULT, folder / RESULT)
            else:
                os.rename(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def document_bytes(record: Mapping[str, Json], described: Json, digest: str) -> bytes:
    """Return the bytes of result.json; described: the size and the SHA-256 of arrays.npz."""
    head: dict[str, Json] = {"kind": KIND, "schema_version": SCHEMA_VERSION, "digest": digest}
    whole: dict[str, Json] = {**head, "arrays": described, **record}
    text = json.dumps({**whole, "sha256": sha256_of(whole)}, indent=1, ensure_ascii=True, allow_nan=False)
    return text.encode("ascii") + b"\n"


def sha256_of(record: Mapping[str, object]) -> str:
    """Return the SHA-256 of a document's fields but its own; raise ValueError for a number that is not finite."""
    fields = {key: value for key, value in record.items() if key != "sha256"}
    text = json.dumps(fields, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def record_in(folder: Path) -> dict[str, object]:
    """Return the fields of result.json; raise StoreError for another kind, another schema version, or an edited one."""
    _check_is_folder(folder)
    place = place_of(folder, RESULT)
    record = parsed_document(bytes_of_file(folder, RESULT, LARGEST), place)
    kind, found = record.get("kind"), record.get("schema_version")
    if kind != KIND:
        raise StoreError(
            OTHER_KIND.format(place=place, kind="of no kind" if kind is None else f"of kind {shown(str(kind))}")
        )
    if isinstance(found, bool) or not isinstance(found, int) or not 1 <= found < 2**63:
        raise wrong_field(place, "schema_version", found, f"{SCHEMA_VERSION}")
    if found > SCHEMA_VERSION:
        raise StoreError(NEWER.format(place=place, found=found, jaxscale=_version(), known=SCHEMA_VERSION))
    if found < SCHEMA_VERSION:
        raise StoreError(OLDER.format(place=place, found=found, known=SCHEMA_VERSION))
    try:
        own = sha256_of(record)
    except ValueError:  # a literal such as 1e999
        own = "no number"
    if record.get("sha256") != own:
        expected = shown(str(record.get("sha256"))[:16])
        raise StoreError(EDITED.format(place=place, found=own[:16], expected=expected))
    return record


def arrays_in(folder: Path, size: int, sha256: str) -> Archive:
    """Return the arrays of arrays.npz; raise StoreError unless it has that size and hash."""
    data = bytes_of_file(folder, ARRAYS, int(opening.MEMORY_LIMIT / _COPIES))
    place = place_of(folder, ARRAYS)
    if len(data) != size:
        raise StoreError(OTHER_SIZE.format(place=place, found=len(data), expected=size))
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        parts = {"found": found[:16], "expected": shown(sha256[:16])}
        raise StoreError(OTHER_HASH.format(place=place, result=RESULT, **parts))
    return archive_of(data, place=place)


def is_own(folder: Path, digest: str) -> bool:
    """Return whether a folder holds the result of the computation with this name."""
    try:
        return record_in(folder).get("digest") == digest
    except StoreError:
        return False


def place_of(folder: Path, name: str) -> str:
    """Return a file of the folder as messages name it."""
    return shown_name(str(folder / name))


def parsed_document(data: bytes, place: str) -> dict[str, object]:
    """Return the top object of a document; raise StoreError for NaN literals, doubled keys, depth above 64, or no JSON.

    data: at most LARGEST bytes, checked.   place: the file's name, for messages.
    """
    if len(data) > LARGEST:
        raise StoreError(TOO_LONG.format(place=place, limit=LARGEST // 1_000_000))
    try:
        top = json.loads(data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant)
        if _is_deeper(top, DEEPEST):
            raise RecursionError
    except (ValueError, RecursionError) as error:
        raise StoreError(NOT_JSON.format(place=place, reason=_reason(error))) from error
    if not isinstance(top, dict):
        raise StoreError(NOT_JSON.format(place=place, reason="not an object"))
    return top


def _is_deeper(value: object, levels: int) -> bool:
    """Return whether lists and objects nest deeper than so many levels."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return inner is not None and (levels == 0 or any(_is_deeper(one, levels - 1) for one in inner))


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a key occurs twice")
    return fields


def _no_constant(word: str) -> float:
    raise ValueError(f"the literal {word}")


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not text"
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}"
    if isinstance(error, RecursionError):
        return f"nested deeper than {DEEPEST}"
    return str(error)[:80]


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


def _check_is_folder(folder: Path) -> None:
    place = shown_name(str(folder))
    try:
        mode = os.stat(folder).st_mode
    except (FileNotFoundError, ValueError) as error:  # ValueError: a NUL in the name
        raise StoreError(NO_FOLDER.format(place=place, meant=near_path(folder))) from error
    except OSError as error:
        raise StoreError(NOT_READABLE.format(place=place, reason=error.strerror)) from error
    if not stat.S_ISDIR(mode):
        raise StoreError(NOT_A_FOLDER.format(place=place, result=RESULT, arrays=ARRAYS))


def bytes_of_file(folder: Path, name: str, limit: int) -> bytes:
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


@contextmanager
def told_reasons(folder: Path) -> Iterator[None]:
    """Turn an error of the file system into a StoreError with the reason."""
    try:
        yield
    except StoreError:
        raise
    except (OSError, ValueError) as error:
        reason = error.strerror or type(error).__name__ if isinstance(error, OSError) else "a NUL in the name"
        raise StoreError(NOT_WRITTEN.format(place=shown_name(str(folder)), reason=reason)) from error

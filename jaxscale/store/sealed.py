"""A JSON document with the digest of its own fields: written, and read only where nobody edited it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from jaxscale.errors import StoreError
from jaxscale.store.folder import absolute_path, parsed_document, sha256_of, told_reasons
from jaxscale.text import Json, shown_name

THERE = "{place}: exists and is not empty: choose another folder, or let it be replaced with --force"
EDITED = "{place}: is not what was saved: the SHA-256 of its fields is {found}…, and it names {expected}…"


def free_place(folder: str | Path, *, force: bool) -> Path:
    """Return the folder's absolute path; raise StoreError for one that is not empty, unless by force."""
    target = absolute_path(folder)
    with told_reasons(target):
        if not force and target.exists() and any(target.iterdir()):
            raise StoreError(THERE.format(place=shown_name(str(target))))
    return target


def sealed_text(kind: str, version: int, fields: Mapping[str, Json]) -> str:
    """Return the text of a document of this kind and version, with its digest."""
    whole: dict[str, Json] = {"kind": kind, "schema_version": version, **fields}
    return json.dumps({**whole, "sha256": sha256_of(whole)}, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def unsealed(data: bytes, place: str, kind: str, version: int, *, otherwise: str) -> dict[str, object]:
    """Return the fields of a document; raise StoreError for one that was edited.

    place: the file's name, for messages.   otherwise: what is said of a document of another kind or version.
    """
    record = parsed_document(data, place)
    if record.get("kind") != kind or record.get("schema_version") != version:
        raise StoreError(otherwise)
    check_seal(record, place, otherwise=otherwise)
    return record


def check_seal(record: Mapping[str, object], place: str, *, otherwise: str, edited: str = EDITED) -> None:
    """Raise StoreError unless a document has the digest of its fields.   edited: what is said of one that has not."""
    try:
        found, expected = sha256_of(record), str(record.get("sha256"))
    except ValueError as error:
        raise StoreError(otherwise) from error
    if found != expected:
        raise StoreError(edited.format(place=place, found=found[:12], expected=expected[:12]))

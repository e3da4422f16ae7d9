"""Values packed into the bytes of one archive, their JSON among its arrays: for other processes, and for files."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxscale.store.archive import Archive, archive_of, write_archive
from jaxscale.store.codec import Reader, Writer
from jaxscale.store.folder import parsed_document
from jaxscale.store.specs import Known
from jaxscale.text import Json

RECORD = "record"
"""The array of the archive that holds the JSON document of the rest."""


def packed(**parts: tuple[object, Any]) -> bytes:
    """Return an archive of values by name, each with its type; equal values make equal bytes."""
    arrays: dict[str, np.ndarray] = {}
    writer = Writer(arrays)
    record = {name: writer.write(value, hint, name) for name, (value, hint) in parts.items()}
    return packed_record(record, arrays)


def packed_record(record: Mapping[str, Json], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return an archive of a record and its arrays."""
    text = json.dumps(record, ensure_ascii=True, allow_nan=False).encode("ascii")
    buffer = io.BytesIO()
    write_archive(buffer, {RECORD: np.frombuffer(text, np.uint8), **arrays})
    return buffer.getvalue()


def unpacked(data: bytes, own: Mapping[type, tuple], place: str) -> tuple[Reader, dict[str, object]]:
    """Return the reader and the record of an archive of `packed`."""
    archive = archive_of(data, place=place)
    record = parsed_document(archive.arrays.get(RECORD, np.zeros(0, np.uint8)).tobytes(), place)
    rest = {name: array for name, array in archive.arrays.items() if name != RECORD}
    return Reader(Known(own, place), Archive(rest, place), place), record

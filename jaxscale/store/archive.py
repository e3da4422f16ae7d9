"""arrays.npz: plain numeric arrays, uncompressed, written without pickle and read without trusting a header."""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jaxscale.errors import StoreError

DAMAGED = "{place}: is not an archive as jaxscale writes it ({reason}); fit again"
ARRAY_MISSING = "{place}: the array {name} is missing; fit again"
TEXT_DAMAGED = "{place}: the text {name} cannot be read; fit again"

DTYPES = tuple(np.dtype(code) for code in ("<f8", "<i8", "<i4", "|i1", "|u1", "|b1"))

_PREFIX = 10
"""Bytes before the header's text: magic, version and its length."""
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00(?P<length>..)\{'descr': '(?P<descr><f8|<i8|<i4|\|i1|\|u1|\|b1)', 'fortran_order': False, "
    rb"'shape': \((?P<shape>(?:\d{1,18}(?:, \d{1,18})*,?)?)\), \} *\n",
    re.DOTALL,
)
"""What np.lib.format writes for DTYPES, and nothing else: its own reader allocates what a header claims."""


@dataclass(frozen=True)
class Archive:
    """Arrays by name.   place: the file's name, for messages."""

    arrays: Mapping[str, np.ndarray]
    place: str


def write_archive(path: Path | io.BytesIO, arrays: Mapping[str, np.ndarray]) -> None:
    """Write the arrays to a new file, or to memory, that np.load also reads; equal arrays make equal bytes.

    arrays: name → array of one of DTYPES, in any byte order and layout.   Raises TypeError for any other dtype.
    """
    with zipfile.ZipFile(path, "x", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(array.shape)
            if plain.dtype not in DTYPES:
                raise TypeError(f"{name} has dtype {array.dtype}")
            member = zipfile.ZipInfo(f"{name}.npy")  # dated 1980, so that bytes do not depend on the clock
            with archive.open(member, "w", force_zip64=True) as handle:
                np.lib.format.write_array(handle, plain, version=(1, 0), allow_pickle=False)


def archive_of(data: bytes, *, place: str) -> Archive:
    """Return every array of an archive; raise StoreError for compressed, doubled, overlong or non-numeric members.

    A member is stored, not compressed, so nothing in it can be larger than the file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            names = [member.filename.removesuffix(".npy") for member in members]
            if len(set(names)) < len(names):
                raise ValueError("an array occurs twice")
            if any(member.compress_type != zipfile.ZIP_STORED for member in members):
                raise ValueError("a member is compressed")
            if sum(member.file_size for member in members) > len(data):
                raise ValueError("its members are longer than the file")
            arrays = {name: _array(archive.read(member)) for name, member in zip(names, members, strict=True)}
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, RuntimeError, MemoryError) as error:
        raise StoreError(DAMAGED.format(place=place, reason=str(error)[:80] or type(error).__name__)) from error
    return Archive(arrays, place)


def text_arrays(name: str, texts: np.ndarray) -> dict[str, np.ndarray]:
    """Return cells of text as numbers: their UTF-8 bytes, one after another, and where each cell ends, (n,) int64.

    One long cell then does not make every cell long.   texts: (n,) object array of str.   A lone surrogate is kept, as
    three bytes.   Raises TypeError for other objects.
    """
    cells = []
    for text in texts.tolist():
        if not isinstance(text, str):
            raise TypeError(f"{name} holds {type(text).__name__}, not str")
        cells.append(text.encode("utf-8", "surrogatepass"))
    ends = np.cumsum([len(cell) for cell in cells], dtype=np.int64)
    return {f"{name}.utf8": np.frombuffer(b"".join(cells), np.uint8), f"{name}.ends": ends}


def array_of(archive: Archive, name: str) -> np.ndarray:
    """Return an array, of numbers or of texts; raise StoreError where there is none, or texts do not fit their ends."""
    parts = [archive.arrays.get(f"{name}{suffix}") for suffix in (".utf8", ".ends", "")]
    data, ends, array = parts
    if data is not None and ends is not None:
        return _texts(data, ends, TEXT_DAMAGED.format(place=archive.place, name=name))
    if array is None:
        raise StoreError(ARRAY_MISSING.format(place=archive.place, name=name))
    return array


def _texts(data: np.ndarray, ends: np.ndarray, refusal: str) -> np.ndarray:
    """Return the cells (n,) as an object array of str."""
    if data.dtype != np.uint8 or ends.dtype != np.int64 or data.ndim != 1 or ends.ndim != 1:
        raise StoreError(refusal)
    bounds, whole = np.concatenate([[0], ends]), data.tobytes()
    texts = np.empty(len(ends), dtype=object)
    try:
        if np.any(np.diff(bounds) < 0) or bounds[-1] != len(whole):
            raise ValueError
        texts[:] = [whole[start:end].decode("utf-8", "surrogatepass") for start, end in zip(bounds, ends, strict=False)]
    except ValueError as error:
        raise StoreError(refusal) from error
    return texts


def _array(member: bytes) -> np.ndarray:
    """Return the array of one .npy file; its length is compared with the header's before anything is allocated."""
    header = _HEADER.match(member)
    if header is None or int.from_bytes(header["length"], "little") != header.end() - _PREFIX:
        raise ValueError("an array is not plain numbers")
    dtype = np.dtype(header["descr"].decode("ascii"))
    shape = tuple(int(length) for length in header["shape"].split(b",") if length)
    if math.prod(shape) * dtype.itemsize != len(member) - header.end():
        raise ValueError("an array is shorter or longer than it says")
    return np.frombuffer(member, dtype, offset=header.end()).reshape(shape).copy()

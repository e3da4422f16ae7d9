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
from numpy.typing import ArrayLike

from jaxscale.errors import StoreError
from jaxscale.store.promises import ANYTHING, Promise, broken

DAMAGED = "{place}: is not an archive as jaxscale writes it ({reason}); fit again"
ARRAY_MISSING = "{place}: the array {name} is missing; fit again"
ARRAY_BROKEN = "{place}: the array {name} holds {found} at {index}, not what is {expected}; fit again"
ARRAY_WRONG = "{place}: the array {name} is {found}, not {expected}; fit again"

DTYPES = tuple(np.dtype(code) for code in ("<f8", "<i8", "<i4", "|i1", "|u1"))

_PREFIX = 10
"""Bytes before the header's text: magic, version and its length."""
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00(?P<length>..)\{'descr': '(?P<descr><f8|<i8|<i4|\|i1|\|u1)', 'fortran_order': False, "
    rb"'shape': \((?P<shape>(?:\d{1,18}(?:, \d{1,18})*,?)?)\), \} *\n",
    re.DOTALL,
)
"""What np.lib.format writes for DTYPES, and nothing else: its own reader would evaluate the header as Python."""

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Archive:
    """Arrays by name.   place: the file's name, for messages."""

    arrays: Mapping[str, np.ndarray]
    place: str

    def floats(self, name: str, shape: Shape, promise: Promise = ANYTHING, where: ArrayLike = True) -> np.ndarray:
        """Return a float64 array of that shape, None standing for any length; raise StoreError for another.

        promise: what is kept by every number, or those of `where`, which broadcasts.
        """
        return self.array(name, shape, "<f8", promise=promise, where=where)

    def array(
        self, name: str, shape: Shape, *dtypes: str, promise: Promise = ANYTHING, where: ArrayLike = True
    ) -> np.ndarray:
        """Return an array of that shape and one of these dtypes; raise StoreError for another, or for none."""
        if name not in self.arrays:
            raise StoreError(ARRAY_MISSING.format(place=self.place, name=name))
        array = self.arrays[name]
        fits = len(shape) == array.ndim and all(
            wanted in (None, found) for wanted, found in zip(shape, array.shape, strict=True)
        )
        if not fits or array.dtype not in [np.dtype(code) for code in dtypes]:
            lengths = ", ".join("any" if length is None else str(length) for length in shape)
            raise self.wrong(name, f"{' or '.join(np.dtype(code).name for code in dtypes)} ({lengths})")
        place = broken(array, promise, where)
        if place is not None:
            shown = {"found": array[place].item(), "index": ", ".join(map(str, place)), "expected": promise.words}
            raise StoreError(ARRAY_BROKEN.format(place=self.place, name=name, **shown))
        return array

    def wrong(self, name: str, expected: str) -> StoreError:
        """Return the error for an invalid array."""
        found = f"{self.arrays[name].dtype.name} {self.arrays[name].shape}"
        return StoreError(ARRAY_WRONG.format(place=self.place, name=name, found=found, expected=expected))


def write_archive(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write the arrays to a new file that np.load also reads; equal arrays make equal bytes.

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

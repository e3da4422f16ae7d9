"""The parts of a large study: one .npy file each, a record of columns, read as a memory map one column at a time."""

from __future__ import annotations

import hashlib
import io
import mmap
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jaxscale.errors import StoreError
from jaxscale.intervals.blocks import Blocks
from jaxscale.refitting import Refits
from jaxscale.results import Fit
from jaxscale.status import Status
from jaxscale.store.folder import place_of
from jaxscale.store.manifest import PARTS, KeptPart

BLOCK = 1 << 22
"""Bytes hashed at a time."""

SMALL = ("value", "status", "steps", "is_open")
"""Columns that an ensemble holds in memory."""

PART_GONE = "{place}: is missing; jaxscale bootstrap {study} makes it again, and nothing else"
PART_DAMAGED = (
    "{place}: is not what was saved: {reason}.\njaxscale bootstrap {study} makes this part again, and nothing else."
)


def part_dtype(coefs: int, count: int, *, covariance: bool) -> np.dtype:
    """Return the dtype of a part: one record, whose columns each lie together, so that one is read without the others.

    coefs: p, of the law.   count: k, replicates of the part.
    """
    spread = [("covariance", "<f8", (count, coefs, coefs))] if covariance else []
    return np.dtype(
        [
            ("coefs", "<f8", (coefs, count)),
            ("value", "<f8", (count,)),
            *spread,
            ("steps", "<i4", (count,)),
            ("status", "|i1", (count,)),
            ("is_open", "|b1", (coefs, count)),
        ]
    )


def record_of(fit: Fit, refits: Refits) -> np.ndarray:
    """Return the record (1,) of refits, a coef that is fixed exactly at its value."""
    count, coefs = refits.coefs.shape
    record = np.zeros(1, part_dtype(coefs, count, covariance=refits.covariance is not None))
    one = record[0]
    for name in record.dtype.names or ():
        values = getattr(refits, name)
        one[name] = values.T if name in ("coefs", "is_open") else values
    for at, name in enumerate(fit.law.names):
        if name in fit.fixed:
            one["coefs"][at] = fit.coefs[name]
    return record


def joined_records(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the record of the replicates of both, one behind the other."""
    coefs = first["coefs"].shape[1]
    count = first["value"].shape[1] + second["value"].shape[1]
    covariance = "covariance" in (first.dtype.names or ())
    record = np.zeros(1, part_dtype(coefs, count, covariance=covariance))
    for name in record.dtype.names or ():
        axis = 1 if name in ("coefs", "is_open") else 0
        record[0][name] = np.concatenate([first[0][name], second[0][name]], axis=axis)
    return record


def part_bytes(record: np.ndarray) -> bytes:
    """Return the bytes of the file of a record, which np.load reads; equal records make equal bytes."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, record, version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def kept_part(data: bytes, start: int, stop: int, backend: str) -> KeptPart:
    """Return the entry of a part in the manifest."""
    return KeptPart(start, stop, len(data), hashlib.sha256(data).hexdigest(), backend)


def fault_of(folder: Path, part: KeptPart) -> str | None:
    """Return what is wrong with the file of a part: missing, of another length, or other bytes; None where nothing."""
    path = folder / PARTS / part.name
    try:
        size = path.stat().st_size
        if size != part.bytes:
            return f"it has {size:,} bytes where {part.bytes:,} were written"
        with open(path, "rb") as handle:
            found = hashlib.file_digest(handle, "sha256").hexdigest()
    except FileNotFoundError:
        return "it is missing"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return None if found == part.sha256 else f"its SHA-256 is {found[:12]}…, and the manifest names {part.sha256[:12]}…"


def check_parts(folder: Path, parts: Sequence[KeptPart]) -> None:
    """Raise StoreError for the first part whose file is missing or not what the manifest names."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # hashing lets other threads run
        reasons = list(pool.map(lambda part: fault_of(folder, part), parts))
    for part, reason in zip(parts, reasons, strict=True):
        if reason is not None:
            place, study = place_of(folder / PARTS, part.name), place_of(folder.parent, folder.name)
            raise StoreError(PART_DAMAGED.format(place=place, reason=reason, study=study))


@dataclass(frozen=True)
class Columns:
    """The parts of a study, read a column at a time: each file is mapped, copied from, and let go.

    coefs: p, of the law.   has_covariance: whether the parts hold covariances.
    """

    folder: Path
    parts: tuple[KeptPart, ...]
    coefs: int
    has_covariance: bool

    def record(self, part: KeptPart) -> np.ndarray:
        """Return the record (1,) of a part, mapped; raise StoreError where there is no such file, or another one.

        The header is not read: what `check_parts` or a commit vouched for has the length that the manifest names.
        """
        dtype = part_dtype(self.coefs, part.stop - part.start, covariance=self.has_covariance)
        try:
            with open(
                f"{self.folder}/{PARTS}/{part.name}", "rb"
            ) as handle:  # a path's own methods take longer than a map
                size = os.fstat(handle.fileno()).st_size
                if not dtype.itemsize <= size == part.bytes:
                    raise self._fault(PART_DAMAGED, part, reason="it has another length")
                whole = mmap.mmap(handle.fileno(), size, access=mmap.ACCESS_READ)
        except FileNotFoundError as error:
            raise self._fault(PART_GONE, part) from error
        except OSError as error:
            raise self._fault(PART_DAMAGED, part, reason=f"it cannot be read ({error.strerror})") from error
        return np.frombuffer(whole, dtype, 1, size - dtype.itemsize)

    def _fault(self, text: str, part: KeptPart, **words: str) -> StoreError:
        place, study = place_of(self.folder / PARTS, part.name), place_of(self.folder.parent, self.folder.name)
        return StoreError(text.format(place=place, study=study, **words))

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self.record(part) for part in self.parts)

    def whole(self, name: str, at: int | None = None) -> np.ndarray:
        """Return a column of all parts (R, …), in their order; at: which coef, of coefs or is_open."""
        found = [np.array(one[0][name] if at is None else one[0][name][at]) for one in self]
        return np.concatenate(found) if found else self._nothing(name)

    def small(self) -> dict[str, np.ndarray]:
        """Return value, status, steps (R,) and is_open (p, R) of all parts, each file opened once."""
        dtype, count = part_dtype(self.coefs, 1, covariance=False), sum(part.stop - part.start for part in self.parts)
        found = {name: np.empty((*dtype[name].shape[:-1], count), dtype[name].base) for name in SMALL}
        begin = 0
        for part, one in zip(self.parts, self, strict=True):
            end = begin + part.stop - part.start
            for name, column in found.items():
                column[..., begin:end] = one[0][name]
            begin = end
        return found

    def _nothing(self, name: str) -> np.ndarray:
        dtype = part_dtype(self.coefs, 1, covariance=self.has_covariance)[name]
        return np.zeros((0, *dtype.shape[1:]), dtype.base) if name == "covariance" else np.zeros(0, dtype.base)


class CoefsInParts(Mapping[str, np.ndarray]):
    """Name → (R,), of the coefs of a large study; each look-up reads one column, and keeps nothing."""

    def __init__(self, names: tuple[str, ...], columns: Columns) -> None:
        self._names, self._columns = names, columns

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._names:
            raise KeyError(name)
        return self._columns.whole("coefs", self._names.index(name))

    def __contains__(self, name: object) -> bool:  # a mapping's own reads the column
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def blocks(self, name: str) -> Blocks:
        """Return one coef's replicates, NaN where one is not usable or the coef has no value in it, part by part."""
        at, columns = self._names.index(name), self._columns

        def read() -> Iterator[np.ndarray]:
            for part in columns:
                has_value = (part[0]["status"] <= Status.AT_BOUND) & ~part[0]["is_open"][at]
                yield np.where(has_value, part[0]["coefs"][at], np.nan)

        return Blocks((sum(part.stop - part.start for part in columns.parts),), read)

    def __repr__(self) -> str:
        return f"<coefs in parts: {', '.join(self._names)}>"

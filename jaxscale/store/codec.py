"""Dataclasses to strict JSON and plain arrays and back, field by field, by the types that the fields declare.

An array is written in JSON as its name in the archive, which is its path; a mapping of arrays as the list of its keys,
so that no header becomes a file name. Numbers come back bit for bit: NaN is null, or "nan" where null says that there
is none.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from pathlib import PurePosixPath, PureWindowsPath
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.errors import StoreError
from jaxscale.laws import Law
from jaxscale.objectives import Objective
from jaxscale.resampling import Fitted, Scheme
from jaxscale.results import Ensemble, Fit, Frontier
from jaxscale.runs import Origin
from jaxscale.status import Status
from jaxscale.store.archive import Archive, array_of, text_arrays
from jaxscale.store.promises import PROMISES, Promise
from jaxscale.store.specs import FORMS, Known, form_of, wrong_field
from jaxscale.text import Json, shown

FIELD_MISSING = "{place}: {field} is missing, so the file is damaged or was not written by jaxscale; fit again"

ARRAY_BROKEN = "{place}: the array {name} holds {found} at {index}, not what is {expected}; fit again"
ARRAY_WRONG = "{place}: the array {name} is {found}, not {expected}; fit again"

WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
LARGEST = sys.float_info.max
STATUSES = {str(status): status for status in Status}
GIVEN: Mapping[type, tuple[str, ...]] = {Fit: ("common",), Ensemble: ("fit", "whole", "replicate"), Frontier: ("law",)}
"""Fields that are not written: the reader passes them, from the enclosing record."""
LATER: Mapping[type, tuple[str, ...]] = {Ensemble: ("profile",), Frontier: ("profile", "exponents")}
"""Fields that came to a schema later: a record without one was written before, and has what the field has by itself."""


@cache
def hints_of(kind: type) -> dict[str, Any]:
    """Return field → type of a dataclass; what its module imports for types alone is known here."""
    own = get_type_hints(kind, localns={"Law": Law, "Objective": Objective, "Scheme": Scheme, "Fitted": Fitted})
    return {one.name: own[one.name] for one in fields(kind)}


@dataclass(frozen=True)
class Writer:
    """Writes values, and collects their arrays, name → array."""

    arrays: dict[str, np.ndarray]

    def write(self, value: Any, hint: Any, path: str) -> Json:  # noqa: ANN401 - of the type that hint says
        """Return a value of that type as JSON; path: where it stands, of which its arrays get their names."""
        if is_optional(hint):
            if isinstance(value, float) and math.isnan(value):
                return "nan"
            return None if value is None else self.write(value, inner(hint), path)
        origin, kinds = get_origin(hint) or hint, get_args(hint)
        if hint is np.ndarray:
            return self._array(value, path)
        if origin is tuple:
            one = kinds[0]
            return [self.write(item, one, f"{path}[{at}]") for at, item in enumerate(value)]
        if origin is Mapping and kinds[1] is np.ndarray:
            for at, array in enumerate(value.values()):
                self._array(array, f"{path}.{at}")
            return list(value)
        if origin is Mapping:
            return {key: self.write(item, kinds[1], f"{path}.{key}") for key, item in value.items()}
        if hint is Fitted:
            return self.write(value._asdict(), Mapping[str, np.ndarray], path)
        if hint in FORMS:
            return self.write(form_of(value), FORMS[hint], path)
        if hint is Status:
            return str(value)
        if is_dataclass(hint):
            return self._dataclass(value, hint, path)
        if hint is float:
            number = float(value)
            return number if math.isfinite(number) else None if math.isnan(number) else str(number)
        return hint(value)

    def _dataclass(self, value: object, kind: Any, path: str) -> Json:  # noqa: ANN401 - a dataclass
        if isinstance(value, Origin):
            value = replace(value, source=without_machine(value.source))
        own = {name: hint for name, hint in hints_of(kind).items() if name not in GIVEN.get(kind, ())}
        return {name: self.write(getattr(value, name), hint, f"{path}.{name}") for name, hint in own.items()}

    def _array(self, array: np.ndarray, path: str) -> str:
        if array.dtype == object:
            self.arrays.update(text_arrays(path, array))
        else:
            self.arrays[path] = array.astype(np.float64) if array.dtype.kind == "f" else array
        return path


@dataclass(frozen=True)
class Reader:
    """Reads what Writer wrote; errors are StoreErrors that name the field.   place: the document, for messages."""

    known: Known
    archive: Archive
    place: str

    def field(self, record: Mapping[str, object], key: str, hint: Any, path: str = "", **given: object) -> Any:  # noqa: ANN401
        """Return one field of an object; path: that of the object, "fit." or "" at the top."""
        if key not in record:
            raise StoreError(FIELD_MISSING.format(place=self.place, field=shown(path + key, limit=80)))
        return self.read(record[key], hint, path + key, **given)

    def read(self, value: object, hint: Any, path: str, **given: object) -> Any:  # noqa: ANN401
        """Return a value of that type from JSON.   given: the fields of GIVEN, by name."""
        if is_optional(hint):
            return None if value is None else self.read(value, inner(hint), path, **given)
        origin, kinds = get_origin(hint) or hint, get_args(hint)
        if hint is np.ndarray:
            return self._array(value, path)
        if origin is tuple:
            found = self._list(value, path, None if kinds[-1] is Ellipsis else len(kinds))
            return tuple(self.read(item, kinds[0], f"{path}[{at}]", **given) for at, item in enumerate(found))
        if origin is Mapping and kinds[1] is np.ndarray:
            names = self.read(value, tuple[str, ...], path)
            if len(set(names)) < len(names):
                raise self.wrong(path, value, "a list of different names")
            return {name: array_of(self.archive, f"{path}.{at}") for at, name in enumerate(names)}
        if origin is Mapping:
            record = self._object(value, path)
            return {key: self.read(item, kinds[1], f"{path}.{key}", **given) for key, item in record.items()}
        if hint is Fitted:
            found = self.read(value, Mapping[str, np.ndarray], path)
            if tuple(found) != Fitted._fields:
                raise self.wrong(path, value, "the names " + ", ".join(Fitted._fields))
            return Fitted(**found)
        if hint in FORMS:
            return self.known.spec_of(hint, self.read(value, FORMS[hint], path), path)
        if hint is Status:
            if not isinstance(value, str) or value not in STATUSES:
                raise self.wrong(path, value, "one of " + ", ".join(STATUSES))
            return STATUSES[value]
        if is_dataclass(hint):
            return self._dataclass(self._object(value, path), hint, path, given)
        return value if hint is object else self._scalar(value, hint, path)

    def keep(self, value: object, promise: Promise, path: str, where: ArrayLike = True) -> None:
        """Raise StoreError where a number, or one of those in it, breaks a promise, or an array has another dtype.

        where: bool, of the shape of an array or what broadcasts to it: of which of its numbers it is asked.
        """
        if isinstance(value, Mapping):
            is_arrays = any(isinstance(item, np.ndarray) for item in value.values())
            for at, (name, item) in enumerate(value.items()):
                self.keep(item, promise, f"{path}.{at if is_arrays else name}")
        elif isinstance(value, tuple):
            for at, item in enumerate(value):
                self.keep(item, promise, f"{path}[{at}]")
        elif isinstance(value, np.ndarray):
            if value.dtype not in promise.dtypes:
                raise self.wrong_array(value, path, _described(promise.dtypes, value.shape))
            places = np.argwhere(~promise.is_kept(value) & np.asarray(where))
            if len(places):
                place = tuple(int(index) for index in places[0])
                found = value.view(np.int8)[place] if value.dtype == bool else value[place]
                told = {"found": found, "index": ", ".join(map(str, place)), "expected": promise.words}
                raise StoreError(ARRAY_BROKEN.format(place=self.archive.place, name=path, **told))
        elif value is not None and not promise.is_kept(np.array(value)):
            raise self.wrong(path, value, promise.words)

    def shape(self, array: np.ndarray, shape: tuple[int | None, ...], path: str) -> None:
        """Raise StoreError for an array of another shape, None standing for any length."""
        fits = len(shape) == array.ndim and all(
            wanted in (None, found) for wanted, found in zip(shape, array.shape, strict=True)
        )
        if not fits:
            raise self.wrong_array(array, path, _described((array.dtype.type,), shape))

    def wrong(self, path: str, value: object, expected: str) -> StoreError:
        """Return the error for an invalid field."""
        return wrong_field(self.place, path, value, expected)

    def wrong_array(self, array: np.ndarray, path: str, expected: str) -> StoreError:
        """Return the error for an invalid array."""
        found = f"{array.dtype.name} {array.shape}"
        return StoreError(ARRAY_WRONG.format(place=self.archive.place, name=path, found=found, expected=expected))

    def _dataclass(self, record: Mapping[str, object], kind: Any, path: str, given: Mapping[str, object]) -> object:  # noqa: ANN401
        left_out = GIVEN.get(kind, ())
        absent = [name for name in LATER.get(kind, ()) if name not in record]
        own = {name: hint for name, hint in hints_of(kind).items() if name not in (*left_out, *absent)}
        found = {name: self.field(record, name, hint, f"{path}.", **given) for name, hint in own.items()}
        for name, promise in PROMISES.get(kind, {}).items():
            self.keep(found.get(name), promise, f"{path}.{name}")
        return kind(**found, **{name: given[name] for name in left_out})

    def _scalar(self, value: object, hint: type, path: str) -> object:
        if hint is float:
            number = math.nan if value is None else WORDS.get(value) if isinstance(value, str) else value
            is_literal = isinstance(value, int | float) and not abs(value) <= LARGEST  # such as 1e999
            if isinstance(number, bool) or not isinstance(number, int | float) or is_literal:
                raise self.wrong(path, value, "a number")
            return float(number)
        if hint is int and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63):
            raise self.wrong(path, value, "a count")
        if not isinstance(value, hint):
            raise self.wrong(path, value, {str: "a text", bool: "true or false"}[hint])
        return value

    def _list(self, value: object, path: str, length: int | None) -> list[object]:
        if not isinstance(value, list) or length not in (None, len(value)):
            raise self.wrong(path, value, "a list" if length is None else f"a list of {length}")
        return value

    def _object(self, value: object, path: str) -> dict[str, object]:
        if not isinstance(value, dict):
            raise self.wrong(path, value, "an object")
        return value

    def _array(self, value: object, path: str) -> np.ndarray:
        if value != path:
            raise self.wrong(path, value, "the name of its array")
        return array_of(self.archive, path)


def is_optional(hint: object) -> bool:
    """Return whether a type is one with None."""
    return get_origin(hint) in (Union, UnionType) and NoneType in get_args(hint)


def inner(hint: object) -> object:
    """Return the type of `X | None` without None."""
    return next(kind for kind in get_args(hint) if kind is not NoneType)


def without_machine(source: str) -> str:
    """Return a source without the folders of this machine, which say nothing elsewhere and may name people."""
    for kind in (PurePosixPath, PureWindowsPath):
        if kind(source).is_absolute():
            return kind(source).name or source
    return source


def _described(dtypes: Sequence[type], shape: Sequence[int | None]) -> str:
    """Return what an array should be, as "float64 (9)"."""
    kinds = " or ".join("text" if np.dtype(kind) == object else np.dtype(kind).name for kind in dtypes)
    return f"{kinds} ({', '.join('any' if length is None else str(length) for length in shape)})"

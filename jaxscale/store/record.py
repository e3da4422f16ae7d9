"""A JSON object with its place in the file, so that a wrong value is refused by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from jaxscale.errors import StoreError
from jaxscale.store.promises import ANYTHING, Promise
from jaxscale.store.scalars import number_of
from jaxscale.text import shown, shown_name

FIELD_MISSING = "{place}: {field} is missing, so the file is damaged or was not written by jaxscale; fit again"
FIELD_WRONG = "{place}: {field} is {found}, not {expected}, so the file is damaged; fit again"

T = TypeVar("T")


@dataclass(frozen=True)
class Record:
    """The fields of one JSON object; every reader raises StoreError for a field that is absent or of another kind.

    place: the file, for messages.   path: the fields that lead here, "fit.certificate." or "" at the top.
    """

    fields: Mapping[str, object]
    place: str
    path: str = ""

    def text(self, key: str) -> str:
        """Return a string."""
        return self._read(key, "a text", _text)

    def optional_text(self, key: str) -> str | None:
        """Return a string, None for null."""
        return self._read(key, "a text or null", lambda value: None if value is None else _text(value))

    def number(self, key: str, promise: Promise = ANYTHING) -> float:
        """Return a number that keeps a promise, NaN for null."""
        number = self.optional_number(key)
        number = math.nan if number is None else number
        if not promise.is_kept(np.array(number)):
            raise self.wrong(key, promise.words)
        return number

    def optional_number(self, key: str, promise: Promise = ANYTHING) -> float | None:
        """Return a number that keeps a promise, None for null."""
        number = self._read(key, "a number", number_of)
        if number is not None and not promise.is_kept(np.array(number)):
            raise self.wrong(key, promise.words)
        return number

    def count(self, key: str) -> int:
        """Return an integer, zero or more."""
        return self._read(key, "a count", _count)

    def flag(self, key: str) -> bool:
        """Return true or false."""
        return self._read(key, "true or false", _flag)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of strings."""
        return self._read(key, "a list of texts", lambda value: tuple(_text(one) for one in _list(value)))

    def counts(self, key: str) -> tuple[int, ...]:
        """Return a list of integers, zero or more."""
        return self._read(key, "a list of counts", lambda value: tuple(_count(one) for one in _list(value)))

    def child(self, key: str) -> Record:
        """Return an object."""
        return Record(self._read(key, "an object", _object), self.place, f"{self.path}{key}.")

    def optional_child(self, key: str) -> Record | None:
        """Return an object, None for null."""
        return None if key in self.fields and self.fields[key] is None else self.child(key)

    def children(self, key: str) -> tuple[Record, ...]:
        """Return a list of objects."""
        found = self._read(key, "a list of objects", lambda value: [_object(one) for one in _list(value)])
        return tuple(Record(one, self.place, f"{self.path}{key}[{index}].") for index, one in enumerate(found))

    def wrong(self, key: str, expected: str) -> StoreError:
        """Return the error for an invalid field."""
        found = shown(str(self.fields.get(key)))
        return StoreError(
            FIELD_WRONG.format(place=self.place, field=shown_name(self.path + key), found=found, expected=expected)
        )

    def _read(self, key: str, expected: str, convert: Callable[[object], T]) -> T:
        if key not in self.fields:
            raise StoreError(FIELD_MISSING.format(place=self.place, field=shown(self.path + key, limit=80)))
        try:
            return convert(self.fields[key])
        except (ValueError, OverflowError) as error:
            raise self.wrong(key, expected) from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError
    return value


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError
    return value

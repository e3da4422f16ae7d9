"""A pandas DataFrame to a raw table, without importing pandas: whoever has a frame has it already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from jaxscale.errors import RunsError, UsageError
from jaxscale.runs.headers import clean_headers
from jaxscale.runs.raw_table import RawTable
from jaxscale.runs.typed import cells_of, digest
from jaxscale.text import shown, shown_name

INDEX_TWICE = (
    "{source}: {name} is a column and a level of the index, with other values; rename one of them, or take "
    "frame.reset_index(drop=True)"
)
INDEX_UNNAMED = (
    "The index of the frame has no name, and is not read: if it holds {roles}, give it that name, "
    "frame.rename_axis({first!r}), and it is a column"
)
NOT_A_FRAME = "from_frame takes a pandas DataFrame, not {kind}; arrays go to Runs.from_arrays, a path to read_runs"


class Column(Protocol):
    """One column of a frame: a pandas Series."""

    def to_numpy(self) -> np.ndarray:
        """Return the values (n,)."""
        ...


class Columns(Protocol):
    """Columns by position."""

    def __getitem__(self, place: tuple[slice, int]) -> Column: ...


class Index(Protocol):
    """The index of a frame."""

    @property
    def names(self) -> Iterable[object]:
        """The names of its levels, None where one has none."""
        ...

    def get_level_values(self, level: int) -> Column:
        """Return the values of one level."""
        ...


class Frame(Protocol):
    """The part of a pandas DataFrame that is used; a DataFrame of pandas 2 or 3 has it."""

    @property
    def columns(self) -> Iterable[object]:
        """The names of the columns."""
        ...

    @property
    def iloc(self) -> Columns:
        """Columns by position: two of the same name can be told apart."""
        ...

    @property
    def index(self) -> Index:
        """The labels of the rows."""
        ...

    def __len__(self) -> int: ...


def raw_table_of_frame(frame: Frame, *, source: str) -> RawTable:
    """Return the cells of a frame, levels of its index that have a name being columns before the others.

    Names of several levels are joined, ("loss", "mean") to "loss mean".   Raises RunsError for duplicate names,
    UsageError for what is no frame.
    """
    if not (hasattr(frame, "columns") and hasattr(frame, "iloc") and hasattr(frame, "index")):
        raise UsageError(NOT_A_FRAME.format(kind=type(frame).__name__))
    own = [_joined(name) for name in frame.columns]
    values = [np.asarray(frame.iloc[:, position].to_numpy()) for position in range(len(own))]
    levels = [(_joined(name), place) for place, name in enumerate(frame.index.names) if name is not None]
    for name, place in reversed(levels):
        level = np.asarray(frame.index.get_level_values(place).to_numpy())
        if own.count(name) != 1:
            own, values = [name, *own], [level, *values]
        elif not _is_same(level, values[own.index(name)]):
            raise RunsError(INDEX_TWICE.format(source=shown_name(source), name=shown(name)))
    names, findings = clean_headers(own, source=shown_name(source))
    columns, stored_as_text = {}, set()
    for name, column in zip(names, values, strict=True):
        columns[name], is_text = cells_of(column)
        if is_text:
            stored_as_text.add(name)
    return RawTable(source, digest(columns), columns, len(frame), None, frozenset(stored_as_text), findings)


def unnamed_index(frame: Frame, missing: Sequence[str]) -> str:
    """Return what to do where a needed column may be the index, whose levels have no names; "" where it is counted."""
    has_none = all(name is None for name in frame.index.names)
    level = np.asarray(frame.index.get_level_values(0).to_numpy())
    is_counted = level.dtype.kind in "iu" and np.array_equal(np.sort(level), np.arange(level.size))
    if not missing or not has_none or is_counted:
        return ""
    return INDEX_UNNAMED.format(roles=" or ".join(missing), first=missing[0])


def _joined(name: object) -> str:
    """Return the name of a column; of one with several levels those that are not empty."""
    return " ".join(str(part) for part in name if str(part)) if isinstance(name, tuple) else str(name)


def _is_same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and all(a == b or (a != a and b != b) for a, b in zip(one, other, strict=True))

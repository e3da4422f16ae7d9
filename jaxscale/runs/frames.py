"""A pandas DataFrame to a sheet, without importing pandas: whoever has a frame has it already."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.runs.headers import clean_headers
from jaxscale.runs.sheet import Sheet
from jaxscale.runs.showing import shown_name
from jaxscale.runs.typed import cells_of, digest

NOT_A_FRAME = "from_frame takes a pandas DataFrame, not {kind}; arrays go to Runs.from_arrays, a path to read_runs"


class Column(Protocol):
    """One column of a frame: a pandas Series."""

    def to_numpy(self) -> np.ndarray:
        """Return the values (n,)."""
        ...


class Columns(Protocol):
    """Columns by position."""

    def __getitem__(self, place: tuple[slice, int]) -> Column: ...


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

    def __len__(self) -> int: ...


def sheet_of_frame(frame: Frame, *, source: str) -> Sheet:
    """Return the cells of a frame; raise RunsError for duplicate names, UsageError for what is no frame."""
    if not (hasattr(frame, "columns") and hasattr(frame, "iloc")):
        raise UsageError(NOT_A_FRAME.format(kind=type(frame).__name__))
    names, findings = clean_headers([str(name) for name in frame.columns], source=shown_name(source))
    columns, stored_as_text = {}, set()
    for position, name in enumerate(names):
        columns[name], is_text = cells_of(np.asarray(frame.iloc[:, position].to_numpy()))
        if is_text:
            stored_as_text.add(name)
    return Sheet(source, digest(columns), columns, len(frame), None, frozenset(stored_as_text), findings)

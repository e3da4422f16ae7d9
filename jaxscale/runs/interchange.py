"""Tables of other libraries: a mapping of columns, what gives Arrow's stream, and what has the interchange protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.errors import MissingDependencyError, RunsError, UsageError
from jaxscale.runs.arrays import WRONG_LENGTH
from jaxscale.runs.cells import RawTable
from jaxscale.runs.typed import cells_of, raw_table_of_arrow, raw_table_of_cells, raw_table_of_frame
from jaxscale.text import shown, shown_name

if TYPE_CHECKING:
    from pandas import DataFrame

NO_PYARROW = (
    "from_frame reads {kind} by way of Arrow, which needs pyarrow, and that is not installed.\n"
    "Install it: pip install 'jaxscale[parquet]'; or give the columns as a dict: {{'params': …, 'loss': …}}"
)
NOT_A_FRAME = (
    "from_frame takes a pandas DataFrame, a frame of polars or pyarrow, or a dict of columns, not {kind}; "
    "arrays go to Runs.from_arrays, a path to read_runs"
)
NOT_A_COLUMN = "{source}: column {name} has shape {shape}; a column of runs is one-dimensional, one cell per run"


@runtime_checkable
class ArrowStream(Protocol):
    """A table that gives its columns by the Arrow PyCapsule interface, as those of polars, pyarrow and DuckDB do."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the capsule of an Arrow stream."""
        ...


@runtime_checkable
class Interchange(Protocol):
    """A table with the dataframe interchange protocol."""

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> object:
        """Return the interchange frame."""
        ...


Tabular: TypeAlias = "DataFrame | Mapping[str, ArrayLike] | ArrowStream | Interchange"
"""Anything that `from_frame` reads."""


def raw_table_of_tabular(table: Tabular, *, source: str) -> RawTable:
    """Return the cells of a table of any library.

    Raises UsageError for what is none, RunsError for columns of several lengths, MissingDependencyError where Arrow is
    needed and pyarrow is not there.
    """
    if hasattr(table, "columns") and hasattr(table, "iloc") and hasattr(table, "index"):
        return raw_table_of_frame(cast("DataFrame", table), source=source)
    if isinstance(table, Mapping):
        return _of_mapping(table, source)
    if not isinstance(table, (ArrowStream, Interchange)):
        raise UsageError(NOT_A_FRAME.format(kind=type(table).__name__))
    try:
        import pyarrow
        from pyarrow import interchange
    except ImportError as error:
        raise MissingDependencyError(NO_PYARROW.format(kind=type(table).__name__)) from error
    arrow = pyarrow.table(table) if isinstance(table, ArrowStream) else interchange.from_dataframe(table)
    return raw_table_of_arrow(arrow, source=source)


def _of_mapping(columns: Mapping[str, ArrayLike], source: str) -> RawTable:
    """Return the cells of a mapping of names to sequences."""
    values = {str(name): _cells(column) for name, column in columns.items()}
    for name, column in values.items():
        if column.ndim != 1:
            raise RunsError(NOT_A_COLUMN.format(source=shown_name(source), name=shown(name), shape=column.shape))
    lengths = {name: len(column) for name, column in values.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{shown(name)} {length}" for name, length in lengths.items())
        raise RunsError(WRONG_LENGTH.format(lengths=told))
    return raw_table_of_cells(
        source, list(values), [cells_of(one) for one in values.values()], [*lengths.values(), 0][0]
    )


def _cells(column: ArrayLike) -> np.ndarray:
    """Return a column as an array; text beside numbers stays what it is."""
    sequence: Any = column
    found = sequence if hasattr(sequence, "dtype") and hasattr(sequence, "shape") else list(sequence)
    array = np.asarray(found)
    if array.dtype.kind not in "US" or array.ndim != 1:
        return array
    mixed = np.empty(len(array), dtype=object)
    mixed[:] = list(found)
    return mixed

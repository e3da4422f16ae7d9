"""Parquet to a raw table, with the optional pyarrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jaxscale.errors import MissingDependencyError, RunsError
from jaxscale.runs import memory
from jaxscale.runs.formats import PARQUET_MAGIC, check_format
from jaxscale.runs.headers import check_not_too_many, clean_headers
from jaxscale.runs.opening import Content
from jaxscale.runs.raw_table import RawTable
from jaxscale.runs.typed import cells_of
from jaxscale.text import shown_name

if TYPE_CHECKING:
    import pyarrow

NO_PYARROW = (
    "{source}: reading Parquet needs pyarrow, which is not installed.\nInstall it: pip install 'jaxscale[parquet]'"
)
NOT_PARQUET = "{source}: does not begin as a Parquet file does; if it is a table in CSV, rename it to end in .csv"
CORRUPT = "{source}: the Parquet file is corrupt, cut short or encrypted; write or download it again"

ENDINGS = (".parquet", ".pq")
BYTES_PER_CELL = 80


def is_parquet_name(name: str) -> bool:
    """Return whether a file of this name is read as Parquet."""
    return name.lower().endswith(ENDINGS)


def raw_table_of_parquet(content: Content) -> RawTable:
    """Return the cells of a Parquet file: decimals and dictionaries by value, nested columns as the name of their type.

    Raises MissingDependencyError without pyarrow, RunsError for a file that cannot be read or is too large for memory.
    """
    source = shown_name(content.source)
    if not content.data.startswith(PARQUET_MAGIC):
        check_format(content.data, source=source)
        raise RunsError(NOT_PARQUET.format(source=source))
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingDependencyError(NO_PYARROW.format(source=source)) from error
    try:
        file = parquet.ParquetFile(pyarrow.BufferReader(content.data))
        facts = file.metadata
        check_not_too_many(facts.num_columns, source=source)
        memory.require(facts.num_rows * facts.num_columns, cost=BYTES_PER_CELL, source=source)
        table = file.read()
        cells = [cells_of(_values(column)) for column in table.columns]
    except RunsError:
        raise
    except Exception as error:  # a damaged file fails in any layer of Arrow, with texts that do not help
        raise RunsError(CORRUPT.format(source=source)) from error
    names, findings = clean_headers(table.column_names, source=source)
    columns = {name: values for name, (values, _) in zip(names, cells, strict=True)}
    stored_as_text = frozenset(name for name, (_, is_text) in zip(names, cells, strict=True) if is_text)
    return RawTable(content.source, content.sha256, columns, table.num_rows, None, stored_as_text, findings)


def _values(column: pyarrow.ChunkedArray) -> np.ndarray:
    import pyarrow

    types = pyarrow.types
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if types.is_floating(kind) or (types.is_integer(kind) and not column.null_count):
        return np.asarray(column.to_numpy())
    if not (types.is_integer(kind) or types.is_decimal(kind) or types.is_boolean(kind) or types.is_null(kind)):
        column = _text(column)
    values = np.empty(len(column), dtype=object)
    values[:] = column.to_pylist()
    return values


def _text(column: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    """Return the column as strings: dates and the like by value, lists, structs and maps as the name of their type."""
    import pyarrow

    if not pyarrow.types.is_nested(column.type):
        try:
            return column.cast(pyarrow.string())
        except pyarrow.ArrowException:
            pass  # binary that is no text, a time zone that is not known here
    return pyarrow.chunked_array([pyarrow.array([str(column.type)] * len(column), pyarrow.string())])

"""Typed tables to raw ones: values of arrays, pandas frames and Parquet files become cells."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxscale.errors import MissingDependencyError, RunsError
from jaxscale.runs.cells import RawTable, check_not_too_many, clean_headers
from jaxscale.runs.numbers import EXACT_BELOW
from jaxscale.runs.opening import PARQUET_MAGIC, Content, check_fits, check_format
from jaxscale.text import shown, shown_name

if TYPE_CHECKING:
    import pyarrow
    from pandas import DataFrame

NOTHING = frozenset({"NoneType", "NAType", "NaTType"})

INDEX_TWICE = (
    "{source}: {name} is a column and a level of the index, with other values; rename one of them, or take "
    "frame.reset_index(drop=True)"
)
INDEX_UNNAMED = (
    "The index of the frame has no name, and is not read: if it holds {roles}, give it that name, "
    "frame.rename_axis({first!r}), and it is a column"
)
WITHOUT_COLUMNS = "{source}: no columns: the table is empty; a run is a row, with columns as params, tokens and loss"
NO_PYARROW = (
    "{source}: reading Parquet needs pyarrow, which is not installed.\nInstall it: pip install 'jaxscale[parquet]'"
)
NOT_PARQUET = "{source}: does not begin as a Parquet file does; if it is a table in CSV, rename it to end in .csv"
CORRUPT = "{source}: the Parquet file is corrupt, cut short or encrypted; write or download it again"
ENDINGS = (".parquet", ".pq")
BYTES_PER_CELL = 80


def cells_of(values: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return cells (n,), float64 or object array of str, and whether the values were stored as text.

    values: (n,) of any dtype. Integers above 2^53 become text, so that they are remarked upon; None, NaN and pandas'
    NA become NaN, or the empty text beside text. True and False are text: they are no numbers.
    """
    if values.dtype.kind == "f":
        return values.astype(np.float64), False
    if values.dtype.kind in "iu" and not (values.size and max(-float(values.min()), float(values.max())) > EXACT_BELOW):
        return values.astype(np.float64), False
    items = values.tolist() if values.dtype.kind in "iub" else list(values)
    if all(is_nothing(item) or _is_plain_number(item) for item in items):
        return np.array([math.nan if is_nothing(item) else float(item) for item in items], dtype=np.float64), False
    text = np.empty(len(items), dtype=object)
    text[:] = ["" if is_nothing(item) else _as_text(item) for item in items]
    return text, any(isinstance(item, str) for item in items)


def is_nothing(item: object) -> bool:
    """Return whether a value stands for none: None, NaN, and NA and NaT of pandas."""
    return type(item).__name__ in NOTHING or (isinstance(item, (float, np.floating, Decimal)) and math.isnan(item))


def digest(columns: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 of names and cells, in order, in hexadecimal."""
    sha = hashlib.sha256()
    for name, cells in columns.items():
        content = "\x1f".join(cells).encode("utf-8", "surrogatepass") if cells.dtype == object else cells.tobytes()
        sha.update(f"{name!r} {len(content)} ".encode())
        sha.update(content)
    return sha.hexdigest()


def _is_plain_number(item: object) -> bool:
    if isinstance(item, (bool, np.bool_)) or not isinstance(item, (int, float, Decimal, np.integer, np.floating)):
        return False
    return not isinstance(item, (int, np.integer)) or abs(int(item)) <= EXACT_BELOW


def _as_text(item: object) -> str:
    return repr(float(item)) if isinstance(item, (float, np.floating)) else str(item)


def raw_table_of_frame(frame: DataFrame, *, source: str) -> RawTable:
    """Return the cells of a frame, levels of its index that have a name being columns before the others.

    Names of several levels are joined, ("loss", "mean") to "loss mean".   Raises RunsError for duplicate names.
    """
    own = [_joined(name) for name in frame.columns]
    values = [np.asarray(frame.iloc[:, position].to_numpy()) for position in range(len(own))]
    levels = [(_joined(name), place) for place, name in enumerate(frame.index.names) if name is not None]
    for name, place in reversed(levels):
        level = np.asarray(frame.index.get_level_values(place).to_numpy())
        if own.count(name) != 1:
            own, values = [name, *own], [level, *values]
        elif not _is_same(level, values[own.index(name)]):
            raise RunsError(INDEX_TWICE.format(source=shown_name(source), name=shown(name)))
    return raw_table_of_cells(source, own, [cells_of(column) for column in values], len(frame))


def unnamed_index(frame: object, missing: Sequence[str]) -> str:
    """Return what to do where a needed column may be the index, whose levels have no names; "" where it is counted."""
    index: Any = getattr(frame, "index", None)
    if not hasattr(index, "names"):  # of another library than pandas, whose frames have none
        return ""
    has_none = all(name is None for name in index.names)
    level = np.asarray(index.get_level_values(0).to_numpy())
    is_counted = level.dtype.kind in "iu" and np.array_equal(np.sort(level), np.arange(level.size))
    if not missing or not has_none or is_counted:
        return ""
    return INDEX_UNNAMED.format(roles=" or ".join(missing), first=missing[0])


def _joined(name: object) -> str:
    """Return the name of a column; of one with several levels those that are not empty."""
    return " ".join(str(part) for part in name if str(part)) if isinstance(name, tuple) else str(name)


def _is_same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and all(a == b or (a != a and b != b) for a, b in zip(one, other, strict=True))


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
        check_fits(facts.num_rows * facts.num_columns, cost=BYTES_PER_CELL, source=source)
        table = file.read()
        cells = [cells_of(_arrow_values(column)) for column in table.columns]
    except RunsError:
        raise
    except Exception as error:  # a damaged file fails in any layer of Arrow, with texts that do not help
        raise RunsError(CORRUPT.format(source=source)) from error
    return raw_table_of_cells(content.source, table.column_names, cells, table.num_rows, content.sha256)


def raw_table_of_arrow(table: pyarrow.Table, *, source: str) -> RawTable:
    """Return the cells of an Arrow table: decimals and dictionaries by value, nested columns as their type."""
    cells = [cells_of(_arrow_values(column)) for column in table.columns]
    return raw_table_of_cells(source, table.column_names, cells, table.num_rows)


def raw_table_of_cells(
    source: str,
    headers: Sequence[str],
    cells: Sequence[tuple[np.ndarray, bool]],
    rows: int,
    sha256: str = "",
    lines: np.ndarray | None = None,
) -> RawTable:
    """Return the raw table of headers and of cells as `cells_of` returns them."""
    if not headers:
        raise RunsError(WITHOUT_COLUMNS.format(source=shown_name(source)))
    names, findings = clean_headers(headers, source=shown_name(source))
    columns = {name: values for name, (values, _) in zip(names, cells, strict=True)}
    stored_as_text = frozenset(name for name, (_, is_text) in zip(names, cells, strict=True) if is_text)
    return RawTable(source, sha256 or digest(columns), columns, rows, lines, stored_as_text, findings)


def _arrow_values(column: pyarrow.ChunkedArray) -> np.ndarray:
    import pyarrow

    types = pyarrow.types
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if types.is_floating(kind) or (types.is_integer(kind) and not column.null_count):
        return np.asarray(column.to_numpy())
    if not (types.is_integer(kind) or types.is_decimal(kind) or types.is_boolean(kind) or types.is_null(kind)):
        column = _as_strings(column)
    values = np.empty(len(column), dtype=object)
    values[:] = column.to_pylist()
    return values


def _as_strings(column: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    """Return the column as strings: dates and the like by value, lists, structs and maps as the name of their type."""
    import pyarrow

    if not pyarrow.types.is_nested(column.type):
        try:
            return column.cast(pyarrow.string())
        except pyarrow.ArrowException:
            pass  # binary that is no text, a time zone that is not known here
    return pyarrow.chunked_array([pyarrow.array([str(column.type)] * len(column), pyarrow.string())])

"""JSON lines and workbooks to raw tables: a record per line, nested names joined by dots; a sheet with its header."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.errors import MissingDependencyError, RunsError
from jaxscale.runs.cells import RawTable, check_not_too_many
from jaxscale.runs.opening import Content, text_of
from jaxscale.runs.typed import cells_of, raw_table_of_cells
from jaxscale.text import counted, listed, shown, shown_name

if TYPE_CHECKING:
    import pandas as pd

NOT_JSON = "{source}: line {line} is no JSON ({reason}); every line of JSON lines is one object"
NOT_AN_OBJECT = "{source}: line {line} is no object in braces; every line of JSON lines is one run, or one step of it"
DEEPEST = 8
"""Levels of objects in objects whose names are joined."""
NO_OPENPYXL = (
    "{source}: reading a workbook of Excel needs openpyxl, which is not installed.\n"
    "Install it: pip install 'jaxscale[excel]'; or save the sheet as CSV and give that file"
)
CORRUPT = "{source}: the workbook is corrupt, encrypted or of another kind; save its sheet as CSV and give that file"
SHEETS = "{source}: {count} hold cells: {names}; save the one that holds the runs as CSV, and give that file"
NO_CELLS = "{source}: no sheet of the workbook holds a cell"


def raw_table_of_lines(content: Content, *, encoding: str) -> RawTable:
    """Return the cells of JSON lines; objects in objects become names with dots, lists stay as their text.

    A name that a line lacks is missing there. NaN and Infinity, which trackers write, are read.
    Raises RunsError naming the line of what is no object.
    """
    source = shown_name(content.source)
    records, lines = [], []
    for number, line in enumerate(text_of(content.data, encoding=encoding, source=source).splitlines(), start=1):
        bare = line.strip().removeprefix("\ufeff")
        if bare:
            records.append(dict(_flat(_object(bare, number, source))))
            lines.append(number)
    names = list(dict.fromkeys(name for record in records for name in record))
    check_not_too_many(len(names), source=source)
    columns = []
    for name in names:
        column = np.empty(len(records), dtype=object)
        column[:] = [record.get(name) for record in records]
        columns.append(cells_of(column))
    return raw_table_of_cells(
        content.source, names, columns, len(records), content.sha256, np.array(lines, dtype=np.int64)
    )


def _object(line: str, number: int, source: str) -> Mapping[str, object]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = str(error).partition(":")[0]
        raise RunsError(NOT_JSON.format(source=source, line=number, reason=reason)) from error
    if not isinstance(found, dict):
        raise RunsError(NOT_AN_OBJECT.format(source=source, line=number))
    return found


def _flat(record: Mapping[str, object], before: str = "", level: int = 1) -> Iterator[tuple[str, object]]:
    for name, value in record.items():
        if isinstance(value, dict) and value and level < DEEPEST:
            yield from _flat(value, f"{before}{name}.", level + 1)
        else:
            yield f"{before}{name}", json.dumps(value) if isinstance(value, (dict, list)) else value


def raw_table_of_workbook(content: Content) -> RawTable:
    """Return the cells of the one sheet of a workbook that holds any; its first row names the columns.

    Raises MissingDependencyError without openpyxl, RunsError for several sheets and for a file that cannot be read.
    """
    source = shown_name(content.source)
    try:
        import openpyxl  # noqa: F401 - what pandas reads workbooks with
        import pandas as pd
    except ImportError as error:
        raise MissingDependencyError(NO_OPENPYXL.format(source=source)) from error
    try:
        sheets: dict[str, pd.DataFrame] = pd.read_excel(
            io.BytesIO(content.data), sheet_name=None, header=None, dtype=object, engine="openpyxl"
        )
    except Exception as error:  # a damaged workbook fails in any layer, with texts that do not help
        raise RunsError(CORRUPT.format(source=source)) from error
    filled = {name: frame.dropna(axis=0, how="all").dropna(axis=1, how="all") for name, frame in sheets.items()}
    filled = {name: frame for name, frame in filled.items() if frame.size}
    if not filled:
        raise RunsError(NO_CELLS.format(source=source))
    if len(filled) > 1:
        told = {"count": counted(len(filled), "sheet"), "names": listed([shown(str(name)) for name in filled])}
        raise RunsError(SHEETS.format(source=source, **told))
    frame = next(iter(filled.values()))
    headers = ["" if pd.isna(one) else str(one) for one in frame.iloc[0]]
    check_not_too_many(len(headers), source=source)
    columns = [cells_of(frame.iloc[1:, at].to_numpy(dtype=object)) for at in range(len(headers))]
    return raw_table_of_cells(content.source, headers, columns, len(frame) - 1, content.sha256)

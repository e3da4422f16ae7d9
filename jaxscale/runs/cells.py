"""The raw table: cells under cleaned headers with their origin, and its construction from delimited text."""

from __future__ import annotations

import csv
import io
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from threading import Lock
from typing import TypeAlias, TypedDict

import numpy as np

from jaxscale.errors import RunsError, UsageError
from jaxscale.finding import Finding
from jaxscale.text import listed, shown

DUPLICATE_HEADERS = (
    "{source}: the header repeats {names}.\nColumns of one name are ambiguous: rename or delete all but one."
)
TOO_MANY_COLUMNS = "{source}: {count} columns, and at most {limit} are read; keep the ones that the fit needs"
HEADERS_CLEANED = "column names were cleaned of spaces or a byte-order mark: {names}; nothing to do"
UNNAMED = "column {position}"
COLUMN_LIMIT = 4096
BYTE_ORDER_MARK = "\ufeff"
BAD_SEPARATOR = "--sep {sep} is no separator; give one character, such as ';', or 'tab'"
NO_HEADER = "{source}: no header found: the file is empty; the first line must name the columns: params,tokens,loss"
COMMENTED = (
    "{source}: line {line} begins with '#': {text}.\nDelete comment lines, and a '#' before the names of the columns."
)
NAMELESS = (
    "{source}: line {line} holds numbers only ({text}), so the header is missing.\n"
    "Put the names of the columns on the first line: params,tokens,loss."
)
OTHER_SEPARATOR = "{source}: the header {header} is one column; it looks like {found} — use --sep {word}"
RAGGED = "{source}: the header has {width} fields, but {lines}.\n{advice}"
RAGGED_ADVICE = "Complete or delete these rows; a field that holds the separator {sep} needs quotes."
RAGGED_TRAILING = (
    "Every row has one field more than the header: name the first column, or delete the last separator of each row."
)
RAGGED_COMMENTS = "Delete comment lines: some of these begin with '#'."
REPEATED_HEADER = "{source}: the header stands again on {lines}, as when files are joined; delete it there"
BROKEN_QUOTES = (
    "{source}: line {line} cannot be split into fields ({reason}).\n"
    "Look for a quote that is not closed, or not doubled inside quotes."
)
SEPARATOR_WORDS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "space": " "}
SEPARATOR_NAMES = {"\t": "tab", " ": "space"}
SEPARATORS = ";\t|, "
CELL_LIMIT = 1 << 24
BATCH = 4096
NUMBERS_ONLY = re.compile(r"[\s0-9+\-.eE]+")
_limit_lock = Lock()


@dataclass(frozen=True)
class RawTable:
    """The cells of a table under their headers.

    columns: header → (n,) object array of str, or (n,) float64 with NaN where a typed source has nothing.
    rows: n.   lines: (n,) line of the file on which each row ends, or None where there are no lines.
    stored_as_text: headers that a typed source (a frame, Parquet) holds as strings; empty for CSV, where all is text.
    """

    source: str
    sha256: str
    columns: Mapping[str, np.ndarray]
    rows: int
    lines: np.ndarray | None = None
    stored_as_text: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()

    def place(self, index: int) -> str:
        """Return where the row of a 0-based index is, for a message: "row 3 (line 4)"."""
        row = f"row {index + 1}"
        return row if self.lines is None else f"{row} (line {self.lines[index]})"


@dataclass(frozen=True)
class Origin:
    """The origin of a table, and its changes before the fit.

    source: the path as given, "<stdin>", "<arrays>", "<frame>" or a data set's name.
    sha256: hexadecimal digest of the bytes read; of the columns for arrays and frames.
    rows: rows found in the table, before any was left out.
    columns: role → header in the source.   derived: role → formula, {"tokens": "flops / (6 params)"}.
    where: selections applied, in order.   left_out: reason ("where", "missing", "infinite", "final", "annealed",
    "lowest") → rows left out.   lowest_per: column → width in decades of the cells of which the lowest loss was kept.
    scale: header → factor by which its numbers were multiplied.   units_ok: whether the user said that the numbers are
    plain counts and a loss, so that this is not questioned.
    """

    source: str
    sha256: str
    rows: int
    columns: Mapping[str, str]
    derived: Mapping[str, str]
    where: tuple[str, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    scale: Mapping[str, float] = field(default_factory=dict)
    units_ok: bool = False
    lowest_per: Mapping[str, float] = field(default_factory=dict)


RowCheck: TypeAlias = Callable[[np.ndarray], None]
"""Raises RunsError if one of these rows (k,), counted from 1, has a cell that forbids a fit."""


def all_sound(rows: np.ndarray) -> None:
    """Do nothing: the check of rows that have been checked."""


class Fields(TypedDict):
    """The fields of `Runs`, documented there."""

    columns: Mapping[str, np.ndarray]
    loss: np.ndarray
    weight: np.ndarray
    sigma: np.ndarray | None
    group: np.ndarray | None
    labels: Mapping[str, np.ndarray]
    row: np.ndarray
    origin: Origin
    findings: tuple[Finding, ...]


def clean_headers(raw: Sequence[str], *, source: str) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Return the names without surrounding spaces and byte-order marks, and at most one finding that says so.

    A column without a name is called after its place, "column 3". Raises RunsError for duplicates and for more than
    4096 columns.
    """
    check_not_too_many(len(raw), source=source)
    names = tuple(name.strip().strip(BYTE_ORDER_MARK).strip() for name in raw)
    names = tuple(name or UNNAMED.format(position=position) for position, name in enumerate(names, start=1))
    repeated = [f"{shown(name)} ({count} times)" for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise RunsError(DUPLICATE_HEADERS.format(source=source, names=listed(repeated)))
    cleaned = [shown(old) for old, name in zip(raw, names, strict=True) if old != name and old.strip()]
    if not cleaned:
        return names, ()
    return names, (Finding("headers-cleaned", HEADERS_CLEANED.format(names=listed(cleaned))),)


def check_not_too_many(count: int, *, source: str) -> None:
    """Raise RunsError for more than 4096 columns."""
    if count > COLUMN_LIMIT:
        raise RunsError(TOO_MANY_COLUMNS.format(source=source, count=count, limit=COLUMN_LIMIT))


def raw_table_of(text: str, *, sep: str, source: str, sha256: str) -> RawTable:
    """Return the cells of separated values; blank lines are skipped, quotes are doubled inside quotes (RFC 4180).

    Raises RunsError for a missing or doubtful header and for rows of another width, naming their lines.
    """
    sep = _separator(sep)
    has_mark, text = text.startswith(BYTE_ORDER_MARK), text.removeprefix(BYTE_ORDER_MARK)
    first = next(re.finditer(r"[^\r\n]*", text)).group()
    check_not_too_many(first.count(sep) + 1 if '"' not in first else 0, source=source)
    with _long_cells():
        rows = _rows(text, sep, source)
        line, header = next(rows, (0, []))
        first_row = next(rows, None)
        _check_header(header, line, sep, source)
        _check_separator(header, first_row, sep, source)
        columns, lines = _cells_by_column(header, rows if first_row is None else chain([first_row], rows), sep, source)
    width = _named_width(header, columns)
    names, findings = clean_headers([BYTE_ORDER_MARK * has_mark + header[0], *header[1:width]], source=source)
    cells = dict(zip(names, columns[:width], strict=True))
    return RawTable(source, sha256, cells, len(lines), np.array(lines, dtype=np.int64), frozenset(), findings)


def _separator(sep: str) -> str:
    sep = SEPARATOR_WORDS.get(sep.casefold(), sep)
    if len(sep) != 1 or sep in '"\r\n\x00' or sep.isalnum():
        raise UsageError(BAD_SEPARATOR.format(sep=shown(sep)))
    return sep


@contextmanager
def _long_cells() -> Iterator[None]:
    # The module's limit of 128 KiB belongs to the whole process, so it is put back.
    with _limit_lock:
        before = csv.field_size_limit(CELL_LIMIT)
        try:
            yield
        finally:
            csv.field_size_limit(before)


def _rows(text: str, sep: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line on which each row ends, and its fields."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sep, skipinitialspace=sep == " ", strict=True)
    try:
        for row in reader:
            if len(row) > 1 or (row and row[0].strip()):
                yield reader.line_num, row
    except csv.Error as error:
        reason = str(error).splitlines()[0]
        raise RunsError(BROKEN_QUOTES.format(source=source, line=reader.line_num, reason=reason)) from error


def _check_header(header: list[str], line: int, sep: str, source: str) -> None:
    if not header:
        raise RunsError(NO_HEADER.format(source=source))
    if header[0].lstrip().startswith("#"):
        raise RunsError(COMMENTED.format(source=source, line=line, text=shown(sep.join(header))))
    if all(NUMBERS_ONLY.fullmatch(name) for name in header):
        raise RunsError(NAMELESS.format(source=source, line=line, text=shown(sep.join(header))))


def _check_separator(header: list[str], first_row: tuple[int, list[str]] | None, sep: str, source: str) -> None:
    if len(header) > 1:
        return
    for other in SEPARATORS.replace(sep, ""):
        split = None if other == " " else other
        width = len(header[0].split(split))
        if width > 1 and (first_row is None or len(sep.join(first_row[1]).split(split)) == width):
            word = SEPARATOR_NAMES.get(other, f"'{other}'")
            raise RunsError(OTHER_SEPARATOR.format(source=source, header=shown(header[0]), found=word, word=word))


def _cells_by_column(
    header: list[str], rows: Iterable[tuple[int, list[str]]], sep: str, source: str
) -> tuple[list[np.ndarray], array[int]]:
    """Return a column (n,) of str for each header and the lines of the rows, in batches: a list per row costs more
    memory than its text.
    """
    columns: list[list[str]] = [[] for _ in header]
    lines, wrong, repeats = array("q"), [], []
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        fitting = [row for _, row in batch if len(row) == len(header)]
        wrong += [(len(row), line, row[0]) for line, row in batch if len(row) != len(header)]
        repeats += [line for line, row in batch if row[0] == header[0] and row == header]
        lines.extend(line for line, _ in batch)
        for column, cells in zip(columns, zip(*fitting, strict=True), strict=False):
            column.extend(cells)
    _check_row_lengths(len(header), wrong, len(lines), sep, source)
    if repeats:
        raise RunsError(REPEATED_HEADER.format(source=source, lines=f"line {listed(repeats)}"))
    return [_objects(column) for column in columns], lines


def _check_row_lengths(width: int, wrong: list[tuple[int, int, str]], rows: int, sep: str, source: str) -> None:
    if not wrong:
        return
    advice = RAGGED_ADVICE.format(sep=f"'{SEPARATOR_NAMES.get(sep, sep)}'")
    if len(wrong) == rows and all(count == width + 1 for count, _, _ in wrong):
        advice = RAGGED_TRAILING
    elif any(first.lstrip().startswith("#") for _, _, first in wrong):
        advice = RAGGED_COMMENTS
    places = [f"line {line} has {count}" for count, line, _ in wrong]
    raise RunsError(RAGGED.format(source=source, width=width, lines=listed(places), advice=advice))


def _named_width(header: list[str], columns: list[np.ndarray]) -> int:
    """Return the width without the empty columns at the end that a trailing separator leaves."""
    width = len(header)
    while width > 1 and not header[width - 1].strip() and not any(cell.strip() for cell in columns[width - 1]):
        width -= 1
    return width


def _objects(cells: list[str]) -> np.ndarray:
    column = np.empty(len(cells), dtype=object)
    column[:] = cells
    return column


def texts(cells: np.ndarray) -> np.ndarray:
    """Return cells (n,) as an object array of str without surrounding spaces; whole numbers lose their ".0"."""
    text = np.empty(cells.size, dtype=object)
    text[:] = [cell_text(cells, index).strip() for index in range(cells.size)]
    return text


def cell_text(cells: np.ndarray, index: int) -> str:
    """Return one cell as text; NaN, the missing value of a typed source, as the empty text."""
    value = cells[index]
    if isinstance(value, str):
        return value
    if np.isnan(value):
        return ""
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))

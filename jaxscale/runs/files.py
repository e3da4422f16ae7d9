"""From a file, or from standard input, to a raw table: CSV, JSON lines, a workbook of Excel or Parquet."""

from __future__ import annotations

from pathlib import Path

from jaxscale.runs.cells import RawTable, raw_table_of
from jaxscale.runs.opening import check_format, content_of, is_workbook, json_lines, text_of
from jaxscale.runs.records import raw_table_of_lines, raw_table_of_workbook
from jaxscale.runs.typed import is_parquet_name, raw_table_of_parquet
from jaxscale.text import shown_name

# Bytes of memory per byte of the file, measured: 14 for 8 columns of long numbers, 21 for 3 columns of single digits.
TEXT_COST = 20.0
PARQUET_COST = 2.0


def raw_table_in(source: str | Path, *, sep: str, encoding: str) -> RawTable:
    """Return the cells of a table; raise RunsError for what is none, UsageError for a wrong option."""
    is_parquet = is_parquet_name(str(source))
    content = content_of(source, cost=PARQUET_COST if is_parquet else TEXT_COST)
    if is_parquet:
        return raw_table_of_parquet(content)
    if is_workbook(content.data):
        return raw_table_of_workbook(content)
    if content.data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" and json_lines(content.data):
        return raw_table_of_lines(content, encoding=encoding)
    name = shown_name(content.source)
    check_format(content.data, source=name)
    text = text_of(content.data, encoding=encoding, source=name)
    return raw_table_of(text, sep=sep, source=content.source, sha256=content.sha256)

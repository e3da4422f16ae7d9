"""Read a table of runs: CSV, or Parquet by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from jaxscale.errors import UsageError
from jaxscale.runs.assembling import Request
from jaxscale.runs.cells import raw_table_of
from jaxscale.runs.numbers import NumberStyle
from jaxscale.runs.opening import check_format, content_of, text_of
from jaxscale.runs.table import Runs
from jaxscale.runs.typed import is_parquet_name, raw_table_of_parquet
from jaxscale.text import shown, shown_name

BAD_MARK = (
    "--{option} {mark} is no such mark; give one character that is neither a digit nor a letter, a sign or a quote"
)
SAME_MARK = "--decimal and --thousands are both {mark}; they must differ"

# Bytes of memory per byte of the file, measured: 14 for 8 columns of long numbers, 21 for 3 columns of single digits.
TEXT_COST = 20.0
PARQUET_COST = 2.0


def read_runs(
    source: str | Path,
    *,
    map: Mapping[str, str] | None = None,
    where: Sequence[str] = (),
    sep: str = ",",
    decimal: str = ".",
    thousands: str | None = None,
    encoding: str = "utf-8",
    units: bool = False,
    missing: Literal["refuse", "drop"] = "refuse",
    inputs: tuple[str, ...] = ("params", "tokens"),
    beside: tuple[str, ...] = (),
    group: str | None = None,
    positive_loss: bool = True,
    scale: Mapping[str, float] | None = None,
    units_ok: bool = False,
    final: bool = False,
) -> Runs:
    """Return the runs of a table, in float64 and checked.

    source: a CSV file, a Parquet file (.parquet, .pq), or "-" for CSV on standard input.
    map: role → header, before names are recognised.   where: selections, applied before values are judged; in them
        `row` is a row's number, counted from 1.
    sep, decimal, thousands, encoding, units: how a CSV file is written; units reads 7B, 1,400M, 300B tokens, 2×10^19
        in the columns that play a role, and no noun of another role.
    missing: "refuse" the table, or "drop" rows without a finite number in a needed column.
    inputs: the columns that the law needs; of params, tokens and flops the third is derived from two.   beside: names
        that `map` may give to other columns.
    group: header of the column that says which runs belong together.   positive_loss: refuse a loss ≤ 0.
    scale: header or role → factor by which its numbers are multiplied, before anything else is done with them.
    units_ok: the numbers are plain counts and a loss, however they look; nothing is withheld for that.
    final: keep the last row of each run, by its step, else its tokens or compute, else its place in the table; runs are
        told by a column named run, run_id, name …, and by `group`.
    Raises RunsError for a table that is refused, UsageError for an invalid option, MissingDependencyError for
    Parquet without pyarrow.
    """
    style = NumberStyle(decimal, thousands, units)
    _check_mark("decimal", decimal)
    _check_mark("thousands", "_" if thousands is None else thousands)
    if style.decimal == style.thousands:
        raise UsageError(SAME_MARK.format(mark=shown(decimal)))
    request = Request(
        dict(map or {}), where, inputs, beside, group, missing, positive_loss, style, dict(scale or {}), units_ok, final
    )
    is_parquet = is_parquet_name(str(source))
    content = content_of(source, cost=PARQUET_COST if is_parquet else TEXT_COST)
    if is_parquet:
        return Runs.from_raw_table(raw_table_of_parquet(content), request)
    name = shown_name(content.source)
    check_format(content.data, source=name)
    text = text_of(content.data, encoding=encoding, source=name)
    raw_table = raw_table_of(text, sep=sep, source=content.source, sha256=content.sha256)
    return Runs.from_raw_table(raw_table, request)


def _check_mark(option: str, mark: str) -> None:
    if len(mark) != 1 or mark.isalnum() or mark in '+-"\r\n':
        raise UsageError(BAD_MARK.format(option=option, mark=shown(mark)))

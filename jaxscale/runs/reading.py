"""The runs of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from jaxscale.runs.assembling import Request
from jaxscale.runs.files import raw_table_in
from jaxscale.runs.numbers import NumberStyle
from jaxscale.runs.table import Runs


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
    annealed: bool = False,
    lowest_per: Mapping[str, float] | None = None,
) -> Runs:
    """Return the runs of a table, in float64 and checked.

    Parameters
    ----------
    source
        A file: CSV, JSON lines, a workbook of Excel (.xlsx), Parquet (.parquet, .pq); or "-" for standard input.
    map
        Role → header, before names are recognised.
    where
        Selections, applied before values are judged; in them `row` is a row's number, counted from 1.
    sep, decimal, thousands, encoding, units
        How a CSV file is written; units reads 7B, 1,400M, 300B tokens, 2×10^19 in the columns that play a role, and no
        noun of another role.
    missing
        "refuse" the table, or "drop" rows without a finite number in a needed column, before rows are chosen by
        `final`, `annealed` or `lowest_per`. Refused are tables for rows that these keep; others may hold anything.
    inputs
        The columns that the law needs; of params, tokens and flops the third is derived from two.
    beside
        Names that `map` may give to other columns.
    group
        Header of the column that says which runs belong together.
    positive_loss
        Refuse a loss ≤ 0.
    scale
        Header or role → factor by which its numbers are multiplied, before anything else is done with them.
    units_ok
        The numbers are plain counts and a loss, however they look; nothing is withheld for that.
    final
        Keep the last row of each run, by its step, else its tokens or compute, else its place in the table; runs are
        told by a column named run, run_id, name …, and by `group`.
    annealed
        Keep, of each run, the last row at which its learning rate (column lr, learning_rate …) is lowest since its peak
        instead; a run whose rate has not come down to half of its peak is left out.
    lowest_per
        Column → width in decades: keep the run of least loss in each cell of this grid, and of each `group`; applied
        last, to runs that the other options leave.

    Returns
    -------
    Runs
        With what was noticed in `findings`.

    Raises
    ------
    RunsError
        For a table that is refused.
    UsageError
        For an invalid option.
    MissingDependencyError
        For Parquet without pyarrow, a workbook without openpyxl.

    Examples
    --------
    >>> runs.to_frame().to_csv("runs.csv")
    >>> len(js.read_runs("runs.csv"))
    30
    """
    style = NumberStyle(decimal, thousands, units)
    style.check_marks()
    request = Request(
        map or {}, where, inputs, beside, group, missing, positive_loss, style, scale or {}, units_ok, final,
        annealed=annealed, lowest_per=lowest_per or {},
    )  # fmt: skip
    return Runs.from_raw_table(raw_table_in(source, sep=sep, encoding=encoding), request)

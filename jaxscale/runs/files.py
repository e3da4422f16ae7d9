"""From a file, or from standard input, to a raw table: CSV or Parquet; and tables of runs that are not made yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jaxscale.runs.assembling import Request, fields_of
from jaxscale.runs.cells import Origin, RawTable, raw_table_of
from jaxscale.runs.numbers import NumberStyle
from jaxscale.runs.opening import check_format, content_of, text_of
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
    name = shown_name(content.source)
    check_format(content.data, source=name)
    text = text_of(content.data, encoding=encoding, source=name)
    return raw_table_of(text, sep=sep, source=content.source, sha256=content.sha256)


@dataclass(frozen=True)
class PlannedRuns:
    """Runs that could be made.   columns: role or header → (n,) float64.   labels: header → (n,) text.   row: (n,)."""

    columns: Mapping[str, np.ndarray]
    labels: Mapping[str, np.ndarray]
    row: np.ndarray
    origin: Origin

    def __len__(self) -> int:
        return len(self.row)


def read_planned(
    source: str | Path,
    *,
    inputs: tuple[str, ...],
    map: Mapping[str, str] | None = None,
    where: Sequence[str] = (),
    sep: str = ",",
    decimal: str = ".",
    thousands: str | None = None,
    encoding: str = "utf-8",
    units: bool = False,
) -> PlannedRuns:
    """Return a table of runs that are not made yet, which needs no loss; options and errors as of `read_runs`."""
    style = NumberStyle(decimal, thousands, units)
    style.check_marks()
    request = Request(map or {}, where, inputs, (), None, "refuse", False, style, has_loss=False)
    fields = fields_of(raw_table_in(source, sep=sep, encoding=encoding), request)
    return PlannedRuns(fields["columns"], fields["labels"], fields["row"], fields["origin"])

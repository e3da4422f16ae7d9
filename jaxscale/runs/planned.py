"""Tables of runs that are not made yet: read like any other, but without a loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from jaxscale.runs.assembling import Request, fields_of
from jaxscale.runs.cells import Origin
from jaxscale.runs.files import raw_table_in
from jaxscale.runs.numbers import NumberStyle


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
    scale: Mapping[str, float] | None = None,
    missing: Literal["refuse", "drop"] = "refuse",
) -> PlannedRuns:
    """Return a table of runs that are not made yet, which needs no loss; options and errors as of `read_runs`."""
    style = NumberStyle(decimal, thousands, units)
    style.check_marks()
    request = Request(map or {}, where, inputs, (), None, missing, False, style, scale or {}, has_loss=False)
    fields, check = fields_of(raw_table_in(source, sep=sep, encoding=encoding), request)
    check(fields["row"])
    return PlannedRuns(fields["columns"], fields["labels"], fields["row"], fields["origin"])

"""The run of least loss in each cell of a grid in the logarithms of columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.errors import RunsError, UsageError
from jaxscale.runs.cells import RowCheck
from jaxscale.runs.naming import codes, joint
from jaxscale.text import shown, shown_name

if TYPE_CHECKING:
    from jaxscale.runs.table import Runs

LOWEST = "lowest"
"""The reason under which rows that are not the lowest of their cell are left out."""
ON_LINE = 1e-9
"""Of a cell's width: a value this little below a line of the grid lies on it, as 1e9 at a third of a decade."""

NOT_A_WIDTH = "lowest_per: {name}={width!r} is no positive number of decades; write it as {{'params': 1 / 3}}"
NO_COLUMN = "{source}: --lowest-per names {name}, which is no column of numbers of the table; columns: {columns}"
NOT_POSITIVE = "{source}: --lowest-per takes the logarithm of {name}, which is not above zero in row {row}"


def check_widths(lowest_per: Mapping[str, float]) -> None:
    """Raise UsageError for a width of a cell that is no positive number."""
    if not isinstance(lowest_per, Mapping):
        raise UsageError(NOT_A_WIDTH.format(name=lowest_per, width=None))
    for name, width in lowest_per.items():
        is_number = isinstance(width, int | float | np.number) and not isinstance(width, bool)
        if not is_number or not np.isfinite(width) or width <= 0:
            raise UsageError(NOT_A_WIDTH.format(name=name, width=width))


def lowest_runs(runs: Runs, lowest_per: Mapping[str, float], *, check: RowCheck) -> Runs:
    """Return the run of least loss in each cell; of equal losses the first in the table, all others are left out.

    A run whose loss is NaN is kept where its cell has no other.   check: of rows that are in no cell.

    A cell is floor(log10(column) / width) in every column named, so that lines of the grid lie at 1 and do not depend
    on the table; runs of different groups are in different cells.   lowest_per: column → width in decades.   Raises
    RunsError for a column that is lacking or not above zero.
    """
    source = shown_name(runs.origin.source)
    cell = np.zeros(len(runs), dtype=np.int64) if runs.group is None else codes(runs.group)
    for name, width in lowest_per.items():
        column = runs.columns.get(name)
        if column is None or column.ndim != 1:
            names = ", ".join(shown(one) for one in runs.columns)
            raise RunsError(NO_COLUMN.format(source=source, name=shown(name), columns=names))
        wrong = np.flatnonzero(~(np.isfinite(column) & (column > 0)))
        if len(wrong):
            check(runs.row[wrong])
            raise RunsError(NOT_POSITIVE.format(source=source, name=shown(name), row=int(runs.row[wrong[0]])))
        place = np.floor(np.log10(column) / width + ON_LINE).astype(np.int64)
        cell = joint(cell, place - place.min())
    order = np.lexsort((runs.row, runs.loss, cell))
    is_first = np.append(True, cell[order][1:] != cell[order][:-1])
    kept = runs.take(np.sort(order[is_first]), LOWEST)
    return kept.with_lowest_per(lowest_per)

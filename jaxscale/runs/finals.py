"""The last row of each run."""

from __future__ import annotations

import numpy as np

from jaxscale.errors import RunsError
from jaxscale.runs.naming import run_codes, time_column
from jaxscale.runs.table import Runs
from jaxscale.text import shown_name

FINAL = "final"
"""The reason under which rows that are not the last of their run are left out."""
NO_RUNS_NAMED = (
    "{source}: --final keeps the last row of each run, and no column names the runs; "
    "add a column 'run', or say with --group which column does it"
)


def final_runs(runs: Runs) -> Runs:
    """Return the last row of each run, by its step, else its tokens or compute, else its place in the table.

    Of rows at the same step the later one in the table is the last.   Raises RunsError where nothing names runs.
    """
    named = run_codes(runs)
    if named is None:
        raise RunsError(NO_RUNS_NAMED.format(source=shown_name(runs.origin.source)))
    return runs.take(last_rows(runs, named), FINAL)


def last_rows(runs: Runs, named: np.ndarray) -> np.ndarray:
    """Return the places, ascending, of the last row of each run.   named: (n,), equal for the rows of one run."""
    column = time_column(runs)
    time = np.zeros(len(runs)) if column is None else runs.columns[column]
    time = np.where(np.isnan(time), -np.inf, time)
    order = np.lexsort((runs.row, time, named))
    is_last = np.append(named[order][1:] != named[order][:-1], True)
    return np.sort(order[is_last])


def ends_of_runs(runs: Runs) -> np.ndarray:
    """Return (n,) bool: the last row of each run that has several; none where no column names runs."""
    named, ends = run_codes(runs), np.zeros(len(runs), dtype=bool)
    if named is not None:
        last = last_rows(runs, named)
        ends[last[np.bincount(named)[named[last]] > 1]] = True
    return ends

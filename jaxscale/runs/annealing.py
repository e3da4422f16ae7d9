"""Where a log has the learning rate: the row of each run at which it had come down, and runs that end before that."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.errors import RunsError, UsageError
from jaxscale.finding import Finding, row_numbers
from jaxscale.runs.cells import RowCheck
from jaxscale.runs.headers import normalised
from jaxscale.runs.naming import NO_RUNS_NAMED, final_runs, last_rows, run_codes, time_column
from jaxscale.text import counted, shown, shown_name

if TYPE_CHECKING:
    from jaxscale.runs.table import Runs

RATE_NAMES = ("lr", "learning rate", "current lr", "lr adam", "lr adamw", "lr sgd", "lr 0", "lr group 0")
"""What the last part of a header may be, as of train/lr."""
LOW = 0.5
"""Share of its peak to which the rate of an annealed run has come down; usual schedules end at a tenth or below."""
ANNEALED = "annealed"
"""The reason under which rows are left out that are not the annealed one of their run."""

NOT_A_FLAG = "{name} is of type {kind}, and neither True nor False; a column that is called so needs another name"
BOTH = "--final keeps the last row of each run and --annealed the annealed one: give one of them"
NO_RATE = "{source}: --annealed looks at the learning rate of each row, and no column is called so; name one 'lr'"
NONE_ANNEALED = "{source}: no run is annealed: nowhere does column {column} come down to {share:g} of its peak"
UNANNEALED = (
    "{runs} of {total}: the last row has a learning rate above {share:g} of its peak (column {column}), while that of "
    "the others has come down, so that their losses are not of one kind; --annealed in place of --final leaves them out"
)


def rate_column(runs: Runs) -> str | None:
    """Return the column of learning rates, None where there is none."""
    names = (name for name, column in runs.columns.items() if column.ndim == 1)
    return next((name for name in names if normalised(re.split(r"[./]", name)[-1]) in RATE_NAMES), None)


def reduced_runs(runs: Runs, *, final: bool, annealed: bool, check: RowCheck) -> Runs:
    """Return the last or the annealed row of each run, or all rows where neither is asked for.

    The annealed row is the last one at which the rate is lowest since its peak. A run whose rate has not come down has
    none and is left out; one that has a single row is kept. Last and before are by step, else tokens or compute, else
    the place in the table; a row without a number there comes first, if it passes the check.   Raises UsageError where
    both are asked for, or one is no bool; RunsError where nothing names runs, or their rates.
    """
    for name, value in (("final", final), ("annealed", annealed)):
        if not isinstance(value, bool | np.bool_):
            raise UsageError(NOT_A_FLAG.format(name=name, kind=type(value).__name__))
    if not (final or annealed):
        return runs
    if final and annealed:
        raise UsageError(BOTH)
    named, source = run_codes(runs), shown_name(runs.origin.source)
    if named is None:
        raise RunsError(NO_RUNS_NAMED.format(source=source, option="--annealed" if annealed else "--final"))
    time = time_column(runs)
    if time is not None:
        check(runs.row[np.isnan(runs.columns[time])])
    column = rate_column(runs)
    if annealed and column is None:
        raise RunsError(NO_RATE.format(source=source))
    lowest = np.empty(0, dtype=np.int64) if column is None else annealed_rows(runs, named, runs.columns[column])
    if annealed and not lowest.size:
        raise RunsError(NONE_ANNEALED.format(source=source, column=shown(column or ""), share=LOW))
    if annealed:
        return runs.take(lowest, ANNEALED)
    kept, last = final_runs(runs), last_rows(runs, named)
    early = np.setdiff1d(named[last], named[lowest])
    if not 0 < early.size < last.size:
        return kept
    rows = runs.row[last[np.isin(named[last], early)]]
    told = {"runs": counted(rows.size, "run"), "total": last.size, "share": LOW, "column": shown(column or "")}
    return kept.with_finding(Finding("unannealed-runs", UNANNEALED.format(**told), row_numbers(rows)))


def annealed_rows(runs: Runs, named: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Return the places, ascending, of the annealed row of each run that has one.

    named: (n,), equal for the rows of one run.   rate: (n,), learning rates; NaN where none is logged.
    """
    column = time_column(runs)
    time = np.zeros(len(runs)) if column is None else runs.columns[column]
    order = np.lexsort((runs.row, np.where(np.isnan(time), -np.inf, time), named))
    found = []
    for places in np.split(order, np.flatnonzero(np.diff(named[order])) + 1):
        own = places[np.isfinite(rate[places])] if places.size > 1 else places
        if places.size == 1:
            found.append(places[0])
        elif own.size:
            peak = int(np.argmax(rate[own]))
            since = own[peak:]
            low = rate[since].min()
            if low <= LOW * rate[own[peak]]:
                found.append(since[np.flatnonzero(rate[since] <= low)[-1]])
    return np.sort(np.array(found, dtype=np.int64))

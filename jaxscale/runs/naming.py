"""The run and the step of each row, from columns with common names, and the last row of each run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.errors import RunsError
from jaxscale.runs.headers import normalised
from jaxscale.text import shown_name

if TYPE_CHECKING:
    from jaxscale.runs.table import Runs

RUN_NAMES = (
    "run", "run id", "run name", "runid", "name", "id", "experiment id", "exp id", "exp name",
    "experiment name", "run number", "run uuid", "run key", "wandb id",
    "job", "job id", "jobid", "job name", "slurm job id", "trial id", "trial name",
)  # fmt: skip
STEP_NAMES = (
    "step", "steps", "global step", "global steps", "training step", "train step", "training steps", "iteration",
    "iterations", "iter", "it", "trainer/global step", "summary. step", "n steps", "num steps",
)  # fmt: skip
SEED_NAMES = ("seed", "random seed", "data seed", "model seed", "rng seed", "trial", "repeat", "replica", "replicate")
STATE_NAMES = ("state", "status")

FINAL = "final"
"""The reason under which rows that are not the last of their run are left out."""
NO_RUNS_NAMED = (
    "{source}: {option} keeps one row of each run, and no column names the runs; "
    "add a column 'run', or say with --group which column does it"
)


def run_column(runs: Runs) -> str | None:
    """Return the column that names runs, None where there is none."""
    return next((name for name in (*runs.labels, *runs.columns) if normalised(name) in RUN_NAMES), None)


def grouped_by_run(runs: Runs) -> Runs:
    """Return the runs of a log with the name of each row's run as its group, where nothing else is.

    A log has a run with rows at several steps, or at several tokens or FLOP where it has no steps.
    """
    column, time = run_column(runs), time_column(runs)
    if column is None or time is None or runs.group is not None:
        return runs
    run = codes(runs[column])
    if np.unique(joint(run, codes(runs[time]))).size == np.unique(run).size:
        return runs
    columns = {**runs.origin.columns, "group": column}
    return replace(runs, group=runs[column].astype(str), origin=replace(runs.origin, columns=columns))


def logged_column(runs: Runs) -> str | None:
    """Return the column of text whose values are followed from step to step as runs are, None where there is none.

    Each value has one size, no step twice, and half of the values have several.
    """
    time = step_column(runs)
    if time is None or "params" not in runs.columns:
        return None
    step, params = codes(runs[time]), codes(runs["params"])
    for name, label in runs.labels.items():
        value = codes(label)
        counts = np.bincount(value)
        one_size = np.unique(joint(value, params)).size == counts.size > 1
        if one_size and np.unique(joint(value, step)).size == len(runs) and np.median(counts) > 1:
            return name
    return None


def step_column(runs: Runs) -> str | None:
    """Return the column of steps, None where there is none."""
    names = (name for name, column in runs.columns.items() if normalised(name) in STEP_NAMES and column.ndim == 1)
    return next(names, None)


def time_column(runs: Runs) -> str | None:
    """Return the column that says how far a run had come: its steps, else its tokens, else its compute."""
    found = step_column(runs)
    return found or next((name for name in ("tokens", "flops") if name in runs.columns), None)


def kinds(runs: Runs, *, but: tuple[str, ...] = ()) -> list[np.ndarray]:
    """Return the labels that tell kinds of runs apart, such as a corpus: no run's name, no label unique to its row.

    but: normalised names of labels that are left out.
    """
    labels = [label for name, label in runs.labels.items() if normalised(name) not in (*RUN_NAMES, *but)]
    return [label for label in labels if np.unique(label).size < len(runs)]


def codes(values: np.ndarray) -> np.ndarray:
    """Return (n,) int64, equal where values, or rows (n, T) of them, are; NaN equals nothing, not even itself."""
    axis = 0 if values.ndim > 1 else None
    found = np.unique(values, return_inverse=True, equal_nan=False, axis=axis)[1]
    return found.astype(np.int64)


def joint(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return (n,) int64, equal where both codes are."""
    return np.unique(first * (int(second.max()) + 1) + second, return_inverse=True)[1].astype(np.int64)


def run_codes(runs: Runs) -> np.ndarray | None:
    """Return (n,) int64, equal for the rows of one run, None where nothing names runs.

    One run has one name, one group, one size and one kind; a name that no two rows share says nothing, nor does a group
    where there is a name that some share.
    """
    column = run_column(runs)
    names = None if column is None else codes(runs[column])
    if names is not None and np.unique(names).size == len(names) > 1 and runs.group is not None:
        names = None
    if names is None and runs.group is None:
        return None
    found = np.zeros(len(runs), dtype=np.int64) if names is None else names
    others = [] if runs.group is None else [runs.group]
    others += [runs["params"]] if "params" in runs.columns else []
    for other in (*others, *kinds(runs, but=STATE_NAMES)):
        found = joint(found, codes(other))
    return found


def final_runs(runs: Runs) -> Runs:
    """Return the last row of each run, by its step, else its tokens or compute, else its place in the table.

    Of rows at the same step the later one in the table is the last.   Raises RunsError where nothing names runs.
    """
    named = run_codes(runs)
    if named is None:
        raise RunsError(NO_RUNS_NAMED.format(source=shown_name(runs.origin.source), option="--final"))
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

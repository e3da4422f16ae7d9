"""From a table with a row per logged step to one that laws of schedules take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from jaxscale.errors import RunsError, UsageError
from jaxscale.registry import unknown
from jaxscale.runs import Runs
from jaxscale.schedules.columns import MOMENTUM, columns_of
from jaxscale.schedules.schedule import Schedule
from jaxscale.text import listed

WHOLE_TABLE = "all"
NO_SCHEDULE = "{source}: run {name!r} has no schedule; those given are {known}"
NOT_STEPS = "{source}: {column} must be a whole number from 1 on in every row; rows {rows} are not"
STEP_ZERO = NOT_STEPS + '; leave out what was logged before the first step: --where "{column} > 0"'
NOT_RATES = "{source}: {column} must be a learning rate, 0 or more, in every row; rows {rows} are not"
NO_LEARNING = "{source}: the rates of run {name!r} make no schedule: {error}"
TWO_RATES = "{source}: run {name!r} has two learning rates at step {step}; say which rows are one run: --group COLUMN"
LATE_WARMUP = "warmup = {warmup} is not a whole number from 0 to {first}, the first logged step of run {name!r}"
FORMULAS = {
    "rate_sum": "sum of {lr}",
    "annealing": "sum of the momentum of the drops of {lr}",
    "rate_drops": "drops of {lr}",
    "rates_after": "{lr} after each drop",
    "sums_since": "sum of {lr} since each drop",
}


def with_schedules(
    runs: Runs,
    schedules: Mapping[str, Schedule] | None = None,
    *,
    run: str | None = None,
    step: str = "step",
    lr: str = "lr",
    warmup: int = 0,
    momentum: float = MOMENTUM,
) -> Runs:
    """Return the runs with the columns that laws of schedules take: S1, S2 and the nodes up to each row's step.

    schedules: value of the column `run` → schedule; without it they are read off the table, as `schedules_of` does.
    run: the column that says which rows are one training run; without it the group, or else the whole table.
    step, lr: the columns of the step and, for `schedules_of`, the learning rate.   momentum: of S2.
    Raises RunsError for steps or rates that are none, UsageError for unknown columns or a run without a schedule.
    """
    names, source = _names(runs, run), runs.origin.source
    if schedules is None:
        schedules = schedules_of(runs, run=run, step=step, lr=lr, warmup=warmup)
    for name in dict.fromkeys(names):
        if name not in schedules:
            raise UsageError(NO_SCHEDULE.format(source=source, name=name, known=", ".join(schedules)))
    columns = columns_of([schedules[name] for name in names], _steps(runs, step), momentum=momentum)
    derived = {**runs.origin.derived, **{name: FORMULAS[name].format(lr=lr) for name in columns}}
    return replace(runs, columns={**runs.columns, **columns}, origin=replace(runs.origin, derived=derived))


def schedules_of(
    runs: Runs, *, run: str | None = None, step: str = "step", lr: str = "lr", warmup: int = 0
) -> dict[str, Schedule]:
    """Return the schedule of each run of a table, from the learning rates that it logs.

    Between two logged steps the rate is taken to move evenly; but where it changes once and is constant before and
    after, it changes at the later step. Before the first logged step it is constant, or rises evenly from 0 in the
    first `warmup` steps. Where a formula is known, it is more exact.   Raises RunsError for rates that are none.
    """
    names, steps, rates = _names(runs, run), _steps(runs, step), np.asarray(runs[lr], dtype=np.float64)
    _refuse(~(np.isfinite(rates) & (rates >= 0)), NOT_RATES, runs, lr)
    found = {}
    for name in dict.fromkeys(names):
        rows = np.flatnonzero(np.array([other == name for other in names]))
        at, first = np.unique(steps[rows], return_index=True)
        logged = rates[rows][first]
        other = rates[rows] != logged[np.searchsorted(at, steps[rows])]
        if other.any():
            clash = int(steps[rows][other][0])
            raise RunsError(TWO_RATES.format(source=runs.origin.source, name=name, step=clash))
        if not (warmup == int(warmup) and 0 <= warmup <= at[0]):
            raise UsageError(LATE_WARMUP.format(warmup=warmup, first=int(at[0]), name=name))
        try:
            found[name] = Schedule(_filled(at, logged, int(warmup)))
        except UsageError as error:
            raise RunsError(NO_LEARNING.format(source=runs.origin.source, name=name, error=error)) from error
    return found


def _filled(at: np.ndarray, logged: np.ndarray, warmup: int) -> np.ndarray:
    """Return the rate of every step up to the last logged one."""
    rates = np.interp(np.arange(at[-1] + 1.0), at, logged)
    moves = np.concatenate([[0.0], np.diff(logged), [0.0]])
    jumps = np.flatnonzero((moves[1:-1] != 0) & (moves[:-2] == 0) & (moves[2:] == 0))
    for i in jumps:
        rates[at[i] : at[i + 1]] = logged[i]
    if warmup > 1:
        rates[:warmup] = np.linspace(0.0, logged[0], warmup)
    return rates


def _names(runs: Runs, run: str | None) -> list[str]:
    """Return the name of each row's run, as text."""
    if run is None:
        return [WHOLE_TABLE] * len(runs) if runs.group is None else [str(name) for name in runs.group]
    return [str(name) for name in runs[run].tolist()]


def _steps(runs: Runs, step: str) -> np.ndarray:
    if step not in runs.columns:
        raise UsageError(unknown("column", step, tuple(runs.columns)))
    steps = np.asarray(runs.columns[step], dtype=np.float64)
    is_bad = ~((steps >= 1) & (steps == np.floor(steps)))
    _refuse(is_bad, STEP_ZERO if (steps[is_bad] == 0).any() else NOT_STEPS, runs, step)
    return steps.astype(np.int64)


def _refuse(is_bad: np.ndarray, message: str, runs: Runs, column: str) -> None:
    rows = runs.row[is_bad].tolist()
    if rows:
        raise RunsError(message.format(source=runs.origin.source, column=column, rows=listed(rows)))

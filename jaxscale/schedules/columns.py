"""The columns that laws of schedules take, from schedules or from a table with a row per logged step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from jaxscale.errors import RunsError, UsageError
from jaxscale.registry import unknown
from jaxscale.runs import Runs
from jaxscale.schedules.schedule import Nodes, Schedule, nodes_of, pieces_of
from jaxscale.text import listed

MOMENTUM = 0.999
"""Of the drops in S2 (Tissue et al. 2024 use 0.99 to 0.999)."""
ALIGNED = 8
"""Rows are padded to a multiple of this, so that tables share programs."""
MOST_PIECES = 128

STEP_OUTSIDE = "step {step:g} is outside a schedule of {steps} steps; give whole steps from 1 on"
TOO_MANY = (
    "the rate changes its pace {count} times, and at most {most} can be carried by every row; "
    "smooth the rates, or give the schedule by its formula, as jaxscale.schedules.cosine(…)"
)
NO_ROWS = "0 rows: give at least one schedule and the step it has come to"
TOO_NARROW = "the rows need {needed} nodes, more than width = {width}"

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


def columns_of(
    schedules: Sequence[Schedule],
    steps: Sequence[int] | np.ndarray,
    *,
    momentum: float = MOMENTUM,
    width: int | None = None,
) -> dict[str, np.ndarray]:
    """Return the inputs of laws of schedules for rows, each a schedule and the step that it has come to.

    schedules: (n,), the same object where rows share one.   steps: (n,) whole numbers from 1 to the last step.
    momentum: of the drops in `annealing`.   width: nodes per row; the fewest that do, as a multiple of 8, unless given.
    Returns rate_sum (n,) = S1, annealing (n,) = S2, and (n, width) the nodes: rate_drops, rates_after, sums_since; a
    row with fewer is filled up with drops of zero.   Raises UsageError for steps outside or a rate that never settles.
    """
    if not len(schedules):
        raise UsageError(NO_ROWS)
    place: dict[int, list[int]] = {}
    for row, schedule in enumerate(schedules):
        place.setdefault(id(schedule), []).append(row)
    nodes: dict[int, Nodes] = {}
    scalars = {name: np.zeros(len(schedules)) for name in ("rate_sum", "annealing", "peak")}
    for rows in place.values():
        schedule, at = schedules[rows[0]], [_step_of(schedules[rows[0]], float(steps[row])) for row in rows]
        nodes |= dict(zip(rows, _nodes_at(schedule, at), strict=True))
        scalars["rate_sum"][rows] = schedule.sums[at]
        scalars["annealing"][rows] = annealing_of(schedule, momentum)[at]
        scalars["peak"][rows] = schedule.rates.max()
    needed = max(len(one.drops) for one in nodes.values())
    width = max(ALIGNED * -(-needed // ALIGNED), ALIGNED) if width is None else width
    if needed > width:
        raise UsageError(TOO_NARROW.format(needed=needed, width=width))
    total, peak = scalars["rate_sum"], scalars.pop("peak")
    drops = np.zeros((len(schedules), width))
    rates, since = drops + peak[:, None], drops + total[:, None]
    for row, one in nodes.items():
        count = len(one.drops)
        drops[row, :count], rates[row, :count] = one.drops, one.rates
        # The step itself is in the sum: at the end of a decay to zero, where all else is rounding, that much is known.
        since[row, :count] = np.maximum(total[row] - one.sums_before, one.rates)
    return {**scalars, "rate_drops": drops, "rates_after": rates, "sums_since": since}


def annealing_of(schedule: Schedule, momentum: float = MOMENTUM) -> np.ndarray:
    """Return S2 (steps + 1,) of each step: m_k = momentum · m_(k-1) + drop_k summed, from the end of the warm-up on.

    The warm-up is what comes before the first fall of the rate; its rises count for nothing, later ones as negative
    drops.   Source: Tissue et al. 2024, arXiv 2408.11029.
    """
    falls = np.flatnonzero(np.diff(schedule.rates) < 0)
    peak = int(falls[0]) if len(falls) else schedule.steps
    drops = np.where(np.arange(schedule.steps + 1) > peak, schedule.drops, 0.0)
    momenta = np.zeros(len(drops))
    for step in np.arange(peak + 1, len(drops)):
        momenta[step] = momentum * momenta[step - 1] + drops[step]
    return np.cumsum(momenta)


def _step_of(schedule: Schedule, step: float) -> int:
    if not (1 <= step <= schedule.steps and step == int(step)):
        raise UsageError(STEP_OUTSIDE.format(step=step, steps=schedule.steps))
    return int(step)


def _nodes_at(schedule: Schedule, steps: Sequence[int]) -> list[Nodes]:
    """Return the nodes of all changes up to each step; a piece that is over is summed once for all steps after it."""
    pieces = pieces_of(schedule)
    if len(pieces) > MOST_PIECES:
        raise UsageError(TOO_MANY.format(count=len(pieces), most=MOST_PIECES))
    over = {first: nodes_of(schedule, first, last) for first, last in pieces if last <= max(steps)}
    found = []
    for now in steps:
        begun = [(first, last) for first, last in pieces if first <= now]
        parts = [over[first] if last <= now else nodes_of(schedule, first, now) for first, last in begun]
        found.append(
            Nodes(
                *(
                    np.concatenate([np.zeros(0), *(getattr(part, name) for part in parts)])
                    for name in ("drops", "rates", "sums_before")
                )
            )
        )
    return found


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

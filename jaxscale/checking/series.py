"""The series of a table: its runs along one input, or the lowest losses along compute; one a group."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jaxscale.errors import RunsError
from jaxscale.runs import Runs
from jaxscale.text import counted, shown

NO_INPUT = "{source}: no column to follow the loss along; name params, tokens or flops (--map)"
NO_SERIES = (
    "{source}: {runs} of group {name} with one size only, which is no series; leave out --group, or group by a column "
    "that the runs of one series share"
)
NOT_THERE = "{source}: there is no numeric column '{name}' that is positive in all runs"

TOGETHER = 0.05
"""Relative difference of compute within which runs have one budget."""
LEAST_BUDGETS, BUDGETS, RUNS_IN_ONE = 8, 24, 3
"""Fewest and most budgets into which compute is cut where runs have no common ones, three runs each: the lowest loss in
each stands for it."""
SINGLE = ("flops", "tokens", "params")
"""Inputs along which a series may run, by preference."""


class RawSeries(NamedTuple):
    """A series before it is looked at: its name, its input, and x, loss and row (n,), by rising x."""

    name: str
    along: str
    x: np.ndarray
    loss: np.ndarray
    rows: np.ndarray


def series_of(runs: Runs, along: str | None) -> tuple[RawSeries, ...]:
    """Return the series of a table, one for each of its groups.

    Where params and tokens both vary, the lowest loss of each budget along compute; else all runs along the one input
    that varies.   along: the input to take instead.   Raises RunsError where there is none.
    """
    counts = runs.weight > 0
    names = [""] if runs.group is None else [str(one) for one in np.unique(runs.group[counts].astype(str))]
    found = []
    for name in names:
        rows = counts if runs.group is None else counts & (runs.group.astype(str) == name)
        found.append(_one(runs, np.flatnonzero(rows), name, along))
    return tuple(found)


def _one(runs: Runs, rows: np.ndarray, name: str, along: str | None) -> RawSeries:
    columns = {key: one[rows] for key, one in runs.columns.items() if one.ndim == 1 and (one[rows] > 0).all()}
    varying = {key for key, one in columns.items() if len(np.unique(one)) > 1}
    if along is not None:
        if along not in columns:
            raise RunsError(NOT_THERE.format(source=runs.origin.source, name=along))
        return _sorted(runs, rows, name, along, columns[along])
    if {"params", "tokens", "flops"} <= varying:
        flops = columns["flops"]
        if not _is_line(columns["params"], columns["tokens"]):
            kept = _lowest(flops, runs.loss[rows])
            return _sorted(runs, rows[kept], name, "flops", flops[kept])
    chosen = next((one for one in SINGLE if one in varying), None)
    chosen = chosen or next(iter(sorted(varying)), None)
    if chosen is None and name:
        told = counted(len(rows), "run")
        raise RunsError(NO_SERIES.format(source=runs.origin.source, runs=told, name=shown(name)))
    if chosen is None:
        raise RunsError(NO_INPUT.format(source=runs.origin.source))
    return _sorted(runs, rows, name, chosen, columns[chosen])


def _is_line(params: np.ndarray, tokens: np.ndarray) -> bool:
    """Return whether tokens are a power of params, as on D = 20 N: such runs are a series as they are."""
    first, second = np.log(params) - np.log(params).mean(), np.log(tokens) - np.log(tokens).mean()
    left = second - first * float(first @ second) / float(first @ first)
    return bool(np.sqrt(np.mean(left**2)) < TOGETHER)


def _lowest(flops: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """Return the places of the lowest loss of each budget, ascending in compute."""
    order = np.argsort(flops, kind="stable")
    logs = np.log(flops[order])
    starts = np.flatnonzero(np.diff(logs, prepend=-np.inf) > np.log1p(TOGETHER))
    most = int(np.clip(len(flops) // RUNS_IN_ONE, LEAST_BUDGETS, BUDGETS))
    if len(starts) > most:
        edges = np.linspace(logs[0], logs[-1], most + 1)[1:-1]
        starts = np.unique(np.concatenate([[0], np.searchsorted(logs, edges)]))
    parts = [part for part in np.split(order, starts[1:]) if len(part)]
    return np.array([part[np.argmin(loss[part])] for part in parts])


def _sorted(runs: Runs, rows: np.ndarray, name: str, along: str, x: np.ndarray) -> RawSeries:
    order = np.argsort(x, kind="stable")
    rows = rows[order]
    return RawSeries(name, along, x[order], runs.loss[rows], runs.row[rows])

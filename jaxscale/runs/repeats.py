"""Rows that are not independent: copies, seeds, steps that a restart logged again, checkpoints of one run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.finding import Finding, row_numbers
from jaxscale.runs.headers import normalised
from jaxscale.runs.naming import (
    SEED_NAMES,
    codes,
    joint,
    kinds,
    last_rows,
    logged_column,
    run_codes,
    run_column,
    step_column,
    time_column,
)
from jaxscale.runs.selecting import separation_of
from jaxscale.text import counted, shown, typed

if TYPE_CHECKING:
    from jaxscale.runs.table import Runs

DUPLICATE_RUNS = "{rows} repeat an earlier row's {names} and loss; delete them"
REPEATED_SEEDS = "{rows} share their {names} with another row and differ in loss, as seeds do{advice}"
TOGETHER = "; resample them together: {cluster}"
NOTHING_SHARED = "; no column says which of them belong together, so that they are drawn as independent rows"
OVERLAPPING = (
    "{rows} are at the same {time} of the same run (column {column}) as a later row of the table, as after a restart, "
    "and are no seeds; keep the later rows: {options}"
)
OVERLAPPING_ALONE = (
    "{rows} are at the same {time} of the same run (column {column}) as a later row of the table, as after a restart, "
    "and are no seeds; delete them from the table"
)
TRAJECTORIES = "{rows} are checkpoints of {runs} (column {column}), so they are not independent; {advice}"
DRAW_OR_KEEP = "draw whole runs, {cluster}, or keep the last row of each, {final}"
DRAW = "draw whole runs: {cluster}"
KEEP = "keep the last row of each run: {final}"
PLANNED = "their tokens are the same at every {time}, and only the last row has seen so many{advice}"
TOO_NARROW = "intervals will be too narrow"
NEITHER = (
    "there are {total}, and to draw whole runs takes {least}, to fit the last row of each {needed}: intervals will be "
    "too narrow until there are more"
)

CHECKPOINTS = 3
LEAST_CLUSTERS = 5
"""Clusters from which their resampling says anything: five have 126 different samples, four have 35."""
LEAST_SIZES = 3
"""Values of params and of tokens from which a floor, a scale and an exponent can be told."""
FOLLOWING = ("flops", "tokens_per_param")
"""Inputs that say nothing of what a run was given besides its params and tokens."""
LONGEST = 60
"""Letters of a header in advice."""


def findings_of_repeats(runs: Runs, inputs: Sequence[str], *, coefs: int, has_own: bool) -> list[Finding]:
    """Return at most one finding per code.

    inputs: what besides params and tokens tells runs apart.   coefs: how many a fit of these runs has, so that advice
    leaves enough rows.   has_own: whether groups have coefs of their own, with which none are drawn whole.
    """
    earlier = _superseded(runs)
    found = (
        _duplicates(runs, inputs, earlier),
        _seeds(runs, inputs, earlier, has_own=has_own),
        _overlaps(runs, inputs, earlier, coefs),
        _trajectories(runs, inputs, coefs, has_own=has_own),
    )
    return [finding for finding in found if finding is not None]


def _duplicates(runs: Runs, inputs: Sequence[str], earlier: np.ndarray) -> Finding | None:
    names, label = _label(runs, inputs)
    if not names:
        return None
    label = joint(joint(label, codes(runs.loss)), earlier.astype(np.int64))
    first = np.unique(label, return_index=True)[1]
    copies = np.setdiff1d(np.flatnonzero(~earlier), first)
    if not copies.size:
        return None
    message = DUPLICATE_RUNS.format(rows=counted(copies.size, "row"), names=" and ".join(names))
    return Finding("duplicate-runs", message, row_numbers(runs.row[copies]))


def _seeds(runs: Runs, inputs: Sequence[str], earlier: np.ndarray, *, has_own: bool) -> Finding | None:
    names, label = _label(runs, inputs)
    if not names:
        return None
    for kind in (*kinds(runs), *_steps_of_runs(runs)):
        label = joint(label, codes(kind))
    kept = np.flatnonzero(~earlier)
    pairs = np.unique(np.stack([label, codes(runs.loss)], axis=1)[kept], axis=0)
    repeated, losses = np.unique(pairs[:, 0], return_counts=True)
    rows = np.isin(label, repeated[losses > 1]) & ~earlier
    if not rows.any():
        return None
    column = _shared_column(runs, rows, label)
    advice = NOTHING_SHARED if column is None else ""
    if column is not None and _can_draw(runs, column, has_own=has_own):
        advice = TOGETHER.format(cluster=_cluster(column))
    message = REPEATED_SEEDS.format(rows=counted(int(rows.sum()), "row"), names=" and ".join(names), advice=advice)
    return Finding("repeated-seeds", message, row_numbers(runs.row[rows]))


def _overlaps(runs: Runs, inputs: Sequence[str], earlier: np.ndarray, coefs: int) -> Finding | None:
    if not earlier.any():
        return None
    apart = separation_of(runs, runs.row[earlier].tolist())
    options = ([] if apart is None else [apart.options]) + (
        ["--final"] if can_keep_last(runs, run_codes(runs), inputs, coefs) else []
    )
    message = OVERLAPPING if options else OVERLAPPING_ALONE
    told = {
        "rows": counted(int(earlier.sum()), "row"),
        "time": time_column(runs),
        "column": shown(run_column(runs) or ""),
    }
    text = message.format(**told, options=", or the last of each run alone: ".join(options))
    return Finding("overlapping-rows", text, row_numbers(runs.row[earlier]))


def _trajectories(runs: Runs, inputs: Sequence[str], coefs: int, *, has_own: bool) -> Finding | None:
    named = run_column(runs)
    column = named or logged_column(runs)
    if column is None or "params" not in runs.columns or "tokens" not in runs.columns:
        return None
    run, at, step = joint(codes(runs[column]), codes(runs["params"])), codes(runs["tokens"]), step_column(runs)
    if step is not None:
        at = joint(at, codes(runs[step]))
    pairs = np.unique(np.stack([run, at], axis=1), axis=0)
    each, checkpoints = np.unique(pairs[:, 0], return_counts=True)
    followed = each[checkpoints >= CHECKPOINTS]
    rows = np.isin(run, followed)
    if not rows.any():
        return None
    tokens = np.unique(np.stack([run, codes(runs["tokens"])], axis=1)[rows], axis=0)
    is_planned = len(tokens) == followed.size
    can_draw = _can_draw(runs, column, has_own=has_own) and not is_planned
    can_keep = can_keep_last(runs, run_codes(runs) if named else run, inputs, coefs)
    advice = {(True, True): DRAW_OR_KEEP, (True, False): DRAW, (False, True): KEEP, (False, False): NEITHER}
    total = counted(np.unique(run).size, "run")
    told = {
        "cluster": _cluster(column),
        "final": "--final" if named else f"--group {typed(column[:LONGEST])} --final",
        "total": total,
        "needed": coefs + 1,
        "least": LEAST_CLUSTERS,
    }
    is_enough = np.unique(run).size > max(coefs, LEAST_CLUSTERS - 1)
    said = TOO_NARROW if is_enough and not can_draw and not can_keep else advice[can_draw, can_keep].format(**told)
    if is_planned:
        said = PLANNED.format(time=shown(step or ""), advice=f"; {said}" if can_keep else "")
    message = TRAJECTORIES.format(
        rows=counted(int(rows.sum()), "row"),
        runs=counted(followed.size, "run"),
        column=shown(column),
        advice=said,
    )
    return Finding("trajectory-rows", message, row_numbers(runs.row[rows]))


def _superseded(runs: Runs) -> np.ndarray:
    """Return (n,) bool, true for a row whose step a later row of the same run has again.

    Only where the rows of a run are a log, at several steps or tokens; and not where a seed tells them apart.
    """
    none = np.zeros(len(runs), dtype=bool)
    column, time = run_column(runs), time_column(runs)
    run = None if column is None else run_codes(runs)
    if run is None or time is None:
        return none
    for name in (name for name in (*runs.labels, *runs.columns) if normalised(name) in SEED_NAMES):
        run = joint(run, codes(runs[name]))
    at = codes(runs[time])
    pairs = np.unique(np.stack([run, at], axis=1), axis=0)
    each, times = np.unique(pairs[:, 0], return_counts=True)
    key = joint(run, at)
    order = np.lexsort((runs.row, key))
    is_last = np.append(key[order][1:] != key[order][:-1], True)
    none[order[~is_last]] = True
    return none & np.isin(run, each[times > 1])


def _can_draw(runs: Runs, column: str, *, has_own: bool) -> bool:
    """Return whether the entries of a column can be drawn as clusters."""
    return not has_own and np.unique(codes(runs[column])[runs.weight > 0]).size >= LEAST_CLUSTERS


def can_keep_last(runs: Runs, named: np.ndarray | None, inputs: Sequence[str], coefs: int) -> bool:
    """Return whether the last rows of the runs can be fitted: more than coefs, and sizes that still vary.

    named: (n,), equal for the rows of one run.
    """
    if named is None:
        return False
    last = last_rows(runs, named)
    last = last[runs.weight[last] > 0]
    sizes = [runs[name] for name in inputs or ("params", "tokens") if name in runs.columns and runs[name].ndim == 1]
    varied = all(np.unique(size[last]).size >= min(LEAST_SIZES, np.unique(size).size) for size in sizes)
    return last.size > coefs and varied


def _steps_of_runs(runs: Runs) -> list[np.ndarray]:
    """Return (n,) int64, the step of a row whose run has several, nothing where no steps of runs are logged."""
    column, step = run_column(runs) or logged_column(runs), step_column(runs)
    if column is None or step is None:
        return []
    run, at = codes(runs[column]), codes(runs[step])
    pairs = np.unique(np.stack([run, at], axis=1), axis=0)
    each, times = np.unique(pairs[:, 0], return_counts=True)
    return [np.where(np.isin(run, each[times > 1]), at + 1, 0)]


def _cluster(column: str) -> str:
    return f"--scheme cluster --group {typed(column[:LONGEST])}"


def _shared_column(runs: Runs, rows: np.ndarray, label: np.ndarray) -> str | None:
    """Return the column that names runs if seeds share its entries."""
    column = run_column(runs)
    if column is None:
        return None
    together = np.unique(np.stack([label, codes(runs[column])], axis=1)[rows], axis=0)
    return column if len(together) == len(np.unique(label[rows])) else None


def _label(runs: Runs, inputs: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the names of what a run was given, and (n,) int64 equal where two runs were given the same."""
    given = (*(name for name in ("params", "tokens") if name in runs.columns), *inputs)
    names = tuple(dict.fromkeys(name for name in given if name not in FOLLOWING)) or tuple(runs.columns)
    label = np.zeros(len(runs), dtype=np.int64)
    for name in names:
        label = joint(label, codes(runs[name]))
    return names, label

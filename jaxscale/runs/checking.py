"""What looks odd about the numbers of a table, without forbidding a fit."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import numpy as np

from jaxscale.carets import escaped
from jaxscale.runs.aliases import plain
from jaxscale.runs.findings import Finding, row_numbers
from jaxscale.runs.showing import counted, shown
from jaxscale.runs.table import Runs

DUPLICATE_RUNS = "{rows} repeat another row's {names} and loss; delete the copies"
REPEATED_SEEDS = (
    "{rows} share their {names} with another row and differ in loss, as seeds do; "
    "resample them together: --scheme cluster --group {group}"
)
TRAJECTORY_ROWS = (
    "{rows} are checkpoints of {runs} (column {column}), so they are not independent; "
    "keep the last checkpoint of each run, or use --scheme cluster --group {group}"
)
FLOPS_MISMATCH = (
    "flops differ from 6 params tokens by more than rounding in {rows}: the ratio there is {low:.3g} to {high:.3g}, "
    "median {median:.3g}{hint}; --count all refits under other conventions of counting"
)
FORWARD_ONLY = ", as of 2 params tokens for a forward pass alone"
UNITS_SUSPECT = "{remark}; give params and tokens as plain counts, not in millions or billions"
FEW_PARAMS = "half of the params are below {value:.3g}"
MANY_PARAMS = "half of the params are above {value:.3g}"
FEW_TOKENS = "half of the runs saw fewer than {value:.3g} tokens per parameter"
NONPOSITIVE_LOSS = "{rows} have a loss at or below zero, which only an objective in linear space can use"

FEWEST_PARAMS, MOST_PARAMS, FEWEST_TOKENS_PER_PARAM = 1e4, 1e15, 1e-3
ROUNDED = -3.0 * np.log(0.995)
"""What the logs of three numbers add up to, where each was rounded to three digits, at worst."""
FORWARD_SHARE, NEAR = 1.0 / 3.0, 0.02
CHECKPOINTS = 3
FOLLOWING = ("flops", "tokens_per_param")
"""Inputs that say nothing of what a run was given besides its params and tokens."""
LONGEST = 60
"""Letters of a header in advice."""
RUN_NAMES = ("run", "run id", "run name", "runid", "name", "id", "experiment id")


def findings_of(runs: Runs, inputs: Sequence[str] = ()) -> tuple[Finding, ...]:
    """Return at most one finding per code; neither codes nor messages depend on the order of rows.

    inputs: what besides params and tokens tells runs apart.
    """
    of_rows = (_duplicates(runs, inputs), _seeds(runs, inputs), _trajectories(runs))
    found = (*of_rows, _flops(runs), _units(runs), _losses(runs))
    return tuple(finding for finding in found if finding is not None)


def run_column(runs: Runs) -> str | None:
    """Return the column that names runs, None where there is none."""
    return next((name for name in (*runs.labels, *runs.columns) if plain(name) in RUN_NAMES), None)


def _duplicates(runs: Runs, inputs: Sequence[str]) -> Finding | None:
    names, label = _label(runs, inputs)
    if not names:
        return None
    label = _joint(label, _codes(runs.loss))
    first = np.unique(label, return_index=True)[1]
    copies = np.setdiff1d(np.arange(len(runs)), first)
    if not copies.size:
        return None
    message = DUPLICATE_RUNS.format(rows=counted(copies.size, "row"), names=" and ".join(names))
    shared = np.isin(label, label[copies])
    return Finding("duplicate-runs", message, row_numbers(runs.row[shared]))


def _seeds(runs: Runs, inputs: Sequence[str]) -> Finding | None:
    names, label = _label(runs, inputs)
    if not names:
        return None
    for kind in _kinds(runs):
        label = _joint(label, _codes(kind))
    pairs = np.unique(np.stack([label, _codes(runs.loss)], axis=1), axis=0)
    repeated, losses = np.unique(pairs[:, 0], return_counts=True)
    rows = np.isin(label, repeated[losses > 1])
    if not rows.any():
        return None
    group = _shared_column(runs, rows, label)
    message = REPEATED_SEEDS.format(rows=counted(int(rows.sum()), "row"), names=" and ".join(names), group=group)
    return Finding("repeated-seeds", message, row_numbers(runs.row[rows]))


def _shared_column(runs: Runs, rows: np.ndarray, label: np.ndarray) -> str:
    """Return the column that names runs if seeds share its entries, else a word for the one that has to be made."""
    column = run_column(runs)
    if column is None:
        return "COLUMN, one that they share"
    together = np.unique(np.stack([label, _codes(runs[column])], axis=1)[rows], axis=0)
    is_shared = len(together) == len(np.unique(label[rows]))
    return _typed(column) if is_shared else "COLUMN, one that they share"


def _trajectories(runs: Runs) -> Finding | None:
    column = run_column(runs)
    if column is None or "params" not in runs.columns or "tokens" not in runs.columns:
        return None
    run = _joint(_codes(runs[column]), _codes(runs["params"]))
    pairs = np.unique(np.stack([run, _codes(runs["tokens"])], axis=1), axis=0)
    each, checkpoints = np.unique(pairs[:, 0], return_counts=True)
    followed = each[checkpoints >= CHECKPOINTS]
    rows = np.isin(run, followed)
    if not rows.any():
        return None
    message = TRAJECTORY_ROWS.format(
        rows=counted(int(rows.sum()), "row"),
        runs=counted(followed.size, "run"),
        column=shown(column),
        group=_typed(column),
    )
    return Finding("trajectory-rows", message, row_numbers(runs.row[rows]))


def _flops(runs: Runs) -> Finding | None:
    if "flops" in runs.origin.derived or not {"params", "tokens", "flops"} <= set(runs.columns):
        return None
    with np.errstate(all="ignore"):
        ratio = runs["flops"] / (6.0 * runs["params"] * runs["tokens"])
        is_off = np.isfinite(ratio) & (np.abs(np.log(ratio)) > ROUNDED)
    if not is_off.any():
        return None
    off = ratio[is_off]
    is_forward = bool((np.abs(off / FORWARD_SHARE - 1.0) < NEAR).all())
    message = FLOPS_MISMATCH.format(
        rows=counted(off.size, "row"),
        low=off.min(),
        high=off.max(),
        median=np.median(off),
        hint=FORWARD_ONLY if is_forward else "",
    )
    return Finding("flops-mismatch", message, row_numbers(runs.row[is_off]))


def _units(runs: Runs) -> Finding | None:
    remarks = []
    if "params" in runs.columns:
        params = float(np.median(runs["params"]))
        remarks += [FEW_PARAMS.format(value=FEWEST_PARAMS)] if params < FEWEST_PARAMS else []
        remarks += [MANY_PARAMS.format(value=MOST_PARAMS)] if params > MOST_PARAMS else []
        if "tokens" in runs.columns:
            is_scarce = runs["tokens"] < FEWEST_TOKENS_PER_PARAM * runs["params"]
            remarks += [FEW_TOKENS.format(value=FEWEST_TOKENS_PER_PARAM)] if is_scarce.mean() > 0.5 else []
    return Finding("units-suspect", UNITS_SUSPECT.format(remark=" and ".join(remarks))) if remarks else None


def _losses(runs: Runs) -> Finding | None:
    rows = runs.row[runs.loss <= 0]
    if not rows.size:
        return None
    return Finding("nonpositive-loss", NONPOSITIVE_LOSS.format(rows=counted(rows.size, "row")), row_numbers(rows))


def _label(runs: Runs, inputs: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the names of what a run was given, and (n,) int64 equal where two runs were given the same."""
    given = (*(name for name in ("params", "tokens") if name in runs.columns), *inputs)
    names = tuple(dict.fromkeys(name for name in given if name not in FOLLOWING)) or tuple(runs.columns)
    label = np.zeros(len(runs), dtype=np.int64)
    for name in names:
        label = _joint(label, _codes(runs[name]))
    return names, label


def _kinds(runs: Runs) -> list[np.ndarray]:
    """Return the labels that tell kinds of runs apart, such as a corpus: no run's name, no label unique to its row."""
    labels = [label for name, label in runs.labels.items() if plain(name) not in RUN_NAMES]
    return [label for label in labels if np.unique(label).size < len(runs)]


def _codes(values: np.ndarray) -> np.ndarray:
    """Return (n,) int64, equal where values, or rows (n, T) of them, are; NaN equals nothing, not even itself."""
    axis = 0 if values.ndim > 1 else None
    codes = np.unique(values, return_inverse=True, equal_nan=False, axis=axis)[1]
    return codes.astype(np.int64)


def _joint(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return (n,) int64, equal where both codes are."""
    return np.unique(first * (int(second.max()) + 1) + second, return_inverse=True)[1].astype(np.int64)


def _typed(column: str) -> str:
    """Return a header as a shell takes it; the beginning of one that is no name but a text."""
    return shlex.quote(escaped(column[:LONGEST]))

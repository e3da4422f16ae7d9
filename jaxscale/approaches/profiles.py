"""IsoFLOP profiles: the runs of a table that spent the same compute, by a column or by how close their FLOP are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jaxscale.errors import RunsError, UsageError
from jaxscale.registry import unknown
from jaxscale.runs import Runs

TOLERANCE = 0.05
"""Relative difference of FLOP within which runs count as one budget."""
FEWEST = 3

NO_FLOPS = "{source}: no column flops, and none can be derived: give params and tokens, or --map flops=COLUMN"
NOT_NUMBERS = "{source}: column '{name}' holds text; a budget is a number of FLOP"
NOT_A_TOLERANCE = "tolerance = {tolerance!r} is not a number between 0 and 1, 0.05 for 5 %"
NO_PROFILES = (
    "{source}: no {fewest} runs share a budget within {tolerance:g} %: name the column of budgets, widen the "
    "tolerance, or use a fit alone"
)


@dataclass(frozen=True)
class Profile:
    """The runs of one budget: its FLOP, and the positions (m,) of its runs in the table, from small to large."""

    flops: float
    rows: np.ndarray


def profiles_of(runs: Runs, *, budget: str | None = None, tolerance: float = TOLERANCE) -> tuple[Profile, ...]:
    """Return the profiles of a table by rising budget; runs with no budget, or alone on theirs, are in none.

    budget: column that names each run's budget in FLOP, NaN for none. Without it budgets are where most runs lie
    within `tolerance` of one another, the densest first; the budget is then their geometric mean. Runs of weight zero
    are left out.   Raises UsageError for a bad tolerance or column, RunsError for a table without profiles.
    """
    if not 0.0 < tolerance < 1.0:
        raise UsageError(NOT_A_TOLERANCE.format(tolerance=tolerance))
    flops = flops_of(runs)
    if budget is None:
        parts = _clusters(np.where(runs.weight > 0, flops, np.nan), tolerance)
    else:
        nominal = _column(runs, budget)
        parts = [(float(value), np.flatnonzero(nominal == value)) for value in np.unique(nominal[np.isfinite(nominal)])]
    params = runs.columns["params"]
    kept = [
        Profile(value, rows[np.argsort(params[rows], kind="stable")])
        for value, rows in ((value, rows[runs.weight[rows] > 0]) for value, rows in parts)
        if len(rows) >= FEWEST
    ]
    if not kept:
        message = NO_PROFILES.format(source=runs.origin.source, fewest=FEWEST, tolerance=100 * tolerance)
        raise RunsError(message)
    return tuple(sorted(kept, key=lambda profile: profile.flops))


def flops_of(runs: Runs) -> np.ndarray:
    """Return the FLOP (n,) of every run; raise RunsError for a table without."""
    for name in ("flops", "params"):
        if name not in runs.columns:
            raise RunsError(NO_FLOPS.format(source=runs.origin.source))
    return runs.columns["flops"]


def _column(runs: Runs, name: str) -> np.ndarray:
    if name in runs.labels:
        raise UsageError(NOT_NUMBERS.format(source=runs.origin.source, name=name))
    if name not in runs.columns:
        raise UsageError(unknown("column", name, tuple(runs.columns)))
    return np.asarray(runs.columns[name], dtype=np.float64)


def _clusters(flops: np.ndarray, tolerance: float) -> list[tuple[float, np.ndarray]]:
    """Return budgets and their runs: again and again the run with most others within the tolerance, and those."""
    order = np.argsort(flops, kind="stable")[: int(np.isfinite(flops).sum())]
    logs, reach = np.log(flops[order]), np.log1p(tolerance) * (1 + 1e-9)
    is_left, found = np.ones(len(order), bool), []
    while is_left.any():
        left = np.flatnonzero(is_left)
        first = np.searchsorted(logs[left], logs[left] - reach, "left")
        last = np.searchsorted(logs[left], logs[left] + reach, "right")
        best = int(np.argmax(last - first))
        if last[best] - first[best] < FEWEST:
            break
        members = left[first[best] : last[best]]
        found.append((float(np.exp(logs[members].mean())), order[members]))
        is_left[members] = False
    return found

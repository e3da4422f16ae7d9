"""IsoFLOP profiles, runs that spent the same compute: their price of a param per token, and where each is lowest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from scipy.interpolate import Akima1DInterpolator

from jaxscale.costs.training import Price, decided
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

Method: TypeAlias = Literal["parabola", "local", "cubic", "akima"]
METHODS: tuple[Method, ...] = ("parabola", "local", "cubic", "akima")

WINDOW = 0.06
"""Runs within this share of the lowest loss enter a local parabola."""
PER_INTERVAL = 25
"""Points between two sizes at which an interpolated curve is looked at.   Source: Porian et al. 2024, its code."""

FOUND, TOO_FEW, CURVED_DOWN, NOT_BRACKETED = range(4)
REASONS = ("", "too few sizes", "no minimum: the curve does not open upwards", "minimum not between measured sizes")


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
    flops = run_flops(runs)
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


def run_flops(runs: Runs) -> np.ndarray:
    """Return the FLOP (n,) of every run; raise RunsError for a table without."""
    for name in ("flops", "params"):
        if name not in runs.columns:
            raise RunsError(NO_FLOPS.format(source=runs.origin.source))
    return runs.columns["flops"]


def cost_of(runs: Runs, profile: Profile, u: float) -> float:
    """Return k of C = k N^u D in a profile: the geometric mean over its runs of the budget by N^u D."""
    rows = profile.rows
    product = u * np.log(runs.columns["params"][rows]) + np.log(runs.columns["tokens"][rows])
    return float(np.exp(np.mean(np.log(profile.flops) - product)))


def tokens_of(runs: Runs, profiles: Sequence[Profile], params: np.ndarray, price: Price) -> np.ndarray:
    """Return the tokens (…, b) that sizes (…, b) have on the budgets of profiles, at their own k and the table's u."""
    costs = np.array([cost_of(runs, profile, float(price.u)) for profile in profiles])
    flops = np.array([profile.flops for profile in profiles])
    return decided({"params": params, "flops": flops}, price._replace(k=costs))["tokens"]


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


def minima(
    log_params: np.ndarray, loss: np.ndarray, weight: np.ndarray, method: Method
) -> tuple[np.ndarray, np.ndarray]:
    """Return ln N at the minimum (R,), NaN where there is none, and the index of the reason in REASONS (R,).

    log_params: (m,), rising.   loss: (R, m) or (1, m), nats per token.   weight: (R, m) or (1, m), ≥ 0; a run of weight
    zero is absent. A minimum counts only where the curve opens upwards there and the place lies between the sizes that
    are present: it is bracketed.   Raises UsageError for an unknown method.
    """
    if method not in METHODS:
        raise UsageError(unknown("method", str(method), METHODS))
    loss, weight = np.broadcast_arrays(np.atleast_2d(loss), np.atleast_2d(weight))
    is_there = weight > 0
    if method == "local":
        lowest = np.where(is_there, loss, np.inf).min(axis=1, keepdims=True)
        weight = np.where(loss <= lowest * (1.0 + WINDOW), weight, 0.0)
    sizes = _sizes(log_params, weight > 0)
    smallest = np.where(is_there, log_params, np.inf).min(axis=1)
    largest = np.where(is_there, log_params, -np.inf).max(axis=1)
    find: Callable[..., tuple[np.ndarray, np.ndarray]] = _interpolated if method == "akima" else _fitted
    has_enough = sizes >= (4 if method == "cubic" else 3)
    place, is_up = find(log_params, loss, np.where(has_enough[:, None], weight, 0.0), 3 if method == "cubic" else 2)
    is_inside = (place > smallest) & (place < largest)
    reason = np.select([~has_enough, ~is_up, ~is_inside], [TOO_FEW, CURVED_DOWN, NOT_BRACKETED])
    return np.where(reason == FOUND, place, np.nan), reason


def _sizes(log_params: np.ndarray, is_there: np.ndarray) -> np.ndarray:
    """Return how many different sizes are present (R,)."""
    first = np.flatnonzero(np.r_[True, np.diff(log_params) > 0])
    count: np.ndarray = np.logical_or.reduceat(is_there, first, axis=1).sum(axis=1)
    return count


def _fitted(x: np.ndarray, y: np.ndarray, weight: np.ndarray, degree: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the minimum (R,) of the weighted least-squares polynomial, and whether it has one."""
    half = max(0.5 * (x[-1] - x[0]), 1e-300)
    middle = 0.5 * (x[0] + x[-1])
    powers = ((x - middle) / half) ** np.arange(2 * degree + 1)[:, None]
    moments = weight @ powers.T
    right = (weight * (y - y.mean(axis=1, keepdims=True))) @ powers[: degree + 1].T
    place = np.arange(degree + 1)
    matrix = moments[:, place[:, None] + place]
    is_empty = moments[:, 0] == 0
    matrix[is_empty] = np.eye(degree + 1)
    with np.errstate(all="ignore"):
        coefs = np.linalg.solve(matrix + 0.0, right[..., None])[..., 0]
        b, c, d = coefs[:, 1], coefs[:, 2], coefs[:, 3] if degree == 3 else np.zeros(len(coefs))
        root = c**2 - 3 * b * d
        # of both ends of b + 2 c z + 3 d z² = 0 the one where the curve opens upwards, written without cancellation
        z = -b / (c + np.sqrt(root)) if degree == 3 else -b / (2 * c)
        is_up = (root > 0) & ((c > 0) if degree == 2 else (c + 3 * d * z > 0))
    return middle + half * z, is_up & ~is_empty


def _interpolated(x: np.ndarray, loss: np.ndarray, weight: np.ndarray, _: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the minimum (R,) of the interpolated ln loss over ln N, runs of one size taken together."""
    place, is_up = np.full(len(weight), np.nan), np.zeros(len(weight), bool)
    first = np.flatnonzero(np.r_[True, np.diff(x) > 0])
    total = np.add.reduceat(weight, first, axis=1)
    with np.errstate(invalid="ignore"):
        curve = np.add.reduceat(weight * np.log(loss), first, axis=1) / total
    patterns, which = np.unique(total > 0, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        lanes = np.flatnonzero(which.ravel() == number)
        if pattern.sum() >= 3:
            place[lanes], is_up[lanes] = _lowest(x[first][pattern], curve[np.ix_(lanes, pattern)])
    return place, is_up


def _lowest(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest point (R,) of curves through y (R, m): of a fine grid, then of the parabola beside it."""
    grid = np.linspace(x[0], x[-1], (len(x) - 1) * PER_INTERVAL)
    found = Akima1DInterpolator(x, y, axis=1)(grid)
    best = found.argmin(axis=1)
    is_inside = (best > 0) & (best < len(grid) - 1)
    middle = np.clip(best, 1, len(grid) - 2)
    lane = np.arange(len(y))
    left, here, right = (found[lane, middle + step] for step in (-1, 0, 1))
    bend = left - 2 * here + right
    shift = np.where(bend > 0, 0.5 * (left - right) / np.where(bend > 0, bend, 1.0), 0.0)
    place = np.where(is_inside, grid[middle] + np.clip(shift, -1, 1) * (grid[1] - grid[0]), grid[best])
    return place, np.ones(len(y), bool)

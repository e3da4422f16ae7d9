"""From runs to what a fit begins with: the padded table of inputs, target and weights, and the start points."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from jaxscale.engine.data import Batch, bucket, pad
from jaxscale.errors import RunsError, UsageError
from jaxscale.fitting.groups import spread
from jaxscale.laws import Law
from jaxscale.laws.spec import EXCEEDS_SIMPLEX
from jaxscale.laws.starts import product_starts
from jaxscale.objectives import Objective, weight_of
from jaxscale.registry import unknown
from jaxscale.resampling import clusters_of
from jaxscale.results.kinds import check_runs
from jaxscale.runs import Runs
from jaxscale.text import counted, listed

TOO_FEW = "{source}: {rows} for {coefs} of '{law}'; at least {free} are needed"
EXCLUDED = "{source}: {column} {demand} for {why}; rows {rows}"
CONSTANT_LOSS = "{source}: every run has the loss {loss:g}, so no exponent can be fitted"
NO_SCHEDULES = (
    "{source}: '{law}' takes {inputs}, made of the whole schedule of a run: give them to a table of {columns} by "
    "jaxscale.schedules.with_schedules(runs)"
)
WEIGHTS_OUTSIDE = "{source}: a weight must lie between {low:g} and {high:g} for {why}; rows {{rows}}"
LOPSIDED = (
    "{source}: with these weights{why} {free} or fewer runs count more than {most:g} times as much as any other, and "
    "the others are lost in rounding; bring them closer together; rows {rows}"
)
NOT_FINITE = "{source}: {column} is missing or not finite in rows {rows}, and '{law}' needs it"

LEAST_WEIGHT, MOST_WEIGHT = 1e-100, 1e100
"""Weights whose squares are numbers."""
MOST_RATIO = 1e8
"""How many times the others a few runs may weigh: from 1e9 on, fits of three coefs to runs of which one weighs so much
ended elsewhere than SciPy's, which were told to meet that run exactly."""

ROWS = 500
"""Runs that a law finds its own starts from: a longer table is thinned evenly, since a start need not be exact."""
NOT_STARTS = (
    "starts = {starts!r}: a point is a mapping of coefs to numbers, as in starts={{'E': 1.5, …}}; give one or a list"
)
NO_STARTS = "starts is empty: give one point, several, or none at all for the law's own grid"


def batch_of(runs: Runs, law: Law, objective: Objective, free: int) -> Batch:
    """Return the padded table that lanes are solved on; raise RunsError where the runs cannot carry this fit.

    Raises UsageError for what is no table of runs.
    """
    check_runs("fit", runs)
    source = runs.origin.source
    for name in law.inputs:
        if name not in runs.columns and law.input(name).derived_from:
            made, columns = ", ".join(law.inputs), " and ".join(law.derived_from)
            raise RunsError(NO_SCHEDULES.format(source=source, law=law.name, inputs=made, columns=columns))
        if name not in runs.columns:
            raise RunsError(f"{source}: " + unknown(f"input of law '{law.name}':", name, tuple(runs.columns)))
        column = runs.columns[name]
        finite = np.isfinite(np.asarray(column)).reshape(len(runs), -1).all(axis=1)
        _refuse(
            np.logical_not(finite), NOT_FINITE.format(source=source, column=name, law=law.name, rows="{rows}"), runs
        )
        measure = law.input(name)
        outside = np.any(measure.excludes(column).reshape(len(runs), -1), axis=1)
        demanded = EXCLUDED.format(
            source=source, column=name, demand=measure.demand, why=f"'{law.name}'", rows="{rows}"
        )
        _refuse(outside, demanded, runs)
    said = EXCEEDS_SIMPLEX.format(names=", ".join(law.parts))
    _refuse(np.broadcast_to(law.exceeds_simplex(runs.columns), len(runs)), f"{source}: {said}; rows {{rows}}", runs)
    if law.gives_share:
        is_outside = (runs.loss < 0) | (runs.loss > 1)
        demand = "must lie between 0 and 1"
        demanded = EXCLUDED.format(source=source, column=law.target, demand=demand, why=f"'{law.name}'", rows="{rows}")
        _refuse(is_outside, demanded, runs)
    if objective.space == "log":
        why = "an objective in log space"
        demanded = EXCLUDED.format(source=source, column="loss", demand="must be positive", why=why, rows="{rows}")
        _refuse(runs.loss <= 0, demanded, runs)
    effective = runs.weight > 0
    if int(effective.sum()) < free:
        rows, coefs = counted(int(effective.sum()), "run"), counted(free, "free coef")
        raise RunsError(TOO_FEW.format(source=source, rows=rows, coefs=coefs, free=free, law=law.name))
    if free and len(runs) > 1 and np.ptp(runs.loss[effective]) == 0.0:
        raise RunsError(CONSTANT_LOSS.format(source=source, loss=float(runs.loss[effective][0])))
    weight = weight_of(runs, objective)
    is_outside = effective & ~((weight >= LEAST_WEIGHT) & (weight <= MOST_WEIGHT))
    why = "its square to be a number" if runs.sigma is None else "its square to be a number; look at sigma too"
    _refuse(is_outside, WEIGHTS_OUTSIDE.format(source=source, low=LEAST_WEIGHT, high=MOST_WEIGHT, why=why), runs)
    _check_balance(runs, weight, free)
    target = np.log(runs.loss) if objective.space == "log" else runs.loss
    cluster = clusters_of(runs.group, len(runs))
    return pad(tuple(runs.columns[name] for name in law.inputs), np.asarray(target), weight, cluster)


def programs_of(runs: Runs, law: Law, objective: Objective) -> Hashable:
    """Return what the programs of a fit and of its replicates depend on: the same where they share them."""
    return (bucket(len(runs)), law, objective.rho, objective.space)


def _check_balance(runs: Runs, weight: np.ndarray, free: int) -> None:
    """Raise RunsError where so few runs outweigh the others that float64 forgets what these say of the coefs."""
    heaviest = np.sort(weight[weight > 0])[::-1]
    rest = heaviest[min(free, len(heaviest) - 1)]
    why = " or standard errors" if runs.sigma is not None else ""
    told = {"source": runs.origin.source, "most": MOST_RATIO, "free": free, "why": why}
    _refuse(weight > MOST_RATIO * rest, LOPSIDED.format(rows="{rows}", **told), runs)


def _refuse(is_bad: NDArray[np.bool_], message: str, runs: Runs) -> None:
    """Raise RunsError with the first few rows that are bad, if any are."""
    rows = runs.row[is_bad]
    if len(rows):
        raise RunsError(message.replace("{rows}", listed(rows.tolist())))


def start_points(
    law: Law,
    runs: Runs,
    starts: Mapping[str, float] | Sequence[Mapping[str, float]] | None,
    fixed: Mapping[str, float],
) -> np.ndarray:
    """Return the start points (S, p) on the real line, with the fixed coefs at their values.

    Raises UsageError for an unknown, missing or outside coef in `starts` or `fixed`.
    """
    grid = _given(starts) if starts is not None else _own(law, runs)
    grid = [_with(law, spread(law, start), fixed) for start in grid]
    points = law.thetas(np.stack([law.vector(start) for start in grid]))
    return np.unique(points, axis=0) if fixed else points


def _with(law: Law, start: Mapping[str, float], fixed: Mapping[str, float]) -> Mapping[str, float]:
    """Return a start with the fixed coefs at their values; of a law with a chart, with others that go with these."""
    if law.chart is None or not fixed or set(start) != set(law.names):
        return {**start, **fixed}
    met = law.chart.meeting(law.vector(start), {law.names.index(name): value for name, value in fixed.items()})
    return {**dict(zip(law.names, met.tolist(), strict=True)), **fixed}


def _given(starts: Mapping[str, float] | Sequence[Mapping[str, float]]) -> Sequence[Mapping[str, float]]:
    if not isinstance(starts, (Mapping, Sequence)) or not all(isinstance(one, Mapping) for one in _listed(starts)):
        raise UsageError(NOT_STARTS.format(starts=starts))
    grid = _listed(starts)
    if not grid:
        raise UsageError(NO_STARTS)
    return grid


def _listed(starts: Mapping[str, float] | Sequence[Mapping[str, float]]) -> list[Mapping[str, float]]:
    return [starts] if isinstance(starts, Mapping) else list(starts)


def _own(law: Law, runs: Runs) -> Sequence[Mapping[str, float]]:
    """Return the law's grid from the data, or the product of its coefs' start values, thinned evenly."""
    if law.starts is not None:
        rows = np.unique(np.linspace(0, len(runs) - 1, min(ROWS, len(runs))).astype(int))
        columns = {name: runs.columns[name][rows] for name in law.inputs}
        grid = [start for start in law.starts(columns, runs.loss[rows]) if _is_inside(law, start)]
        if grid:
            return grid
    return product_starts(law.coefs)


def _is_inside(law: Law, start: Mapping[str, float]) -> bool:
    return all(support.contains(start[name]) for name, support in zip(law.names, law.supports, strict=True))

"""Where a fit begins: the user's start points, the law's own, or the product of its coefs' start values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.fitting.groups import spread
from jaxscale.laws import Law
from jaxscale.laws.starts import product_starts
from jaxscale.numerics.supports import to_theta
from jaxscale.runs import Runs

ROWS = 500
"""Runs that a law finds its own starts from: a longer table is thinned evenly, since a start need not be exact."""
NO_STARTS = "starts is empty: give one point, several, or none at all for the law's own grid"


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
    grid = [{**spread(law, start), **fixed} for start in grid]
    points = to_theta(law.names, law.supports, np.stack([law.vector(start) for start in grid]))
    return np.unique(points, axis=0) if fixed else points


def _given(starts: Mapping[str, float] | Sequence[Mapping[str, float]]) -> Sequence[Mapping[str, float]]:
    grid = [starts] if isinstance(starts, Mapping) else list(starts)
    if not grid:
        raise UsageError(NO_STARTS)
    return grid


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

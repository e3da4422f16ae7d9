"""Extrapolation: how far requested runs lie beyond the runs of the fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from jaxscale.costs.training import training_flops
from jaxscale.finding import Finding
from jaxscale.laws import Law
from jaxscale.reports.warnings import EXTRAPOLATION, FAR
from jaxscale.runs import Runs

ROUNDING = 1e-9
"""Relative tolerance at the ends of the runs: sizes are products of rounded numbers."""

ABOVE = "{name} up to {factor:,g} times above the runs of the table, whose largest is {end:.3g}"
BELOW = "{name} down to {factor:,g} times below the runs of the table, whose smallest is {end:.3g}"
OUTSIDE = "{name} outside the runs of the table, {low:g} … {high:g}"


class Extrapolated(NamedTuple):
    """One input, or the product 6 N D: the values asked for (n,), and the range of the runs that count."""

    name: str
    values: np.ndarray
    low: float
    high: float
    is_positive: bool

    @property
    def ratio(self) -> np.ndarray:
        """(n,) value over the largest run's where it is above, over the smallest one's where it is below, else 1."""
        if not self.is_positive:
            return np.ones_like(self.values)
        above, below = self.values / self.high, self.values / self.low
        found = np.where(above > 1.0 + ROUNDING, above, np.where(below < 1.0 - ROUNDING, below, 1.0))
        return np.where(np.isfinite(found), found, 1.0)

    @property
    def is_outside(self) -> np.ndarray:
        """(n,) whether a value of an input without a ratio lies outside the runs."""
        return np.logical_not(self.is_positive) & ((self.values < self.low) | (self.values > self.high))


def ratios(law: Law, columns: Mapping[str, Sequence[float]], runs: Runs) -> list[dict[str, float]]:
    """Return for each run that was asked for name → ratio where it lies beyond the table's.

    Above 1 it is over the largest run's value, below 1 over the smallest one's; NaN for inputs that may be zero.
    """
    count = len(next(iter(columns.values())))
    found: list[dict[str, float]] = [{} for _ in range(count)]
    for reach in _reaches(law, columns, runs):
        for place, ratio in enumerate(reach.ratio.tolist()):
            if ratio != 1.0:
                found[place][reach.name] = ratio
        for place in np.flatnonzero(reach.is_outside).tolist():
            found[place][reach.name] = np.nan
    return found


def extrapolation(law: Law, columns: Mapping[str, Sequence[float]], runs: Runs) -> Finding | None:
    """Return the warning of runs far beyond the table's, or outside in an input that has no ratio; None without."""
    said = []
    for reach in _reaches(law, columns, runs):
        most, least = float(np.max(reach.ratio)), float(np.min(reach.ratio))
        if most >= FAR:
            said.append(ABOVE.format(name=reach.name, factor=float(f"{most:.3g}"), end=reach.high))
        if least <= 1.0 / FAR:
            said.append(BELOW.format(name=reach.name, factor=float(f"{1.0 / least:.3g}"), end=reach.low))
        if reach.is_outside.any():
            said.append(OUTSIDE.format(name=reach.name, low=reach.low, high=reach.high))
    return Finding(EXTRAPOLATION, "; ".join(said)) if said else None


def _reaches(law: Law, columns: Mapping[str, Sequence[float]], runs: Runs) -> Iterator[Extrapolated]:
    """Yield the inputs that are numbers and that the table has, and 6 N D where the law takes size and data."""
    for name, values in columns.items():
        if name in runs.columns and runs.columns[name].ndim == 1:
            asked, has_ratio = np.asarray(values, dtype=np.float64), law.input(name).is_positive
            yield _reach(name, asked, runs.columns[name], runs, has_ratio)
    if {"params", "tokens"} <= set(columns) and {"params", "tokens"} <= set(runs.columns) and "flops" not in columns:
        asked, measured = (
            np.asarray(training_flops(np.asarray(some["params"], float), np.asarray(some["tokens"], float)))
            for some in (columns, runs.columns)
        )
        yield _reach("flops", asked, measured, runs, True)


def _reach(name: str, values: np.ndarray, measured: np.ndarray, runs: Runs, is_positive: bool) -> Extrapolated:
    there = measured[(runs.weight > 0) & np.isfinite(measured)]
    low, high = float(there.min()), float(there.max())
    return Extrapolated(name, values, low, high, is_positive and low > 0)

"""The real line of a quantity, on which distances are measured: ln of a positive one, the logit of a share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from jaxscale.intervals.spec import Line, Sample


class Map(NamedTuple):
    """A map to the real line, its slope as a function of the quantity, and the way back; elementwise."""

    to_real: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]
    back: Callable[[np.ndarray], np.ndarray]


MAPS: Mapping[Line, Map] = {
    "positive": Map(np.log, lambda value: 1.0 / value, np.exp),
    "unit": Map(
        lambda value: np.log(value) - np.log1p(-value),
        lambda value: 1.0 / (value * (1.0 - value)),
        lambda real: 1.0 / (1.0 + np.exp(-real)),
    ),
}


def line_of(support: str) -> Line:
    """Return the line of a quantity with that support; any but the known ones are measured as they are."""
    return next((line for line in MAPS if line == support), "real")


def line_through(*parts: np.ndarray) -> Line:
    """Return the line of a quantity that is positive wherever it is known, and of any other."""
    return "real" if any((np.asarray(part) <= 0).any() for part in parts) else "positive"


def on_line(sample: Sample) -> Sample:
    """Return a sample on its real line, standard errors by the slope there; values at an end are infinite."""
    if sample.line == "real":
        return sample
    own = MAPS[sample.line]

    def moved(part: np.ndarray | None) -> np.ndarray | None:
        return None if part is None else own.to_real(np.asarray(part, dtype=np.float64))

    def scaled(std: np.ndarray | None, at: np.ndarray | None) -> np.ndarray | None:
        return None if std is None or at is None else std * own.slope(np.asarray(at, dtype=np.float64))

    with np.errstate(divide="ignore", invalid="ignore"):  # an end of the line is at infinity
        return replace(
            sample,
            values=own.to_real(sample.values),
            point=moved(sample.point),
            std=scaled(sample.std, sample.values),
            point_std=scaled(sample.point_std, sample.point),
            robust_std=scaled(sample.robust_std, sample.point),
            jackknife=moved(sample.jackknife),
            line="real",
        )


def from_line(line: Line, lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return limits of the real line as the quantity."""
    if line == "real":
        return lower, upper
    with np.errstate(over="ignore"):  # a limit beyond float64 is infinite
        return MAPS[line].back(lower), MAPS[line].back(upper)

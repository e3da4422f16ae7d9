"""The percentile interval: the ensemble's own quantiles."""

from __future__ import annotations

import numpy as np

from jaxscale.intervals.spec import Interval, Sample


def limits(sample: Sample, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the (1 - level) / 2 and (1 + level) / 2 quantiles over axis 0, linearly interpolated.

    Beside an infinite value, as of an exponent at its bound, the limit is the outer of its two neighbours.
    """
    low, high = (1.0 - level) / 2.0, (1.0 + level) / 2.0
    return quantile_outwards(sample.values, low, "lower"), quantile_outwards(sample.values, high, "higher")


def quantile_outwards(values: np.ndarray, share: float, outwards: str) -> np.ndarray:
    """Return a quantile over axis 0; beside an infinite value its neighbour outwards, `lower` or `higher`."""
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        between: np.ndarray = np.quantile(values, share, axis=0)
    if np.isfinite(between).all():
        return between
    outer = np.quantile(values, share, axis=0, method=outwards)  # type: ignore[call-overload]
    return np.where(np.isfinite(between), between, outer)[()]


INTERVAL = Interval("percentile", limits, "Efron & Tibshirani 1993, §13.3")

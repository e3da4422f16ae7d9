"""The percentile interval: the crowd's own quantiles."""

from __future__ import annotations

import numpy as np

from jaxscale.intervals.spec import Interval


def limits(samples: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the (1 - level) / 2 and (1 + level) / 2 quantiles over axis 0, linearly interpolated."""
    low, high = np.quantile(samples, [(1.0 - level) / 2.0, (1.0 + level) / 2.0], axis=0)
    return low, high


PERCENTILE = Interval("percentile", limits, "Efron & Tibshirani 1993, §13.3")

"""The basic interval: the estimate less the quantiles of what the replicates err by."""

from __future__ import annotations

import numpy as np

from jaxscale.intervals.percentile import limits as quantiles
from jaxscale.intervals.spec import Interval, Sample


def limits(sample: Sample, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return 2 θ - q over axis 0, q the upper and the lower quantile: the percentile interval, mirrored at θ."""
    low, high = quantiles(sample, level)
    twice = 2.0 * np.asarray(sample.point)
    return twice - high, twice - low


INTERVAL = Interval(
    "basic", limits, "Davison & Hinkley 1997, eq. 5.6", needs=("point",), is_distance=True, at_bound=False
)

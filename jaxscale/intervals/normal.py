"""The normal interval: the estimate, and as many standard deviations of the replicates as a normal error has."""

from __future__ import annotations

import numpy as np

from jaxscale.errors import IntervalError
from jaxscale.intervals.spec import Interval, Sample
from jaxscale.intervals.student import quantile

NO_SPREAD = (
    "{count} of {total} replicates lie at the end of what the quantity may be, so that it has no standard deviation "
    "for the interval 'normal'; the percentile interval needs none"
)
TOO_FEW = "the interval '{name}' needs two usable replicates at least, and there is {count}"


def limits(sample: Sample, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return θ ∓ z s over axis 0, s the standard deviation of the replicates."""
    values, point = sample.values, np.asarray(sample.point)
    infinite = ~np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    if infinite.any():
        raise IntervalError(NO_SPREAD.format(count=int(infinite.sum()), total=len(values)))
    if len(values) < 2:
        raise IntervalError(TOO_FEW.format(name="normal", count=len(values)))
    reach = quantile(level, np.inf) * np.std(values, axis=0, ddof=1)
    return point - reach, point + reach


INTERVAL = Interval(
    "normal", limits, "Efron & Tibshirani 1993, §13.2", needs=("point",), is_distance=True, at_bound=False
)

"""The studentised interval: quantiles of what the replicates err by in their own standard errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jaxscale.errors import IntervalError
from jaxscale.intervals.percentile import limits as quantiles
from jaxscale.intervals.spec import Interval, Sample

LEAST = 0.5
"""Share of the replicates that must have a standard error: one without it, as at a bound, does not enter."""
NO_ERRORS = (
    "{count} of {total} replicates have a standard error above zero, too few for the interval 'studentised': there is "
    "none at a bound, for the objective 'absolute', or where a table has no more runs than coefs"
)


def limits(sample: Sample, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return θ - q se over axis 0, q the upper and the lower quantile of (θ* - θ) / se*."""
    point, error = np.asarray(sample.point), np.asarray(sample.point_std)
    values, own = sample.values, np.asarray(sample.std)
    is_known = np.isfinite(values) & np.isfinite(own) & (own > 0)
    is_known = is_known.all(axis=tuple(range(1, values.ndim)))
    if is_known.sum() < max(2.0, LEAST * len(values)):
        raise IntervalError(NO_ERRORS.format(count=int(is_known.sum()), total=len(values)))
    ratio = (values[is_known] - point) / own[is_known]
    low, high = quantiles(replace(sample, values=ratio), level)
    return point - high * error, point - low * error


INTERVAL = Interval(
    "studentised", limits, "Davison & Hinkley 1997, eq. 5.7", needs=("point", "std"), is_distance=True, at_bound=False
)

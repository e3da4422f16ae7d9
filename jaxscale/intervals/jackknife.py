"""The jackknife: what leaving out each run does to an estimate, and the interval that this makes."""

from __future__ import annotations

import numpy as np

from jaxscale.errors import IntervalError
from jaxscale.intervals.spec import Interval, Sample
from jaxscale.intervals.student import quantile

LEAST = 0.5
"""Share of the estimates without a run that must be there."""
TOO_FEW = (
    "{count} of {total} fits without one run, or group, have a finite estimate, too few for the interval '{name}': the "
    "others failed, or the quantity ends at a bound or has no value there"
)


def left_out(sample: Sample, name: str) -> np.ndarray:
    """Return the estimates (m, …) with a run left out that are finite, to which each replicate counts whole.

    Raises IntervalError where they are few; name: of the interval that asks for them.
    """
    every = np.asarray(sample.jackknife, dtype=np.float64)
    is_known = np.isfinite(every).all(axis=tuple(range(1, every.ndim)))
    if is_known.sum() < max(2.0, LEAST * len(every)):
        raise IntervalError(TOO_FEW.format(count=int(is_known.sum()), total=len(every), name=name))
    return np.asarray(every[is_known])


def limits(sample: Sample, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return θ ∓ t s, s² = (m - 1)/m Σ (θ₋ᵢ - mean)², t Student's quantile on m - 1 degrees of freedom."""
    estimates, point = left_out(sample, "jackknife"), np.asarray(sample.point)
    count = len(estimates)
    error = np.sqrt((count - 1.0) / count * np.sum((estimates - estimates.mean(axis=0)) ** 2, axis=0))
    reach = quantile(level, count - 1.0) * error
    return point - reach, point + reach


INTERVAL = Interval(
    "jackknife", limits, "Tukey 1958; Efron 1982", needs=("point", "jackknife"), is_distance=True, at_bound=False
)

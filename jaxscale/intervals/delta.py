"""The interval of the delta method: the estimate and its standard error, without any replicate."""

from __future__ import annotations

import numpy as np

from jaxscale.errors import IntervalError
from jaxscale.intervals.spec import Interval, Sample
from jaxscale.intervals.student import quantile

NO_DOF = "the interval 'delta' needs a degree of freedom, and the fit has as many coefs as runs"


def limits(sample: Sample, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return θ ∓ t se, t Student's quantile on the degrees of freedom of the standard error."""
    if sample.dof < 1:
        raise IntervalError(NO_DOF)
    reach = quantile(level, sample.dof) * np.asarray(sample.point_std)
    return np.asarray(sample.point) - reach, np.asarray(sample.point) + reach


INTERVAL = Interval(
    "delta", limits, "Seber & Wild 1989, §5.1", needs=("point", "point_std"), is_distance=True, at_bound=False
)

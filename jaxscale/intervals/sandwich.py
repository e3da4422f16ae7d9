"""The interval of the sandwich: the estimate and a standard error that needs no errors of one size."""

from __future__ import annotations

import numpy as np

from jaxscale.errors import IntervalError
from jaxscale.intervals.spec import Interval, Sample
from jaxscale.intervals.student import quantile

NO_DOF = "the interval 'sandwich' needs a degree of freedom: more runs than coefs, or two groups that are drawn"


def limits(sample: Sample, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return θ ∓ t se, t Student's quantile: of rows on n - p degrees of freedom, of G groups on G - 1."""
    if sample.robust_dof < 1:
        raise IntervalError(NO_DOF)
    reach = quantile(level, sample.robust_dof) * np.asarray(sample.robust_std)
    return np.asarray(sample.point) - reach, np.asarray(sample.point) + reach


INTERVAL = Interval(
    "sandwich", limits, "Huber 1967; Cameron & Miller 2015", needs=("point", "robust_std"), is_distance=True,
    at_bound=False,
)  # fmt: skip

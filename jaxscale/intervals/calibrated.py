"""The calibrated interval: quantiles of the ensemble, at the shares that hold the truth in simulations of the fit."""

from __future__ import annotations

import numpy as np

from jaxscale.errors import IntervalError
from jaxscale.intervals.percentile import limits as quantiles
from jaxscale.intervals.spec import Interval, Sample

LEAST = 20
"""Simulated tables that must have replicates."""
FEW_TABLES = "{count} of {total} simulated tables have usable replicates, too few for the interval 'calibrated'"
BEYOND = (
    "in {share:.3g} of the simulated tables all replicates lie on one side of the truth, so that no quantile of theirs "
    "leaves only {tail:.3g} beyond it, as the interval 'calibrated' must; a lower level, or more replicates of each "
    "table, in Python nested=(tables, replicates)"
)


def limits(sample: Sample, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the quantiles of the values at the quantiles, (1 - level) / 2 and (1 + level) / 2, of `ranks`.

    A rank is the share of a simulated table's replicates below the truth. Where percentile intervals hold it as often
    as they claim, ranks are uniform, and these limits are those of the percentile interval.
    """
    values, ranks = sample.values, np.asarray(sample.ranks, dtype=np.float64)
    places = values.shape[1:]
    is_known = ~np.isnan(ranks)
    count = int(np.min(np.sum(is_known, axis=0), initial=len(ranks)))
    if count < LEAST:
        raise IntervalError(FEW_TABLES.format(count=count, total=len(ranks)))
    tail, found = (1.0 - level) / 2.0, np.empty((2, *places))
    # Weibull's: of T ranks the k-th leaves k / (T + 1) below it on the average, where NumPy's own leaves more outside
    shares = np.nanquantile(ranks, (tail, 1.0 - tail), axis=0, method="weibull")
    for end, share in enumerate(shares):
        beyond = float(np.max(np.sum(ranks == end, axis=0) / np.sum(is_known, axis=0), initial=0.0))
        if beyond > tail * (1.0 + 1e-9):
            raise IntervalError(BEYOND.format(share=beyond, tail=tail))
        for place in np.ndindex(*places):
            own = Sample(values[(slice(None), *place)])
            found[(end, *place)] = quantiles(own, abs(2.0 * float(share[place]) - 1.0))[int(share[place] >= 0.5)]
    return found[0], found[1]


INTERVAL = Interval("calibrated", limits, "Beran 1987, Biometrika 74(3)", needs=("ranks",), at_bound=False)

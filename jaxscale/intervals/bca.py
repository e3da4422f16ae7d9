"""The BCa interval: quantiles of the ensemble, moved for its bias and for a spread that grows with the quantity."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from jaxscale.errors import IntervalError
from jaxscale.intervals.jackknife import left_out
from jaxscale.intervals.percentile import quantile_outwards
from jaxscale.intervals.spec import Interval, Sample

ONE_SIDE = (
    "all {count} usable replicates lie on one side of the estimate, so that the interval 'bca' has no correction for "
    "their bias; more replicates, or the percentile interval"
)
TOO_STEEP = "the acceleration {acceleration:.2g} is too large for the interval 'bca' at this level: {why}"
FEW_RUNS = "a single run, or group, moves the estimate too far; the percentile or the studentised interval takes it"
NORMAL = NormalDist()


def limits(sample: Sample, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the quantiles at Φ(z₀ + (z₀ + z) / (1 - a (z₀ + z))) over axis 0.

    z₀ is Φ⁻¹ of the share of replicates below the estimate, half of those that equal it among them, and the
    acceleration a = Σ d³ / (6 (Σ d²)^(3/2)) of d = mean - θ₋ᵢ.
    """
    values = sample.values
    point = np.broadcast_to(np.asarray(sample.point, dtype=np.float64), values.shape[1:])
    below = np.mean(values < point, axis=0) / 2.0 + np.mean(values <= point, axis=0) / 2.0
    known = np.isfinite(point)
    if np.any(known & ((below <= 0.0) | (below >= 1.0))):
        raise IntervalError(ONE_SIDE.format(count=len(values)))
    steepness = np.broadcast_to(acceleration(left_out(sample, "bca")), point.shape)
    ends = np.full((2, *point.shape), np.nan)
    for place in zip(*np.nonzero(known), strict=True) if point.ndim else [()]:
        if not known[place]:
            continue
        for end, share in enumerate(_shares(float(below[place]), float(steepness[place]), level)):
            ends[(end, *place)] = _quantile(values[(slice(None), *place)], share)
    return ends[0], ends[1]


def acceleration(estimates: np.ndarray) -> np.ndarray:
    """Return a (…) of estimates (m, …) with each run left out; 0 where these do not differ.   Source: Efron 1987."""
    away = estimates.mean(axis=0) - estimates
    squares = np.sum(away**2, axis=0)
    return np.asarray(np.sum(away**3, axis=0) / (6.0 * np.where(squares > 0, squares, 1.0) ** 1.5))


def _shares(below: float, steepness: float, level: float) -> tuple[float, float]:
    """Return the shares of the replicates that lie below the lower and below the upper limit."""
    bias, found = NORMAL.inv_cdf(below), []
    for z in (NORMAL.inv_cdf((1.0 - level) / 2.0), NORMAL.inv_cdf((1.0 + level) / 2.0)):
        left = 1.0 - steepness * (bias + z)
        if left <= 0.0:
            raise IntervalError(TOO_STEEP.format(acceleration=steepness, why=FEW_RUNS))
        found.append(NORMAL.cdf(bias + (bias + z) / left))
    return found[0], found[1]


def _quantile(values: np.ndarray, share: float) -> float:
    """Return that quantile of values (R,), by the rule of the percentile interval."""
    return float(quantile_outwards(values, share, "higher" if share >= 0.5 else "lower"))


INTERVAL = Interval(
    "bca", limits, "Efron 1987, Journal of the American Statistical Association 82", ("point", "jackknife"),
    at_bound=False,
)  # fmt: skip

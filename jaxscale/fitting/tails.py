"""How likely several of n residuals lie as far out as they do, by what the others say of the tail of the errors."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from jaxscale.intervals.student import tail

TAILS = (3.0, 4.0, 6.0, 10.0, 20.0, math.inf)
"""Degrees of freedom of Student's distributions, by which errors may be heavy-tailed."""
PRIOR = (0.3, 0.5, 1.0, 1.0, 1.0, 1.0)
"""Their odds before the residuals are seen: of losses, tails without a fourth moment are the exception."""
SCALES = np.exp(np.linspace(-1.2, 0.6, 37))
"""Scales of the errors tried, in units of the residuals' root mean square."""
LEAST = 1e-300
NODES = np.exp(np.linspace(-14.0, 4.0, 200))
"""Values of the estimated variance over the true one, over which a chance is averaged."""


def chance_of(distance: np.ndarray, farthest: float, nearest: float, out: int, dof: int) -> float:
    """Return a bound on the chance that `out` further rows all lie beyond `nearest`.

    distance: (k,), sizes of the studentised residuals of the other rows, the last being `farthest`; dof: their degrees
    of freedom.   Averaged over Student's distributions by how well each explains the rows, those beyond counted as
    censored at the farthest; over the scale's estimation error; and summed over the ways to choose the rows.   Source:
    Bonferroni's inequality, and Tiku 1967 for the censored likelihood.
    """
    count = len(distance)
    ways = math.lgamma(count + out + 1) - math.lgamma(out + 1) - math.lgamma(count + 1)
    weights, chances = [], []
    for shape, odds in zip(TAILS, PRIOR, strict=True):
        beyond = np.maximum(2.0 * tail(farthest / SCALES, shape), LEAST)
        units = distance[None, :] / SCALES[:, None]
        likelihood = _log_density(units, shape).sum(axis=1) - count * np.log(SCALES) + out * np.log(beyond)
        best = int(np.argmax(likelihood))
        weights.append(math.log(odds) + likelihood[best] * dof / count)  # k residuals say as much as dof errors
        chances.append(math.exp(min(ways + _log_joint(nearest / float(SCALES[best]), shape, out, dof), 0.0)))
    shares = np.exp(np.array(weights) - max(weights))
    return float(shares @ np.array(chances) / shares.sum())


def _log_density(value: np.ndarray, shape: float) -> np.ndarray:
    if math.isinf(shape):
        return np.asarray(-0.5 * value**2 - 0.5 * math.log(2.0 * math.pi))
    constant = math.lgamma(0.5 * (shape + 1)) - math.lgamma(0.5 * shape) - 0.5 * math.log(shape * math.pi)
    return np.asarray(constant - 0.5 * (shape + 1) * np.log1p(value**2 / shape))


def _log_joint(size: float, shape: float, out: int, dof: int) -> float:
    """Return the log of the chance that `out` rows lie beyond size, which was measured by one estimated scale."""
    each = np.maximum(2.0 * tail(size * np.sqrt(NODES), shape), LEAST)
    logs = out * np.log(each) + _log_shares(dof)
    top = float(logs.max())
    return top + math.log(float(np.sum(np.exp(logs - top))))


@cache
def _log_shares(dof: int) -> np.ndarray:
    """Return the log of the weight of each node: of chi-squared over its degrees of freedom, on a grid of logs."""
    logs = 0.5 * dof * (np.log(NODES) - NODES)
    return np.asarray(logs - logs.max() - math.log(float(np.sum(np.exp(logs - logs.max())))))

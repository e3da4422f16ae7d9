"""What knowing something is worth: from the regret of many sizes under many draws, to plans that may depend on it.

Whoever knows more chooses a size for each case; what is left of the expected regret is the mean, over the cases, of the
least mean regret in each.   Source: Strong & Oakley 2013, Medical Decision Making 33, for one unknown at a time.
"""

from __future__ import annotations

import numpy as np

DRAWS_PER_CASE, MOST_CASES = 100, 40
"""Draws in each case of an unknown that is a number: with fewer, the least of noisy means would pass for knowledge."""


def cases_of(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return in which case each draw (R,) lies: intervals of values (R,), alike in weight (R,)."""
    count = int(np.clip(len(values) // DRAWS_PER_CASE, 1, MOST_CASES))
    order = np.argsort(values, kind="stable")
    middle = np.cumsum(weight[order]) - 0.5 * weight[order]
    cases = np.empty(len(values), np.int64)
    cases[order] = np.minimum((middle / weight.sum() * count).astype(np.int64), count - 1)
    return cases


def worth_of_knowing(nats: np.ndarray, weight: np.ndarray, cases: np.ndarray) -> tuple[float, float]:
    """Return by how much the least expected regret falls where the case is known, and its Monte-Carlo error.

    nats: (R, k), regret of sizes at equal steps of ln N.   weight: (R,), of sum one.   cases: (R,), from 0.
    """
    share = np.zeros((cases.max() + 1, len(weight)))
    share[cases, np.arange(len(weight))] = weight
    of_each = share.sum(axis=1)
    there = of_each > 0
    means = (share[there] @ nats) / of_each[there, None]
    overall = weight @ nats
    left = float(of_each[there] @ least_of(means))
    gain = max(float(least_of(overall[None])[0]) - left, 0.0)
    chosen = np.zeros(len(share), np.int64)
    chosen[there] = np.argmin(means, axis=1)
    differences = nats[:, int(np.argmin(overall))] - nats[np.arange(len(weight)), chosen[cases]]
    mean = float(weight @ differences)
    return gain, float(np.sqrt(np.sum(weight**2 * (differences - mean) ** 2)))


def least_of(means: np.ndarray) -> np.ndarray:
    """Return the least of curves (c, k) at equal steps: of the parabola through the least point and its neighbours."""
    if means.shape[1] < 3:
        return np.asarray(means.min(axis=1))
    at = np.clip(np.argmin(means, axis=1), 1, means.shape[1] - 2)
    row = np.arange(len(means))
    before, middle, after = means[row, at - 1], means[row, at], means[row, at + 1]
    bend = before - 2.0 * middle + after
    is_bowl = (bend > 0) & (np.abs(before - after) <= 2.0 * bend)
    vertex = middle - np.where(is_bowl, (before - after) ** 2 / np.where(is_bowl, 8.0 * bend, 1.0), 0.0)
    return np.maximum(np.where(is_bowl, vertex, means.min(axis=1)), 0.0)

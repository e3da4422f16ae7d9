"""Runs that are off beside the runs of like size: what the residuals of the others near a row predict of its own.

Where a law misses a table by some smooth amount, a mistyped loss hides among residuals of its size. Against its
neighbours it does not.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jaxscale.fitting.covariance import NORMAL_MEDIAN
from jaxscale.intervals.student import quantile

LEVEL = 0.01
"""Chance that a row of a table is called off although all errors are normal: Bonferroni's bound."""
GAP = 2.0
"""Times the next residual from which rows are apart: heavy tails are continuous, mistakes are not."""
SHARE, MOST = 10, 10
"""At most one row in so many is called off, and ten; the fewest looked at is one."""
FEWEST, LONGEST = 12, 1500
"""Rows from which neighbours say something, and up to which they are asked."""
LENGTHS = (0.25, 0.5, 1.0, 2.0)
"""Of the kernel, in standard deviations of each coordinate."""
SIGNALS = (0.0, 1.0, 4.0, 16.0, 64.0, 256.0)
"""Variance of the smooth part over that of the noise."""
CLIPPED = 3.0
"""Typical residuals at which one is clipped while length and signal are chosen."""
TRIMMED = 0.9
"""Share of the rows, those predicted best, by which length and signal are chosen."""


class Apart(NamedTuple):
    """Rows that are apart.   places: (k,).   size: (m,), of all studentised residuals, of those apart by the rest."""

    places: np.ndarray
    size: np.ndarray


def apart(studentised: np.ndarray, dof: float) -> np.ndarray:
    """Return the places of the residuals (m,) that lie beyond normal errors and twice as far as all others."""
    size = np.nan_to_num(np.abs(studentised), nan=0.0, posinf=np.finfo(float).max)
    order, limit = np.argsort(-size, kind="stable"), limit_of(len(size), dof)
    for count in range(min(_most(len(size)), len(size) - 1), 0, -1):
        if size[order[count - 1]] > max(limit, GAP * size[order[count]]):
            return np.sort(order[:count])
    return order[:0]


def limit_of(count: int, dof: float) -> float:
    """Return the studentised residual that the largest of so many reaches once in a hundred tables."""
    return quantile(1.0 - LEVEL / count, max(dof, 1.0))


def apart_from_nearby(residual: np.ndarray, weight: np.ndarray, places: np.ndarray, dof: float) -> Apart | None:
    """Return the rows apart from their neighbours; None where there are too few or too many to ask.

    residual, weight: (m,).   places: (m, d), coordinates.   The residuals are taken as a smooth function of the
    coordinates, a Gaussian process, and noise. Length and signal are those with which the rows left out one at a time
    are predicted best, the worst tenth not counted. Up to one row in ten, the farthest first, is set aside, and all
    are predicted by the rest.   Source: Rasmussen & Williams 2006, §5.4.2, for the predictions without a row.
    """
    count = len(residual)
    typical = float(np.median(np.abs(residual)))
    if not FEWEST <= count <= LONGEST or not places.shape[1] or not typical > 0.0:
        return None
    clipped = np.clip(residual, -CLIPPED * typical / NORMAL_MEDIAN, CLIPPED * typical / NORMAL_MEDIAN)
    distance = np.sum((places[:, None, :] - places[None, :, :]) ** 2, axis=2)
    every = np.arange(count)
    kernels = [signal * np.exp(-0.5 * distance / length**2) for length in LENGTHS for signal in SIGNALS]
    scores = [_score(_left_out(clipped, weight, kernel, every)[0]) for kernel in kernels]
    kernel = kernels[int(np.argmin(scores))]
    out: list[int] = []
    found, limit = Apart(every[:0], _sizes(residual, weight, kernel, every)), limit_of(count, dof)
    for _ in range(min(_most(count), count - FEWEST + 1)):
        kept = np.setdiff1d(every, out)
        sizes = _sizes(residual, weight, kernel, kept)
        out.append(int(kept[np.argmax(sizes[kept])]))
        kept = np.setdiff1d(every, out)
        sizes = _sizes(residual, weight, kernel, kept)
        if sizes[out].min() > max(limit, GAP * sizes[kept].max()):
            found = Apart(np.sort(out), sizes)
    return found


def _most(count: int) -> int:
    return max(1, min(MOST, count // SHARE))


def _score(left_out: np.ndarray) -> float:
    size = np.sort(np.abs(left_out))
    return float(np.mean(size[: max(1, int(TRIMMED * len(size)))]))


def _sizes(residual: np.ndarray, weight: np.ndarray, kernel: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return the sizes (m,) of the residuals over their errors of prediction by the rows kept, each without itself."""
    error, variance = _left_out(residual, weight, kernel, kept)
    size = np.abs(error) / np.sqrt(variance)
    return np.asarray(size / (np.median(size[kept]) / NORMAL_MEDIAN))


def _left_out(
    residual: np.ndarray, weight: np.ndarray, kernel: np.ndarray, kept: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the errors (m,) of prediction by the rows kept, each without itself, and their variances over the noise's.

    A constant is predicted, too: its prior variance is that of the largest signal.
    """
    others = np.setdiff1d(np.arange(len(residual)), kept)
    whole = kernel + SIGNALS[-1]
    inverse = np.linalg.inv(whole[np.ix_(kept, kept)] + np.diag(1.0 / weight[kept]))
    error, variance = np.empty(len(residual)), np.empty(len(residual))
    diagonal = np.diagonal(inverse)
    error[kept], variance[kept] = inverse @ residual[kept] / diagonal, 1.0 / diagonal
    across = whole[np.ix_(others, kept)] @ inverse
    error[others] = residual[others] - across @ residual[kept]
    explained = np.einsum("ij,ij->i", across, whole[np.ix_(others, kept)])
    variance[others] = np.diagonal(whole)[others] + 1.0 / weight[others] - explained
    return error, variance

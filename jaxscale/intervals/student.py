"""Student's distribution on the host: its upper tail and its quantiles, also far out, where a normal one ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

NORMAL = 1e7
"""Degrees of freedom from which the distribution counts as normal."""


def tail(value: ArrayLike, dof: float) -> np.ndarray:
    """Return P(T > value) for value ≥ 0 of any shape, to 1e-9 relative; dof: positive, inf for the normal one."""
    from scipy.special import ndtr, stdtr  # a tenth of a second, which not every command needs

    below = -np.asarray(value, dtype=np.float64)
    return np.asarray(ndtr(below) if dof >= NORMAL else stdtr(dof, below))


def quantile(level: float, dof: float) -> float:
    """Return the value that |T| exceeds with probability 1 - level: 12.7 for 0.95 and one degree of freedom."""
    from scipy.special import ndtri, stdtrit

    beyond = 0.5 * (1.0 - level)
    return -float(ndtri(beyond) if dof >= NORMAL else stdtrit(dof, beyond))

"""What an interval is: two limits around a centre, with the method, the level and the number of samples behind them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Band:
    """Limits that a method puts around a quantity, elementwise.

    lower, centre, upper: float64 of the quantity's shape (scalars for one number), in its units; NaN where no
    usable sample is left.   n_used of n_total: samples that entered, and replicates drawn.
    """

    lower: np.ndarray
    centre: np.ndarray
    upper: np.ndarray
    level: float
    method: str
    n_used: int
    n_total: int

    def __str__(self) -> str:
        numbers = "  ".join(
            f"{low:.6g} … {centre:.6g} … {high:.6g}"
            for low, centre, high in zip(np.ravel(self.lower), np.ravel(self.centre), np.ravel(self.upper), strict=True)
        )
        return f"{numbers}  ({100 * self.level:g} % {self.method}, {self.n_used} of {self.n_total} replicates)"


@dataclass(frozen=True)
class Interval:
    """A named rule from samples (R, …) without NaN, and a level, to limits (…) and (…)."""

    name: str
    limits: Callable[[np.ndarray, float], tuple[np.ndarray, np.ndarray]]
    source: str

"""A learning-rate schedule: the rate of every step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from jaxscale.errors import UsageError

NO_RATES = "a schedule needs the rate of step 0 and of at least one step after it; found shape {shape}"
NOT_RATES = "the rate of step {step} is {rate:g}; rates are finite and not negative"
STOPPED = (
    "the rate of step {step} is 0 and rises again later; it may be 0 only before it first rises and after it last falls"
)
ALL_ZERO = "the rate of every step is 0; nothing is learnt"


@dataclass(frozen=True, eq=False)
class Schedule:
    """The learning rate of every step: rates[k] is that of step k, k = 0 … steps; read-only float64.

    Rates may be zero where a warm-up begins and where a decay has ended, not in between.   Raises UsageError else.
    """

    rates: np.ndarray

    def __post_init__(self) -> None:
        rates = np.array(self.rates, dtype=np.float64)
        if rates.ndim != 1 or rates.size < 2:
            raise UsageError(NO_RATES.format(shape=rates.shape))
        is_wrong = ~(np.isfinite(rates) & (rates >= 0))
        if is_wrong.any():
            step = int(np.argmax(is_wrong))
            raise UsageError(NOT_RATES.format(step=step, rate=rates[step]))
        learning = np.flatnonzero(rates)
        if not learning.size:
            raise UsageError(ALL_ZERO)
        gaps = np.flatnonzero(np.diff(learning) > 1)
        if gaps.size:
            raise UsageError(STOPPED.format(step=int(learning[gaps[0]]) + 1))
        rates.flags.writeable = False
        object.__setattr__(self, "rates", rates)

    def __repr__(self) -> str:
        return f"<Schedule of {self.steps} steps: peak {self.rates.max():g}, last {self.rates[-1]:g}>"

    @property
    def steps(self) -> int:
        """The last step."""
        return len(self.rates) - 1

    @property
    def last_learning(self) -> int:
        """The last step whose rate is not zero."""
        return int(np.flatnonzero(self.rates)[-1])

    @cached_property
    def drops(self) -> np.ndarray:
        """(steps + 1,) by how much the rate fell before each step: rates[k - 1] - rates[k], zero for step 0.

        What is below 1e-15 of the peak is rounding, and counts as zero.
        """
        drops = -np.diff(self.rates, prepend=self.rates[0])
        return np.where(np.abs(drops) <= 1e-15 * self.rates.max(), 0.0, drops)

    @cached_property
    def sums(self) -> np.ndarray:
        """(steps + 1,) the sum of the rates of all steps up to each, the papers' S1."""
        return np.cumsum(self.rates)

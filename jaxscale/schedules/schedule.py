"""A learning-rate schedule, the rate of every step, and those that people use.

Of the latter each takes peak, the rate after the warm-up, and warmup, the number of steps in which the rate rises
evenly, from 0 at step 0 to the peak at step warmup - 1; 0 for none.   Raises UsageError where the numbers make no
schedule.
"""

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
NO_DECAY = "end = {end:g} is never reached: no step is left for the decay after step {after}"
NO_ZERO = "an exponential decay never comes to end = {end:g}; give a positive end, or decay='linear'"
NOT_IN_ORDER = "steps must be whole numbers in the order warmup ≤ {between}steps and at least 1; found {found}"


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


def constant(steps: int, *, peak: float, warmup: int = 0) -> Schedule:
    """Return the schedule that stays at the peak."""
    _, rates = _begin(steps, peak, warmup)
    return _warmed(rates, peak, warmup)


def cosine(steps: int, *, peak: float, end: float, warmup: int = 0) -> Schedule:
    """Return the schedule that falls by half a cosine from the end of the warm-up to `end` at the last step."""
    step, _ = _begin(steps, peak, warmup)
    _check_decay(steps, warmup, peak, end)
    progress = (step - warmup) / max(steps - warmup, 1)
    return _warmed(end + 0.5 * (peak - end) * (1.0 + np.cos(np.pi * progress)), peak, warmup)


def linear(steps: int, *, peak: float, end: float, warmup: int = 0) -> Schedule:
    """Return the schedule that falls evenly from the end of the warm-up to `end` at the last step."""
    return wsd(steps, peak=peak, end=end, decay_from=warmup, warmup=warmup, decay="linear")


def wsd(
    steps: int, *, peak: float, end: float, decay_from: int, warmup: int = 0, decay: str = "exponential"
) -> Schedule:
    """Return warm-up, stable, decay: the peak up to step decay_from, then a fall to `end` at the last step.

    decay: `exponential` or `linear`.
    """
    step, rates = _begin(steps, peak, warmup, decay_from)
    _check_decay(steps, decay_from, peak, end)
    progress = np.clip((step - decay_from) / max(steps - decay_from, 1), 0.0, 1.0)
    if decay == "linear":
        rates = peak - (peak - end) * progress
    elif decay == "exponential":
        if not end > 0:
            raise UsageError(NO_ZERO.format(end=end))
        rates = peak * (end / peak) ** progress
    else:
        raise UsageError(f"decay = {decay!r} is neither 'exponential' nor 'linear'")
    return _warmed(np.where(step <= decay_from, peak, rates), peak, warmup)


def two_stage(steps: int, *, peak: float, second: float, drop_at: int, warmup: int = 0) -> Schedule:
    """Return the schedule that is at the peak before step drop_at, and at the second rate from it on."""
    step, _ = _begin(steps, peak, warmup, drop_at)
    return _warmed(np.where(step < drop_at, peak, second), peak, warmup)


def _begin(steps: int, peak: float, warmup: int, between: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return all steps from 0, and as many rates at the peak."""
    order = [0, warmup, *([] if between is None else [between]), steps]
    if order != sorted(order) or steps < 1 or any(number != int(number) for number in order):
        middle = "" if between is None else "change ≤ "
        raise UsageError(NOT_IN_ORDER.format(between=middle, found=", ".join(f"{number:g}" for number in order[1:])))
    return np.arange(steps + 1.0), np.full(steps + 1, float(peak))


def _check_decay(steps: int, after: int, peak: float, end: float) -> None:
    if after >= steps and end != peak:
        raise UsageError(NO_DECAY.format(end=end, after=after))


def _warmed(rates: np.ndarray, peak: float, warmup: int) -> Schedule:
    rates = rates.copy()
    rates[:warmup] = np.linspace(0.0, peak, warmup) if warmup > 1 else peak
    return Schedule(rates)

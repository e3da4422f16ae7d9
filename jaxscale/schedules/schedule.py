"""Learning-rate schedules: the rate of every step, the usual ones, and their changes summed over a few nodes.

The usual ones take peak, the rate after the warm-up, and warmup, the number of steps in which the rate rises evenly,
from 0 at step 0 to the peak at step warmup - 1; 0 for none. They raise UsageError where the numbers make no schedule.

The multi-power law adds, over every step k up to now, drop_k · G(rate_k, sum of the rates since k). A rate that changes
at each of 70,000 steps would make as many terms. But within a piece, where the rate moves smoothly, the terms are a
smooth function of the step, with their singularities outside: where the rate would be zero, and just after now. So a
piece from step a to b is summed by the Gauss rule of the measure drop_k in u = ln((k - a + 1)/(b + 1 - k)), a variable
in which singular points beyond either end lie a distance π away, however near the end they are. A rule knows the steps
and their drops but no coef: it holds for whatever G a law has, and for every later step.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.numerics.gauss import gauss_of_masses, gauss_of_steps

NO_RATES = "a schedule needs the rate of step 0 and of at least one step after it; found shape {shape}"
NOT_RATES = "the rate of step {step} is {rate:g}; rates are finite and not negative"
STOPPED = (
    "the rate of step {step} is 0 and rises again later; it may be 0 only before it first rises and after it last falls"
)
ALL_ZERO = "the rate of every step is 0; nothing is learnt"
NO_DECAY = "end = {end:g} is never reached: no step is left for the decay after step {after}"
NO_ZERO = "an exponential decay never comes to end = {end:g}; give a positive end, or decay='linear'"
NOT_IN_ORDER = "steps must be whole numbers in the order warmup ≤ {between}steps and at least 1; found {found}"

NODES = 24
"""Nodes of a piece. tests/schedules hold the error of the loss against the full sum below 1e-7."""
CORNER = 1.25
"""Ratio of neighbouring drops above which a new piece begins."""
SINGLE, FINE = 8, 6
"""Steps at either end of a piece that are taken one by one, and points of each block between them."""
STENCIL = 6
"""Steps through which a polynomial gives rates between steps."""


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


@dataclass(frozen=True)
class Nodes:
    """The nodes of the changes of the rate in some steps: each (nodes,).

    drops: by how much the rate falls.   rates: the rate after the fall.   sums_before: the sum of the rates of all
    steps before it.
    """

    drops: np.ndarray
    rates: np.ndarray
    sums_before: np.ndarray


def pieces_of(schedule: Schedule) -> list[tuple[int, int]]:
    """Return the pieces (first step, last step) in which the rate moves one way, at a pace without corners.

    The fall to a rate of zero is in none: nothing is learnt after it, so it brings nothing.
    """
    drops = schedule.drops
    moving = np.flatnonzero(drops[: schedule.last_learning + 1])
    if not moving.size:
        return []
    before, after = drops[moving[:-1]], drops[moving[1:]]
    ratio = after / before
    is_cut = (np.diff(moving) > 1) | (ratio > CORNER) | (ratio < 1.0 / CORNER)
    firsts = moving[np.concatenate([[True], is_cut])]
    lasts = moving[np.concatenate([is_cut, [True]])]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def nodes_of(schedule: Schedule, first: int, last: int, *, count: int = NODES) -> Nodes:
    """Return the nodes of one piece, or of its beginning: its steps themselves where they are no more than count."""
    before = schedule.sums - schedule.rates
    steps = np.arange(first, last + 1)
    if len(steps) <= count:
        return Nodes(schedule.drops[steps], schedule.rates[steps], before[steps])
    places, shares = _thinned(last - first + 1)
    sign = np.sign(schedule.drops[first])
    masses = shares * np.abs(_between(places, schedule.drops[steps]))
    odds = np.log((places + 1.0) / (len(steps) - places))
    odds, weights = gauss_of_masses(odds, masses, count)
    places = (len(steps) + 1.0) / (1.0 + np.exp(-odds)) - 1.0
    return Nodes(sign * weights, _between(places, schedule.rates[steps]), _between(places, before[steps]))


def _thinned(length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return places within 0 … length - 1, and weights, that sum smooth functions: blocks that double from each end."""
    half = length // 2
    sizes = [*_doubling(half), *reversed(_doubling(length - half))]
    places, shares, start = [], [], 0
    for size in sizes:
        nodes, weights = (np.arange(size), np.ones(size)) if size <= FINE else gauss_of_steps(size, FINE)
        places.append(start + nodes)
        shares.append(weights)
        start += size
    return np.concatenate(places), np.concatenate(shares)


def _doubling(length: int) -> list[int]:
    """Return the sizes of blocks that fill the length: ones, then each as long as all before it."""
    filled = min(SINGLE, length)
    sizes = [1] * filled
    while filled < length:
        sizes.append(min(filled, length - filled))
        filled += sizes[-1]
    return sizes


def _between(places: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the values at places between steps, by the polynomial through the nearest steps of the piece."""
    first = np.clip(np.floor(places).astype(int) - STENCIL // 2 + 1, 0, len(values) - STENCIL)
    steps = np.arange(STENCIL)
    away = (places - first)[:, None] - steps
    total = np.zeros(len(places))
    for j in range(STENCIL):
        others = steps != j
        total += values[first + j] * np.prod(away[:, others] / (j - steps[others]), axis=1)
    return total

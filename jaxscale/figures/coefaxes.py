"""Axes of coefs: limits that a few far replicates do not stretch, and ticks that a small panel has room for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from jaxscale.digits import number_label
from jaxscale.figures.axes import Which, few_ticks
from jaxscale.figures.pages import SIZE
from jaxscale.figures.symbols import ems, symbol, unit
from jaxscale.results import Ensemble

CENTRAL = (0.005, 0.995)
"""Quantiles between which an axis lies, so that a few far replicates do not hide the shape of the rest."""
WIDE = 3.0
"""A positive coef whose central replicates span more than this factor gets a log axis."""
OVER, APART = 0.06, 0.06
"""Inches by which a tick's label may stand out of its panel, and those between two of them."""
FEW = 9
"""Letters of a group's name beside a small panel."""
SHORT = 12
"""A longer unit than this many letters stands in the caption alone."""


@dataclass(frozen=True)
class CoefAxis:
    """One fitted coef: usable replicates (R,), the point fit, limits in the coef's units.

    What is infinite is drawn at the end of the axis, which then says ∞.
    """

    name: str
    unit: str
    values: np.ndarray
    point: float
    low: float
    high: float
    is_log: bool

    @property
    def label(self) -> str:
        """The symbol, with the power of ten that the ticks leave out, and with its unit where that is short."""
        of = unit(self.unit) if len(self.unit) <= SHORT else ""
        scaled = " ".join(part for part in (self.power, of) if part)
        return f"{symbol(self.name)} ({scaled})" if scaled else symbol(self.name)

    @property
    def short_label(self) -> str:
        """The symbol, with the power of ten that the ticks leave out."""
        name = symbol(self.name, limit=FEW)
        return f"{name} ({self.power})" if self.power else name

    @property
    def power(self) -> str:
        """The power of ten by which ticks are divided, empty for none."""
        return f"$10^{{{self.exponent}}}$" if self.exponent else ""

    @property
    def exponent(self) -> int:
        """The power of ten by which the ticks of a linear axis are divided, 0 where they can be written in full."""
        size = max(abs(self.low), abs(self.high))
        return 0 if self.is_log or size == 0 or 1e-2 <= size < 1e5 else math.floor(math.log10(size))

    def within(self, value: float) -> float:
        """Return a value, or the end of the axis that is nearest where it lies beyond, as infinity does."""
        return float(np.clip(value, self.low, self.high))

    @property
    def drawn(self) -> np.ndarray:
        """The replicates (R,), those at infinity at the end of the axis; finite ones may lie beyond it."""
        return np.where(np.isinf(self.values), np.clip(self.values, self.low, self.high), self.values)

    @property
    def infinite(self) -> dict[float, str]:
        """The ends of the axis at which something is infinite, with their labels."""
        found = np.append(self.values, self.point)
        ends = {self.low: (-np.inf, "−∞"), self.high: (np.inf, "∞")}
        return {end: words for end, (value, words) in ends.items() if bool((found == value).any())}

    @property
    def edges(self) -> np.ndarray:
        """Edges (31,) of the histogram's bins, even on the axis."""
        return (np.geomspace if self.is_log else np.linspace)(self.low, self.high, 31)

    def apply(self, axes: Axes, which: Which, inches: float = 1.2) -> None:
        """Set scale, limits and the ticks of one axis, those that an axis of so many inches has room for."""
        axis: Axis = axes.xaxis if which == "x" else axes.yaxis
        axes.set(**{f"{which}scale": "log" if self.is_log else "linear", f"{which}lim": (self.low, self.high)})
        axis.set_major_locator(FixedLocator(self._ticks(inches, is_across=which == "x")))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(self._written))

    def _written(self, value: float, place: int | None = None) -> str:
        return self.infinite.get(value) or number_label(value / 10.0**self.exponent)

    def _ticks(self, inches: float, *, is_across: bool) -> list[float]:
        """Return up to three round numbers whose labels stand inside the axis, apart from one another, and infinity."""
        ends = list(self.infinite)
        scale = np.log10 if self.is_log else np.asarray
        low, high = scale(self.low), scale(self.high)
        for most in (4, 3, 2):
            round_ones = few_ticks(self.low, self.high, most) if self.is_log else self._even(most)
            at = inches * (scale(np.array(round_ones)) - low) / (high - low)
            wide = [ems(self._written(one)) if is_across else 1.0 for one in round_ones]
            half = np.array(wide) * SIZE / 144.0
            is_inside = (at - half > -OVER) & (at + half < inches + OVER)
            for end in ends:
                away = np.abs(at - inches * (end == self.high))
                is_inside &= away - half - (0.5 * SIZE / 72.0) > APART
            gaps = np.diff(at[is_inside]) - half[is_inside][:-1] - half[is_inside][1:]
            if is_inside.sum() > 1 and np.all(gaps > APART):
                return [one for one, fits in zip(round_ones, is_inside, strict=True) if fits] + ends
        middle = 10.0 ** (0.5 * (low + high)) if self.is_log else 0.5 * (low + high)
        for digits in range(5):
            one = float(f"{middle:.{digits}e}")
            if abs(
                float(scale(np.array(one)) - 0.5 * (low + high)) if one > 0 or not self.is_log else np.inf
            ) < 0.25 * (high - low):
                return [one, *ends]
        return ends

    def _even(self, most: int) -> list[float]:
        ticks = MaxNLocator(most, steps=[1, 2, 2.5, 3, 4, 5, 10], min_n_ticks=1).tick_values(self.low, self.high)
        return [float(tick) for tick in ticks if self.low <= tick <= self.high]


def coef_axes(ensemble: Ensemble) -> tuple[CoefAxis, ...]:
    """Return the axes of the fitted coefs, over the usable replicates in which all of them have a value."""
    fit = ensemble.fit
    known = {coef.name: coef for coef in fit.law.coefs}
    samples = np.stack([ensemble.samples(name) for name in fit.free], axis=1)
    usable = samples[~np.isnan(samples).any(axis=1)]
    return tuple(
        _axis_of(name, known[name].unit, known[name].support, usable[:, j], fit.coefs[name])
        for j, name in enumerate(fit.free)
    )


def _axis_of(name: str, of: str, support: str, values: np.ndarray, point: float) -> CoefAxis:
    finite = values[np.isfinite(values)]
    reached = np.append(np.quantile(finite, CENTRAL), point) if finite.size else np.array([point])
    reached = reached[np.isfinite(reached)]
    low, high = (float(reached.min()), float(reached.max())) if reached.size else (0.0, 1.0)
    is_log = support == "positive" and low > 0 and high > WIDE * low
    if is_log:
        room = (high / low) ** 0.06
        return CoefAxis(name, of, values, point, low / room, high * room, is_log)
    room = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    return CoefAxis(name, of, values, point, low - room, high + room, is_log)

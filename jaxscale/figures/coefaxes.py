"""The axis of one coef in a pair plot: its replicates, its limits, and whether it is logarithmic."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from jaxscale.digits import number_label
from jaxscale.figures.literal import literal
from jaxscale.figures.scales import Which, few_ticks
from jaxscale.results import Ensemble

CENTRAL = (0.005, 0.995)
"""Quantiles between which an axis lies, so that a few far replicates do not hide the shape of the rest."""
WIDE = 3.0
"""A positive coef whose central replicates span more than this factor gets a log axis."""
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
SHORT = 12
"""A longer unit than this many letters stands in the caption alone."""


@dataclass(frozen=True)
class CoefAxis:
    """One fitted coef: usable replicates (R,), the point fit, limits in the coef's units."""

    name: str
    unit: str
    values: np.ndarray
    point: float
    low: float
    high: float
    is_log: bool

    @property
    def label(self) -> str:
        """The name, with the power of ten that the ticks leave out, and with its unit where that is short."""
        unit = literal(self.unit) if len(self.unit) <= SHORT else ""
        power = f"10{str(self.exponent).translate(SUPERSCRIPTS)}" if self.exponent else ""
        scaled = " ".join(part for part in (power, unit) if part)
        return f"{literal(self.name)} ({scaled})" if scaled else literal(self.name)

    @property
    def exponent(self) -> int:
        """The power of ten by which the ticks of a linear axis are divided, 0 where they can be written in full."""
        size = max(abs(self.low), abs(self.high))
        return 0 if self.is_log or size == 0 or 1e-2 <= size < 1e5 else math.floor(math.log10(size))

    @property
    def edges(self) -> np.ndarray:
        """Edges (31,) of the histogram's bins, even on the axis."""
        return (np.geomspace if self.is_log else np.linspace)(self.low, self.high, 31)

    def apply(self, axes: Axes, which: Which) -> None:
        """Set scale, limits and at most about three ticks on one axis."""
        axis: Axis = axes.xaxis if which == "x" else axes.yaxis
        axes.set(**{f"{which}scale": "log" if self.is_log else "linear", f"{which}lim": (self.low, self.high)})
        if self.is_log:
            axis.set_major_locator(FixedLocator(few_ticks(self.low, self.high)))
            axis.set_minor_locator(NullLocator())
        else:
            axis.set_major_locator(MaxNLocator(3, prune="both"))
        axis.set_major_formatter(FuncFormatter(lambda value, _: number_label(value / 10.0**self.exponent)))


def coef_axes(ensemble: Ensemble) -> tuple[CoefAxis, ...]:
    """Return the axes of the fitted coefs, over the replicates in which all of them are finite and usable."""
    fit = ensemble.fit
    known = {coef.name: coef for coef in fit.law.coefs}
    samples = np.stack([ensemble.samples(name) for name in fit.free], axis=1)
    usable = samples[np.isfinite(samples).all(axis=1)]
    return tuple(
        _axis_of(name, known[name].unit, known[name].support, usable[:, j], fit.coefs[name])
        for j, name in enumerate(fit.free)
    )


def _axis_of(name: str, unit: str, support: str, values: np.ndarray, point: float) -> CoefAxis:
    reached = np.append(np.quantile(values, CENTRAL), point) if values.size else np.array([point])
    reached = reached[np.isfinite(reached)]
    low, high = (float(reached.min()), float(reached.max())) if reached.size else (0.0, 1.0)
    is_log = support == "positive" and low > 0 and high > WIDE * low
    if is_log:
        room = (high / low) ** 0.06
        return CoefAxis(name, unit, values, point, low / room, high * room, is_log)
    room = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    return CoefAxis(name, unit, values, point, low - room, high + room, is_log)

"""Pair plot of the coefs: every pair of them over the replicates, each one alone on the diagonal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from jaxscale.digits import number_label
from jaxscale.errors import IntervalError, UsageError
from jaxscale.figures.axes import Which, few_ticks
from jaxscale.figures.pages import (
    BLUE,
    GREY,
    INK,
    VERMILLION,
    Page,
    banded,
    caption,
    literal,
    page,
    set_caption,
    set_legend,
)
from jaxscale.figures.spec import Figure, Panels
from jaxscale.intervals import Band, Interval
from jaxscale.results import Ensemble, Fit, Frontier

MANY = 1500
"""From this many replicates on, pairs are drawn as hexagons instead of points."""
CENTRAL_NOTE = "axes cover the central 99 % of the replicates"
RANK_NOTE = "above the diagonal: rank correlation"
NOTHING_FITTED = "figure 'coefs' needs a fitted coef; every coef of '{law}' was held fixed"

CENTRAL = (0.005, 0.995)
"""Quantiles between which an axis lies, so that a few far replicates do not hide the shape of the rest."""
WIDE = 3.0
"""A positive coef whose central replicates span more than this factor gets a log axis."""
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
SHORT = 12
"""A longer unit than this many letters stands in the caption alone."""


def draw(figure: Page, ensemble: Ensemble, *, level: float = 0.95, method: Interval | str = "percentile") -> None:
    """Draw pairs of fitted coefs below the diagonal, histograms on it and rank correlations above it.

    figure: empty.   Replicates that are not usable are left out, and so are coefs that were held fixed.
    """
    coefs = coef_axes(ensemble)
    if not coefs:
        raise UsageError(NOTHING_FITTED.format(law=ensemble.fit.law.name))
    panels = figure.subplots(len(coefs), len(coefs), squeeze=False)
    for i, below in enumerate(coefs):
        for j, left in enumerate(coefs):
            ax = panels[i, j]
            if i == j:
                draw_one(ax, left, _band_of(ensemble, left.name, level, method))
            elif i > j:
                draw_pair(ax, left, below)
            else:
                _write_correlation(ax, below, left)
            if i >= j:
                _keep_outer_labels(ax, left, below, is_left=j == 0 < i, is_bottom=i == len(coefs) - 1)
    figure.align_ylabels(list(panels[:, 0]))
    set_legend(figure, _handles(level, is_empty=len(coefs[0].values) == 0), columns=4)


def draw_one(ax: Axes, coef: CoefAxis, band: Band | None) -> None:
    """Draw the histogram of one coef with its band, where it has one, and the point fit."""
    ax.hist(coef.values, bins=coef.edges.tolist(), color=BLUE, alpha=0.55, linewidth=0)
    if band is not None and band.n_used > 0:
        ax.axvspan(float(band.lower), float(band.upper), color=VERMILLION, alpha=0.14, linewidth=0, zorder=0)
    ax.axvline(coef.point, color=VERMILLION, linewidth=1.5)
    coef.apply(ax, "x")
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)


def draw_pair(ax: Axes, across: CoefAxis, up: CoefAxis) -> None:
    """Draw the replicates of two coefs, as hexagons where there are many, and the point fit as a cross."""
    across.apply(ax, "x")
    up.apply(ax, "y")
    is_shown = _within(across) & _within(up)
    if is_shown.sum() >= MANY:
        _draw_hexagons(ax, across, up, is_shown)
    else:
        alpha = 0.6 if is_shown.sum() < 200 else 0.3
        ax.scatter(across.values, up.values, s=5, c=BLUE, alpha=alpha, linewidths=0, rasterized=True)
    ax.plot(across.point, up.point, color="white", marker="P", markersize=7.5, linestyle="none")
    ax.plot(across.point, up.point, color=VERMILLION, marker="P", markersize=6, markeredgewidth=0, linestyle="none")


def compose(
    fit: Fit, ensemble: Ensemble | None, frontier: Frontier | None, *, level: float, method: Interval | str
) -> Page:
    """Return the page of an ensemble, which must be there."""
    assert ensemble is not None  # Figure.make refuses first
    rows = max(len(ensemble.fit.free), 2)
    figure = page(8.6, min(1.45 * rows + 1.3, 12.0))
    draw(figure, ensemble, level=level, method=method)
    bands = [_band_of(ensemble, name, level, method) for name in ensemble.fit.free]
    band = next((one for one in bands if one is not None), None)
    shown = [CENTRAL_NOTE, RANK_NOTE] if band is not None and band.n_used else []
    notes = [banded(band, ensemble), *_units(fit), *shown]
    set_caption(figure, caption(fit, notes))
    return figure


def _panels(
    fit: Fit, ensemble: Ensemble | None, frontier: Frontier | None, *, level: float, method: Interval | str
) -> Panels:
    assert ensemble is not None  # Figure.panels refuses first
    bands = {name: _band_of(ensemble, name, level, method) for name in fit.free}
    return {one.name: partial(draw_one, coef=one, band=bands[one.name]) for one in coef_axes(ensemble)}


def _band_of(ensemble: Ensemble, name: str, level: float, method: Interval | str) -> Band | None:
    """Return the band of a coef; None where it has no interval of that kind, as most have none at a bound."""
    try:
        return ensemble.interval(name, level=level, method=method)
    except IntervalError:
        return None


def _draw_hexagons(ax: Axes, across: CoefAxis, up: CoefAxis, is_shown: np.ndarray) -> None:
    x, y = across.values[is_shown], up.values[is_shown]
    left, right = np.log10([across.low, across.high]) if across.is_log else (across.low, across.high)
    bottom, top = np.log10([up.low, up.high]) if up.is_log else (up.low, up.high)
    ax.hexbin(
        x,
        y,
        gridsize=26,
        bins="log",
        mincnt=1,
        cmap="Blues",
        linewidths=0.1,
        extent=(float(left), float(right), float(bottom), float(top)),
        xscale="log" if across.is_log else "linear",
        yscale="log" if up.is_log else "linear",
    )
    across.apply(ax, "x")
    up.apply(ax, "y")


def _write_correlation(ax: Axes, one: CoefAxis, other: CoefAxis) -> None:
    ax.set_axis_off()
    if len(one.values) < 3 or np.ptp(one.values) == 0 or np.ptp(other.values) == 0:
        return
    ranks = np.stack([np.argsort(np.argsort(coef.values)) for coef in (one, other)]).astype(np.float64)
    correlation = float(np.corrcoef(*ranks)[0, 1])
    colour = INK if abs(correlation) >= 0.5 else GREY
    ax.text(
        0.5,
        0.5,
        f"{correlation:+.2f}".replace("-", "−"),
        ha="center",
        va="center",
        color=colour,
        transform=ax.transAxes,
        fontsize=11,
    )


def _keep_outer_labels(ax: Axes, across: CoefAxis, up: CoefAxis, *, is_left: bool, is_bottom: bool) -> None:
    if is_bottom:
        ax.set_xlabel(across.label, parse_math=False)
    else:
        ax.tick_params(labelbottom=False)
    if is_left:
        ax.set_ylabel(up.label, labelpad=7.0, parse_math=False)
    else:
        ax.tick_params(labelleft=False)


def _units(fit: Fit) -> list[str]:
    coefs = [coef for coef in fit.law.coefs if coef.unit and coef.name not in fit.fixed]
    units = [f"{literal(coef.name)} in {literal(coef.unit.replace(' · ', '·'))}" for coef in coefs]
    return [f"units: {', '.join(units)}"] if units else []


def _within(coef: CoefAxis) -> np.ndarray:
    return (coef.values >= coef.low) & (coef.values <= coef.high)


def _handles(level: float, *, is_empty: bool) -> list[Line2D | Patch]:
    point = Line2D([], [], color=VERMILLION, marker="P", markersize=6, linewidth=1.5, label="point fit")
    if is_empty:
        return [point]
    return [
        point,
        Patch(color=VERMILLION, alpha=0.14, linewidth=0, label=f"{100.0 * level:g} % band"),
        Patch(color=BLUE, alpha=0.55, linewidth=0, label="usable replicates"),
    ]


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


COEFS = Figure("coefs", ("ensemble",), "every pair of fitted coefs over the replicates", compose, _panels)

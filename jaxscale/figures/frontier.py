"""The efficient frontier: size, tokens per param and loss per budget; extrapolation is dashed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from jaxscale.allocation.inputs import measured_flops, priced
from jaxscale.figures.axes import column, is_power, label_of, log_axis, loss_axis, within_reach
from jaxscale.figures.captions import banded, caption
from jaxscale.figures.pages import (
    BLUE,
    GREY,
    PALE,
    VERMILLION,
    Page,
    Width,
    house_style,
    marker_alpha,
    marker_area,
    page,
    set_caption,
    set_legend,
)
from jaxscale.figures.spec import Figure, Panels
from jaxscale.figures.symbols import literal
from jaxscale.intervals import Band, Interval
from jaxscale.results import QUANTITIES, Frontier, Study
from jaxscale.runs import Runs

LAYOUTS: dict[tuple[Width, bool], tuple[str, float]] = {
    ("page", True): ("NL;RL", 3.7),
    ("column", True): ("N;R;L", 5.6),
    ("page", False): ("L", 3.4),
    ("column", False): ("L", 2.4),
}
"""Width, and whether there is a best size → the places of the panels, and their height in inches."""
QUANTITY = {"N": "params", "R": "tokens_per_param", "L": "loss"}
REACH = 30.0
"""A band widens a log axis by at most this factor either way; one that goes further runs out of the panel."""

MEASURED, EXTRAPOLATED = "-", (0, (4.0, 2.0))
FEW = 12
"""With fewer budgets than this each of them gets a mark: the line between them is only a guide."""


def draw(frontier: Frontier, runs: Runs | None, *, level: float, method: Interval | str, width: Width) -> Page:
    """Return the page of N*(C), D*/N* and L*(C), with the runs: beside one another, or in a column.

    A law without a trade-off between params and tokens gets the panel of the loss alone.
    """
    has_size = bool(np.isfinite(frontier.point.params).any())
    places, height = LAYOUTS[width, has_size]
    figure = page(width, height)
    panels = figure.subplot_mosaic(places, sharex=True)
    measured = _measured(frontier, runs)
    for letter, ax in panels.items():
        name = QUANTITY[letter]
        draw_quantity(ax, name, frontier, runs, frontier.interval(name, level=level, method=method), measured)
    if has_size:
        for letter in "NR" if width == "column" else "N":
            panels[letter].set_xlabel("")
            panels[letter].tick_params(labelbottom=False)
        figure.align_ylabels([panels[letter] for letter in ("NRL" if width == "column" else "NR")])
    band = frontier.interval("loss", level=level, method=method)
    handles = curve_handles(band, measured, len(frontier.flops))
    if runs is not None:
        area, alpha = marker_area(len(runs)), marker_alpha(len(runs))
        size = area**0.5
        handles.append(Line2D([], [], color=BLUE, marker="o", markersize=size, alpha=alpha, ls="none", label="runs"))
    set_legend(figure, handles)
    return figure


def draw_quantity(
    ax: Axes, name: str, frontier: Frontier, runs: Runs | None, band: Band | None, measured: tuple[float, float] | None
) -> None:
    """Draw one of params, tokens, tokens_per_param or loss against compute into an empty axes.

    runs, band: None for none; the band is of that quantity over the frontier's budgets (b,).   measured: compute, FLOP.
    """
    flops, centre = frontier.flops, getattr(frontier.point, name)
    x = y = np.empty(0)
    shade_measured(ax, measured)
    if runs is not None:
        x, y = column(priced(frontier.law, runs), "flops"), column(runs, name)
    draw_curve(ax, flops, centre, band, measured)
    log_axis(ax, "x", flops, x, name="flops")
    is_far = ~within_reach(y) if name == "loss" else np.zeros(len(y), bool)
    limits = [centre, y[~is_far], *_within_reach(centre, band)]
    if name == "loss":
        loss_axis(ax, "y", *limits, is_power=is_power(flops, centre))
    else:
        log_axis(ax, "y", *limits, name=name)
    area, alpha = marker_area(len(y)), marker_alpha(len(y))
    ax.scatter(x[~is_far], y[~is_far], s=area, c=BLUE, alpha=alpha, linewidths=0, zorder=3, rasterized=True)
    if is_far.any():
        top = np.full(is_far.sum(), ax.get_ylim()[1])
        ax.scatter(x[is_far], top, s=2.0 * area, c=BLUE, marker="^", linewidths=0, zorder=3, clip_on=False)
    ax.set_xlabel(label_of("flops"))
    ax.set_ylabel(label_of(name))


def compose(study: Study, *, width: Width) -> Page:
    """Return the page of a frontier, which must be there."""
    frontier = study.frontier
    assert frontier is not None  # Figure.make refuses first
    figure = draw(frontier, study.fit.runs, level=study.level, method=study.interval, width=width)
    band = frontier.interval("loss", level=study.level, method=study.interval)
    set_caption(figure, caption(study.fit, [banded(band, study.ensemble)]))
    return figure


def compose_alone(frontier: Frontier, *, width: Width = "page") -> Page:
    """Return the page of a frontier without the runs behind it."""
    with house_style():
        figure = draw(frontier, None, level=0.95, method="percentile", width=width)
        set_caption(figure, " · ".join([f"law {literal(frontier.law.name)}", banded(frontier.interval("loss"), None)]))
        return figure


def panels_of_frontier(
    frontier: Frontier, runs: Runs | None = None, *, level: float = 0.95, method: Interval | str = "percentile"
) -> Panels:
    """Return the panels of a frontier by the quantity that each shows: params first, where there is a best size."""

    def drawing(name: str, ax: Axes) -> None:
        band = frontier.interval(name, level=level, method=method)
        draw_quantity(ax, name, frontier, runs, band, _measured(frontier, runs))

    names = QUANTITIES if np.isfinite(frontier.point.params).any() else ("loss",)
    return {name: partial(drawing, name) for name in names}


def _panels(study: Study) -> Panels:
    assert study.frontier is not None  # Figure.panels refuses first
    return panels_of_frontier(study.frontier, study.fit.runs, level=study.level, method=study.interval)


def _measured(frontier: Frontier, runs: Runs | None) -> tuple[float, float] | None:
    return frontier.measured or (None if runs is None else measured_flops(frontier.law, runs))


def _within_reach(centre: np.ndarray, band: Band | None) -> list[np.ndarray]:
    if band is None or band.n_used == 0:
        return []
    return [np.clip(band.lower, centre / REACH, centre), np.clip(band.upper, centre, centre * REACH)]


@dataclass(frozen=True)
class Piece:
    """A stretch of the frontier on one side of an edge of the measured range: (k,) arrays, band None without one."""

    flops: np.ndarray
    centre: np.ndarray
    lower: np.ndarray | None
    upper: np.ndarray | None
    is_measured: bool


def draw_curve(
    ax: Axes, flops: np.ndarray, centre: np.ndarray, band: Band | None, measured: tuple[float, float] | None
) -> None:
    """Draw centre (b,) against flops (b,), solid inside the measured compute and dashed outside, with its band (b,).

    A single budget is drawn as a point with a bar. NaN leaves a gap.
    """
    has_band = band is not None and band.n_used > 0
    if len(flops) == 1:
        _draw_point(ax, flops, centre, band if has_band else None)
        return
    lower, upper = (band.lower, band.upper) if band is not None and has_band else (None, None)
    for piece in pieces(flops, centre, lower, upper, measured):
        if piece.lower is not None and piece.upper is not None:
            alpha = 0.30 if piece.is_measured else 0.16
            ax.fill_between(piece.flops, piece.lower, piece.upper, color=VERMILLION, alpha=alpha, linewidth=0, zorder=2)
        style = MEASURED if piece.is_measured else EXTRAPOLATED
        ax.plot(piece.flops, piece.centre, color=VERMILLION, linestyle=style, linewidth=1.4, zorder=4)
    if len(flops) < FEW:
        ax.plot(flops, centre, color=VERMILLION, linestyle="none", marker="D", markersize=3.5, zorder=5)


def shade_measured(ax: Axes, measured: tuple[float, float] | None) -> None:
    """Shade the compute that the table covers."""
    if measured is not None:
        ax.axvspan(*measured, color=PALE, alpha=0.45, linewidth=0, zorder=0)


def curve_handles(band: Band | None, measured: tuple[float, float] | None, budgets: int) -> list[Line2D | Patch]:
    """Return the legend's entries for what `draw_curve` and `shade_measured` draw."""
    handles: list[Line2D | Patch] = []
    if budgets == 1:
        handles.append(Line2D([], [], color=VERMILLION, marker="D", markersize=5, linestyle="none", label="optimum"))
    else:
        if measured is not None:
            handles.append(Line2D([], [], color=VERMILLION, linewidth=1.4, label="optimum"))
        handles.append(Line2D([], [], color=VERMILLION, linewidth=1.4, linestyle=EXTRAPOLATED, label="extrapolated"))
    if band is not None and band.n_used > 0:
        handles.append(Patch(color=VERMILLION, alpha=0.3, linewidth=0, label=f"{100.0 * band.level:g} % band"))
    if measured is not None:
        handles.append(Patch(color=PALE, alpha=0.6, linewidth=0, label="compute in the table"))
    return handles


def pieces(
    flops: np.ndarray,
    centre: np.ndarray,
    lower: np.ndarray | None,
    upper: np.ndarray | None,
    measured: tuple[float, float] | None,
) -> list[Piece]:
    """Return the stretches below, inside and above the measured range, joined at its edges by straight lines in logs.

    Without a measured range everything is one extrapolated stretch. Stretches without two budgets are left out.
    """
    order = np.argsort(flops, kind="stable")
    low, high = measured if measured is not None else (np.inf, np.inf)
    edges = [edge for edge in (low, high) if flops[order[0]] < edge < flops[order[-1]]]
    grid = np.union1d(flops, edges)
    curve = _joined(grid, flops[order], centre[order])
    below, above = (None if side is None else _joined(grid, flops[order], side[order]) for side in (lower, upper))
    found = []
    for chosen, is_measured in (
        (grid <= low, False),
        ((grid >= low) & (grid <= high), True),
        (grid >= high, False),
    ):
        if chosen.sum() > 1:
            lower_side, upper_side = (None if side is None else side[chosen] for side in (below, above))
            found.append(Piece(grid[chosen], curve[chosen], lower_side, upper_side, is_measured))
    return found


def _joined(grid: np.ndarray, flops: np.ndarray, values: np.ndarray) -> np.ndarray:
    is_positive = bool(np.all(values[np.isfinite(values)] > 0))
    heights = np.log(values) if is_positive else values
    joined = np.interp(np.log(grid), np.log(flops), heights)
    return np.exp(joined) if is_positive else joined


def _draw_point(ax: Axes, flops: np.ndarray, centre: np.ndarray, band: Band | None) -> None:
    if band is not None:
        ax.vlines(flops, band.lower, band.upper, color=VERMILLION, linewidth=2.5, alpha=0.5, zorder=4)
    ax.plot(flops, centre, color=VERMILLION, marker="D", markersize=5, linestyle="none", zorder=5)
    ax.axvline(float(flops[0]), color=GREY, linewidth=0.6, linestyle=":", zorder=1)


FRONTIER = Figure(
    "frontier", ("frontier",), "optimal params, tokens per param and loss against compute", compose, _panels
)

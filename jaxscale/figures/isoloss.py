"""IsoLoss contours of the law over compute and size, with the runs and the efficient frontier."""

from __future__ import annotations

from functools import partial

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import FuncNorm
from matplotlib.contour import QuadContourSet
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from jaxscale.allocation.inputs import all_sizes, measured_flops, priced
from jaxscale.errors import UsageError
from jaxscale.figures.axes import column, label_of, log_axis
from jaxscale.figures.captions import banded, caption
from jaxscale.figures.frontier import curve_handles, draw_curve, shade_measured
from jaxscale.figures.levels import SHADE, contour_levels
from jaxscale.figures.pages import (
    EDGE_OF_TEXT,
    INK,
    Page,
    Width,
    marker_area,
    marker_edge,
    page,
    set_caption,
    set_legend,
    settle,
)
from jaxscale.figures.spec import Figure, Panels
from jaxscale.laws import predict_with
from jaxscale.results import Fit, Frontier, Study
from jaxscale.runs import Runs

NO_PLANE = (
    "figure 'isoloss' needs a law of params and tokens alone; '{law}' is a law of {inputs}, "
    "so there is no plane to draw contours in"
)
NO_RUNS_THERE = "figure 'isoloss' needs runs with params and compute; this table has none"
CELLS = 240
BEYOND = 100.0
"""The plane ends at this multiple of the largest measured compute; the frontier's own figure goes further."""
HEIGHTS: dict[Width, float] = {"column": 2.9, "page": 3.9}
FREE, INSIDE = 15.0, 16.0
"""Pixels from the middle of a contour's label to the nearest run or curve, and to the edge of the panel, at least."""
BLOCK = 4096
"""Points whose distances are taken at once."""


def draw(study: Study, ax: Axes) -> list[Artist]:
    """Draw contours of equal predicted loss over compute and params, runs by measured loss, and N*(C).

    Contours and runs have one map of colours, whose bar has the contours' levels.   Returns what a legend says of it.
    Raises UsageError for a law of anything but params and tokens, and for a table without them.
    """
    fit, frontier = study.fit, study.frontier
    check_has_plane(fit)
    handles: list[Artist] = []
    runs = priced(fit.law, fit.runs)
    _set_plane(ax, runs, frontier)
    if frontier is not None:
        measured = frontier.measured or measured_flops(fit.law, fit.runs)
        band = frontier.interval("params", level=study.level, method=study.interval)
        limits = ax.get_xlim(), ax.get_ylim()
        shade_measured(ax, measured)
        draw_curve(ax, frontier.flops, frontier.point.params, band, measured)
        ax.set(xlim=limits[0], ylim=limits[1])
        handles += curve_handles(band, measured, len(frontier.flops))
    _draw_losses(ax, fit, runs)
    ax.set(xlabel=label_of("flops"), ylabel=label_of("params"))
    shade = SHADE(0.5)
    handles.append(Line2D([], [], color=shade, linewidth=0.9, label="predicted loss"))
    handles.append(Line2D([], [], color=shade, marker="o", markersize=4, markeredgecolor=INK, markeredgewidth=0.4,
                          linestyle="none", label="runs, measured loss"))  # fmt: skip
    return handles


def check_has_plane(fit: Fit) -> None:
    """Raise UsageError unless the law is one of params and tokens, and the table has runs to place."""
    if set(fit.law.inputs) != {"params", "tokens"}:
        raise UsageError(NO_PLANE.format(law=fit.law.name, inputs=", ".join(fit.law.inputs)))
    if not np.isfinite(column(fit.runs, "flops") * column(fit.runs, "params")).any():
        raise UsageError(NO_RUNS_THERE)


def compose(study: Study, *, width: Width) -> Page:
    """Return the page of the contours, with the frontier where there is one."""
    check_has_plane(study.fit)
    figure = page(width, HEIGHTS[width])
    ax = figure.add_subplot()
    set_legend(figure, draw(study, ax))
    frontier = study.frontier
    band = None if frontier is None else frontier.interval("params", level=study.level, method=study.interval)
    set_caption(figure, caption(study.fit, [banded(band, study.ensemble)]))
    settle(figure)  # labels are placed in pixels
    name_contours(ax, study)
    return figure


def _panels(study: Study) -> Panels:
    def drawing(ax: Axes) -> None:
        ax.legend(handles=draw(study, ax), loc="upper left")
        name_contours(ax, study)

    return {"contours": drawing}


def _set_plane(ax: Axes, runs: Runs, frontier: Frontier | None) -> None:
    x, y = column(runs, "flops"), column(runs, "params")
    more_x, more_y = np.empty(0), np.empty(0)
    if frontier is not None:
        near = (frontier.flops <= BEYOND * np.nanmax(x)) & (frontier.flops >= np.nanmin(x) / BEYOND)
        more_x, more_y = frontier.flops[near], frontier.point.params[near]
    log_axis(ax, "x", x, more_x, name="flops")
    log_axis(ax, "y", y, more_y, name="params", room=0.08)


def _draw_losses(ax: Axes, fit: Fit, runs: Runs) -> None:
    """Draw contours and runs in one map of colours, in which the levels are evenly far apart."""
    flops, params = (np.geomspace(*limits, CELLS) for limits in (ax.get_xlim(), ax.get_ylim()))
    sizes = all_sizes(fit.law, {"params": params[:, None], "flops": flops[None, :]})
    loss = predict_with(fit.law, fit.coefs, {name: sizes[name] for name in fit.law.inputs})
    levels = contour_levels(loss)
    ends = _ends(levels, runs.loss)
    places = np.arange(float(len(ends)))
    norm = FuncNorm(
        (partial(np.interp, xp=ends, fp=places), partial(np.interp, xp=places, fp=ends)),
        float(ends[0]),
        float(ends[-1]),
    )
    if len(levels):
        ax.contour(flops, params, loss, levels=levels, cmap=SHADE, norm=norm, linewidths=0.9, zorder=1.5)
    points = ax.scatter(
        column(runs, "flops"),
        column(runs, "params"),
        c=runs.loss,
        norm=norm,
        cmap=SHADE,
        s=1.4 * marker_area(len(runs)),
        linewidths=marker_edge(len(runs)),
        edgecolors=INK,
        zorder=3,
        rasterized=True,
    )
    has_more = len(levels) > 0 and (levels[0] < ends[0], levels[-1] > ends[-1])
    extend = {(False, False): "neither", (True, False): "min", (False, True): "max"}.get(
        has_more or (False, False), "both"
    )
    bar = ax.figure.colorbar(points, ax=ax, pad=0.015, aspect=34, extend=extend)
    if len(levels):
        bar.ax.yaxis.set_major_locator(FixedLocator(ends.tolist()))
        bar.ax.yaxis.set_major_formatter("{x:g}")
        bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.set_label(label_of("loss"))
    bar.outline.set_visible(False)


def _ends(levels: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Return the levels from the last below what was measured to the first above it: those that have a colour each."""
    low, high = np.nanmin(measured), np.nanmax(measured)
    if len(levels) < 2:
        return np.array([low, high if high > low else low * (1 + 1e-9) + 1e-300])
    first = int(np.clip(np.searchsorted(levels, low, "right") - 1, 0, len(levels) - 2))
    last = int(np.clip(np.searchsorted(levels, high, "left"), first + 1, len(levels) - 1))
    return levels[first : last + 1]


def name_contours(ax: Axes, study: Study) -> None:
    """Write the level of each contour on its line, where it is far from runs, the frontier and other levels.

    The figure's layout must be settled. A contour without room has its colour alone.
    """
    contours = next((one for one in ax.collections if isinstance(one, QuadContourSet)), None)
    if contours is None:
        return
    runs, frontier = priced(study.fit.law, study.fit.runs), study.frontier
    kept = np.column_stack([column(runs, "flops"), column(runs, "params")])
    if frontier is not None:
        kept = np.vstack([kept, np.column_stack([frontier.flops, frontier.point.params])])
    kept = np.unique(np.round(ax.transData.transform(kept[np.isfinite(kept).all(axis=1)])), axis=0)
    panel = ax.get_window_extent()
    chosen: list[np.ndarray] = []
    for path in contours.get_paths():
        vertices = np.asarray(path.vertices)
        if not len(vertices):
            continue
        spots = ax.transData.transform(vertices)
        edge = np.min(
            [spots[:, 0] - panel.x0, panel.x1 - spots[:, 0], spots[:, 1] - panel.y0, panel.y1 - spots[:, 1]], axis=0
        )
        near = _nearest(spots, np.vstack([kept, *chosen]))
        room = np.where(edge > INSIDE, np.minimum(near, 3.0 * FREE), 0.0)
        if room.max() > FREE:
            best = spots[np.flatnonzero(room >= 0.999 * room.max())]
            chosen.append(best[[np.argmax(best[:, 1])]])
    places = [tuple(ax.transData.inverted().transform(one[0])) for one in chosen]
    for text in ax.clabel(contours, fmt="%g", colors=INK, fontsize=matplotlib.rcParams["font.size"], manual=places):
        text.set(bbox=EDGE_OF_TEXT, zorder=4.5)


def _nearest(spots: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the distance (s,) from each spot (s, 2) to the nearest of points (m, 2), infinite without any.

    A tree of SciPy would be faster from some ten thousand points on, and takes a third of a second to import.
    """
    near = np.full(len(spots), np.inf)
    for block in np.array_split(points, 1 + len(points) // BLOCK):
        apart = spots[:, None] - block
        near = np.minimum(near, np.hypot(apart[..., 0], apart[..., 1]).min(axis=1, initial=np.inf))
    return near


ISOLOSS = Figure(
    "isoloss", (), "contours of equal loss over compute and params, with the frontier", compose, _panels, ("frontier",)
)

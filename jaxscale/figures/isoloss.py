"""IsoLoss contours of the law over compute and size, with the runs and the efficient frontier."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from jaxscale.allocation.inputs import all_sizes, measured_flops, priced
from jaxscale.errors import UsageError
from jaxscale.figures.axes import column, label_of, log_axis
from jaxscale.figures.frontier import curve_handles, draw_curve, shade_measured
from jaxscale.figures.pages import (
    EDGE_OF_TEXT,
    GREY,
    INK,
    SHADES,
    Page,
    banded,
    caption,
    marker_area,
    marker_edge,
    page,
    set_caption,
)
from jaxscale.figures.spec import Figure, Panels
from jaxscale.intervals import Interval
from jaxscale.laws import predict_with
from jaxscale.results import Ensemble, Fit, Frontier
from jaxscale.runs import Runs

NO_PLANE = (
    "figure 'isoloss' needs a law of params and tokens alone; '{law}' is a law of {inputs}, "
    "so there is no plane to draw contours in"
)
NO_RUNS_THERE = "figure 'isoloss' needs runs with params and compute; this table has none"
CELLS = 240
CONTOURS = 9
CLEAR = 2.5
"""A contour is labelled above the frontier only at more than this multiple of the optimal params."""
BEYOND = 100.0
"""The plane ends at this multiple of the largest measured compute; the frontier's own figure goes further."""


def draw(
    ax: Axes, fit: Fit, frontier: Frontier | None, *, level: float = 0.95, method: Interval | str = "percentile"
) -> None:
    """Draw contours of equal predicted loss over compute and params, runs coloured by measured loss, and N*(C).

    Raises UsageError for a law of anything but params and tokens, and for a table without them.
    """
    check_has_plane(fit)
    handles: list[Line2D | Patch] = [Line2D([], [], color=GREY, linewidth=0.8, label="equal predicted loss")]
    runs = priced(fit.law, fit.runs)
    _set_plane(ax, runs, frontier)
    if frontier is not None:
        measured = frontier.measured or measured_flops(fit.law, fit.runs)
        band = frontier.interval("params", level=level, method=method)
        limits = ax.get_xlim(), ax.get_ylim()
        shade_measured(ax, measured)
        draw_curve(ax, frontier.flops, frontier.point.params, band, measured)
        ax.set(xlim=limits[0], ylim=limits[1])
        handles = [*curve_handles(band, measured, len(frontier.flops)), *handles]
    _draw_contours(ax, fit)
    _draw_runs(ax, runs)
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(-0.01, 1.01), ncols=3, borderaxespad=0.2)
    ax.set_xlabel(label_of("flops"))
    ax.set_ylabel(label_of("params"))


def check_has_plane(fit: Fit) -> None:
    """Raise UsageError unless the law is one of params and tokens, and the table has runs to place."""
    if set(fit.law.inputs) != {"params", "tokens"}:
        raise UsageError(NO_PLANE.format(law=fit.law.name, inputs=", ".join(fit.law.inputs)))
    if not np.isfinite(column(fit.runs, "flops") * column(fit.runs, "params")).any():
        raise UsageError(NO_RUNS_THERE)


def compose(
    fit: Fit, ensemble: Ensemble | None, frontier: Frontier | None, *, level: float, method: Interval | str
) -> Page:
    """Return the page of the contours, with the frontier where there is one."""
    check_has_plane(fit)
    figure = page(8.6, 5.6)
    draw(figure.add_subplot(), fit, frontier, level=level, method=method)
    band = None if frontier is None else frontier.interval("params", level=level, method=method)
    set_caption(figure, caption(fit, [banded(band, ensemble)]))
    return figure


def _panels(
    fit: Fit, ensemble: Ensemble | None, frontier: Frontier | None, *, level: float, method: Interval | str
) -> Panels:
    return {"contours": partial(draw, fit=fit, frontier=frontier, level=level, method=method)}


def _set_plane(ax: Axes, runs: Runs, frontier: Frontier | None) -> None:
    x, y = column(runs, "flops"), column(runs, "params")
    more_x, more_y = np.empty(0), np.empty(0)
    if frontier is not None:
        near = (frontier.flops <= BEYOND * np.nanmax(x)) & (frontier.flops >= np.nanmin(x) / BEYOND)
        more_x, more_y = frontier.flops[near], frontier.point.params[near]
    log_axis(ax, "x", x, more_x, name="flops")
    log_axis(ax, "y", y, more_y, name="params", room=0.08)


def _draw_contours(ax: Axes, fit: Fit) -> None:
    flops, params = (np.geomspace(*limits, CELLS) for limits in (ax.get_xlim(), ax.get_ylim()))
    sizes = all_sizes(fit.law, {"params": params[:, None], "flops": flops[None, :]})
    loss = predict_with(fit.law, fit.coefs, {name: sizes[name] for name in fit.law.inputs})
    levels = contour_levels(loss)
    if len(levels) == 0:
        return
    lines = ax.contour(flops, params, loss, levels=levels, colors=GREY, linewidths=0.8, zorder=1.5)
    places = _label_places(flops, params, loss, levels)
    digits = max(len(f"{level:g}".partition(".")[2]) for level in levels)
    for text in ax.clabel(lines, fmt=f"%.{digits}f", fontsize=7.5, colors=INK, manual=places):
        text.set(bbox=EDGE_OF_TEXT, zorder=4.5)


def contour_levels(loss: np.ndarray) -> np.ndarray:
    """Return about a dozen rounded levels for a loss (params, flops): the best loss at evenly spaced compute.

    Each such contour touches a vertical line of equal compute on the frontier; further levels stand above the first.
    """
    best = np.min(np.where(np.isfinite(loss), loss, np.inf), axis=0)
    middles = (np.arange(CONTOURS) + 0.5) / CONTOURS
    levels = best[(middles * len(best)).astype(int)]
    steps = -np.diff(levels[np.isfinite(levels)])
    if len(steps) == 0 or np.min(steps) <= 0:
        return np.empty(0)
    above = levels[0] + np.cumsum(steps[0] * 1.4 ** np.arange(1, 5))
    digits = int(np.ceil(-np.log10(np.min(steps) / 3.0)))
    return np.unique(np.round(np.concatenate([levels, above]), digits))


def _label_places(
    flops: np.ndarray, params: np.ndarray, loss: np.ndarray, levels: np.ndarray
) -> list[tuple[float, float]]:
    """Return one place per contour, clear of the frontier: on a row near the top, else on a column near the right."""
    places = []
    column_at = CELLS - CELLS // 16
    best = params[np.argmin(loss, axis=0)]
    for k, level in enumerate(levels):
        row_at = int(CELLS * (0.84 if k % 2 else 0.93))
        on_row = _crossings(loss[row_at], level)
        on_column = _crossings(loss[:, column_at], level)
        if len(on_row) and params[row_at] > CLEAR * best[on_row[0]]:
            places.append((float(flops[on_row[0]]), float(params[row_at])))
        elif len(on_column):
            places.append((float(flops[column_at]), float(params[on_column[0]])))
    return places


def _crossings(losses: np.ndarray, level: float) -> np.ndarray:
    inner = np.arange(CELLS // 30, CELLS - CELLS // 30)
    return inner[:-1][np.diff(losses[inner] > level)]


def _draw_runs(ax: Axes, runs: Runs) -> None:
    low, high = np.quantile(runs.loss, [0.01, 0.99])
    points = ax.scatter(
        column(runs, "flops"),
        column(runs, "params"),
        c=runs.loss,
        norm=Normalize(low, high),
        cmap=SHADES,
        s=1.6 * marker_area(len(runs)),
        linewidths=marker_edge(len(runs)),
        edgecolors=INK,
        zorder=3,
        rasterized=True,
    )
    bar = ax.figure.colorbar(points, ax=ax, pad=0.015, aspect=34, extend="both" if len(runs) > 100 else "neither")
    bar.set_label("measured " + label_of("loss"))
    bar.outline.set_visible(False)


ISOLOSS = Figure(
    "isoloss", (), "contours of equal loss over compute and params, with the frontier", compose, _panels, ("frontier",)
)

"""Residuals of the law against compute and tokens per param, the largest ones named."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter
from matplotlib.transforms import Bbox

from jaxscale.allocation.inputs import priced
from jaxscale.digits import number_label, signed
from jaxscale.figures.axes import Quantity, abscissae, few_ticks, log_axis
from jaxscale.figures.pages import (
    BLUE,
    EDGE_OF_TEXT,
    INK,
    SHADES,
    VERMILLION,
    Page,
    caption,
    literal,
    marker_area,
    marker_edge,
    page,
    set_caption,
    set_legend,
)
from jaxscale.figures.spec import Figure, Panels
from jaxscale.intervals import Interval
from jaxscale.results import Ensemble, Fit, Frontier
from jaxscale.runs import Runs

AXIS = {"log": "residual, ln(predicted / measured)", "linear": "residual, predicted − measured (nats/token)"}
NAMED = 5
"""Number of the largest residuals that are labelled."""
TALL = 4.0
"""The axis ends at this multiple of the 95 % quantile of |residual|; a run beyond it is an arrow at the edge."""
GROUPS, LEAST_IN_GROUP = 12, 10

SIZE = 7.5
POINT = 6.0
"""Side in pixels of the square that a point keeps free of words."""
PLACES = tuple(
    (x, y, "left" if x > 0 else "right" if x < 0 else "center")
    for far in (6.0, 16.0, 28.0)
    for x, y in ((far, 4.0), (-far, 4.0), (far, -8.0), (-far, -8.0), (0.0, far), (0.0, -far - 4.0))
)
"""Offsets from the point in points, nearest first, with the side of the text that faces the point."""


def draw(figure: Page, fit: Fit) -> None:
    """Draw the residuals (n,) of a fit into an empty figure, one panel per quantity that the runs have, at most two.

    Each panel is coloured by the other's quantity and has a running median; an arrow at an edge is a run beyond it.
    """
    quantities = abscissae(priced(fit.law, fit.runs), fit.law)
    panels = np.atleast_1d(figure.subplots(1, len(quantities), sharey=True))
    for ax, quantity, other in zip(panels, quantities, quantities[::-1], strict=True):
        draw_residuals(ax, quantity, fit.residuals, shade=None if other is quantity else other)
    panels[0].set_ylabel(AXIS[fit.objective.space])
    figure.align_xlabels(list(panels))
    if len(fit.runs) >= 3 * LEAST_IN_GROUP:
        set_legend(figure, [Line2D([], [], color=VERMILLION, linewidth=1.4, label="running median")], columns=1)
    figure.draw_without_rendering()  # settles the layout, since labels are placed in pixels
    named = largest(fit.residuals)
    heights = np.clip(fit.residuals[named], *limits_of(fit.residuals))
    for ax, quantity in zip(panels, quantities, strict=True):
        label_points(ax, quantity.values[named], heights, [f"row {row}" for row in fit.runs.row[named]])


def draw_residuals(ax: Axes, quantity: Quantity, residuals: np.ndarray, *, shade: Quantity | None = None) -> None:
    """Draw residuals (n,) against one quantity (n,) with a zero line, coloured by another."""
    low, high = limits_of(residuals)
    is_beyond = (residuals < low) | (residuals > high)
    colours = None if shade is None or not np.isfinite(shade.values).any() else shade.values
    norm = None if colours is None else LogNorm(*_widened(colours))
    for chosen, marker in (
        (~is_beyond, "o"),
        (residuals > high, "^"),
        (residuals < low, "v"),
    ):
        if chosen.any():
            points = ax.scatter(
                quantity.values[chosen],
                np.clip(residuals[chosen], low, high),
                c=BLUE if colours is None else colours[chosen],
                norm=norm,
                cmap=None if colours is None else SHADES,
                marker=marker,
                s=(1.3 if marker == "o" else 3.0) * marker_area(len(residuals)),
                linewidths=marker_edge(len(residuals)),
                edgecolors=INK,
                zorder=3,
                rasterized=True,
                clip_on=marker == "o",
            )
    if colours is not None and shade is not None:
        bar = ax.figure.colorbar(points, ax=ax, location="top", pad=0.02, aspect=36, label=f"colour: {shade.label}")
        bar.outline.set_visible(False)
        if shade.is_log:
            bar.ax.xaxis.set_major_locator(FixedLocator(few_ticks(*bar.ax.get_xlim(), most=4)))
            bar.ax.xaxis.set_major_formatter(FuncFormatter(number_label))
            bar.ax.xaxis.set_minor_formatter(NullFormatter())
    ax.axhline(0.0, color=INK, linewidth=0.8, zorder=2)
    ax.plot(*running_median(quantity.values, residuals), color=VERMILLION, linewidth=1.4, zorder=4)
    if quantity.is_log:
        log_axis(ax, "x", quantity.values, name=quantity.name)
    ax.set_xlabel(quantity.label)
    room = 0.06 * (high - low)
    ax.set_ylim(low - room, high + room)
    ax.yaxis.set_major_formatter(FuncFormatter(number_label))


def limits_of(residuals: np.ndarray) -> tuple[float, float]:
    """Return the limits of the residual axis, symmetric about zero, in the residuals' units."""
    sizes = np.abs(residuals[np.isfinite(residuals)])
    if sizes.size == 0 or sizes.max() == 0:
        return -1.0, 1.0
    bulk = TALL * float(np.quantile(sizes, 0.95))
    reach = float(sizes.max()) if bulk == 0 else min(float(sizes.max()), bulk)
    return -reach, reach


def running_median(x: np.ndarray, residuals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the geometric mean of x and the median residual in up to 12 groups of equal size along x.

    Both are empty for fewer than 30 runs: a median of a handful says nothing about the law.
    """
    order = np.argsort(x)
    order = order[np.isfinite(x[order]) & np.isfinite(residuals[order])]
    groups = min(GROUPS, len(order) // LEAST_IN_GROUP)
    if groups < 3:
        return np.empty(0), np.empty(0)
    parts = np.array_split(order, groups)
    middles = [np.exp(np.mean(np.log(x[part]))) for part in parts]
    return np.array(middles), np.array([np.median(residuals[part]) for part in parts])


def largest(residuals: np.ndarray, count: int = NAMED) -> np.ndarray:
    """Return the positions of the `count` largest |residual|, the largest first; NaN is never among them."""
    order = np.argsort(-np.abs(residuals), kind="stable")
    return order[np.isfinite(residuals[order])][:count]


def largest_named(runs: Runs, residuals: np.ndarray) -> str:
    """Return the caption's list of the largest residuals: row, name of the run if there is one, and residual."""
    names = runs.labels.get("run")
    parts = []
    for at in largest(residuals):
        name = "" if names is None else f" {literal(str(names[at]), limit=16)}"
        parts.append(f"row {runs.row[at]}{name} ({signed(residuals[at])})")
    return f"largest: {', '.join(parts)}"


def compose(
    fit: Fit, ensemble: Ensemble | None, frontier: Frontier | None, *, level: float, method: Interval | str
) -> Page:
    """Return the page of the residuals of the point fit, which has no bands."""
    figure = page(8.6, 4.9)
    draw(figure, fit)
    beyond = int(np.sum(np.abs(fit.residuals) > limits_of(fit.residuals)[1]))
    arrows = [f"arrows: {beyond} beyond the axis"] if beyond else []
    set_caption(figure, caption(fit, ["residuals of the point fit", largest_named(fit.runs, fit.residuals), *arrows]))
    return figure


def _panels(
    fit: Fit, ensemble: Ensemble | None, frontier: Frontier | None, *, level: float, method: Interval | str
) -> Panels:
    def drawing(quantity: Quantity, ax: Axes) -> None:
        draw_residuals(ax, quantity, fit.residuals)
        ax.set_ylabel(AXIS[fit.objective.space])

    return {one.name: partial(drawing, one) for one in abscissae(priced(fit.law, fit.runs), fit.law)}


def _widened(values: np.ndarray) -> tuple[float, float]:
    low, high = (float(one) for one in np.nanquantile(values, [0.01, 0.99]))
    return (low / 1.1, high * 1.1) if high < 1.2 * low else (low, high)


def label_points(ax: Axes, x: np.ndarray, y: np.ndarray, words: Sequence[str]) -> int:
    """Write a word beside each point, in order, where it stays in the axes and meets no word or point; return how many.

    x, y: (k,) in data units, NaN for none.   The figure's layout must be settled. A word without room is left out.
    """
    panel = ax.get_window_extent()
    pixels = ax.transData.transform(np.column_stack([x, y]))
    points = {at: _around(spot) for at, spot in enumerate(pixels) if np.isfinite(spot).all()}
    taken: list[Bbox] = []
    for at in points:
        others = [*taken, *(box for which, box in points.items() if which != at)]
        for dx, dy, side in PLACES:
            text = ax.annotate(
                words[at],
                (x[at], y[at]),
                xytext=(dx, dy),
                textcoords="offset points",
                ha=side,
                fontsize=SIZE,
                color=INK,
                bbox=EDGE_OF_TEXT,
                arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 2},
                parse_math=False,
                zorder=6,
            )
            box = text.get_window_extent()  # with its arrow, which reaches the point
            is_inside = panel.x0 <= box.x0 and box.x1 <= panel.x1 and panel.y0 <= box.y0 and box.y1 <= panel.y1
            if is_inside and not any(box.overlaps(other) for other in others):
                taken.append(box)
                break
            text.remove()
    return len(taken)


def _around(spot: np.ndarray) -> Bbox:
    return Bbox([spot - POINT / 2.0, spot + POINT / 2.0])


RESIDUALS = Figure(
    "residuals", (), "residuals against compute and tokens per param, the largest named", compose, _panels
)

"""Residuals of the law in per cent against compute and tokens per param, the largest ones named."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from jaxscale.allocation.inputs import priced
from jaxscale.digits import number_label, signed
from jaxscale.figures.axes import Quantity, abscissae, log_axis, shade_bar
from jaxscale.figures.captions import caption
from jaxscale.figures.labelling import label_points
from jaxscale.figures.pages import (
    BLUE,
    INK,
    SHADES,
    VERMILLION,
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
from jaxscale.figures.symbols import literal
from jaxscale.results import Fit, Study

PER_CENT = "predicted / measured − 1 (%)"
NATS = "predicted − measured (nats/token)"
NAMED = 5
"""Number of the largest residuals that are labelled."""
TALL = 2.5
"""The axis ends at this multiple of the 95 % quantile of |residual|; a run beyond it is an arrow at the edge."""
GROUPS, LEAST_IN_GROUP = 12, 10
HEIGHTS: dict[Width, float] = {"column": 2.35, "page": 2.9}
"""Inches of a panel with its labels and its bar of colours."""


def shown_residuals(fit: Fit) -> tuple[np.ndarray, str]:
    """Return the residuals (n,) as they are drawn, with their label: 100 (predicted / measured − 1).

    In nats per token where a measured value is zero or below, which has no per cent.
    """
    if fit.objective.space == "log":
        return 100.0 * np.expm1(fit.residuals), PER_CENT
    if np.all(fit.runs.loss > 0):
        return 100.0 * fit.residuals / fit.runs.loss, PER_CENT
    return fit.residuals, NATS


def draw(figure: Page, fit: Fit, *, is_stacked: bool) -> None:
    """Draw the residuals (n,) of a fit into an empty figure, one panel per quantity that the runs have, at most two.

    Each panel is coloured by the other's quantity and has a running median; an arrow at an edge is a run beyond it.
    """
    quantities, (residuals, label) = abscissae(priced(fit.law, fit.runs), fit.law), shown_residuals(fit)
    rows, columns = (len(quantities), 1) if is_stacked else (1, len(quantities))
    panels = np.ravel(figure.subplots(rows, columns, sharey=True, squeeze=False))
    for at, (ax, quantity, other) in enumerate(zip(panels, quantities, quantities[::-1], strict=True)):
        draw_residuals(ax, quantity, residuals, shade=None if other is quantity else other)
        if is_stacked or at == 0:
            ax.set_ylabel(label)
    if len(fit.runs) >= 3 * LEAST_IN_GROUP:
        set_legend(figure, [Line2D([], [], color=VERMILLION, linewidth=1.2, label="running median")])


def name_largest(figure: Page, fit: Fit) -> None:
    """Name the largest residuals beside their points, on a page that is complete but for these words."""
    quantities, (residuals, _) = abscissae(priced(fit.law, fit.runs), fit.law), shown_residuals(fit)
    settle(figure)  # labels are placed in pixels
    named, (low, high) = largest(residuals), limits_of(residuals)
    heights = np.clip(residuals, low, high)
    words = [f"row {row}" for row in fit.runs.row[named]]
    for ax, quantity in zip(figure.axes, quantities, strict=False):
        points = np.column_stack([quantity.values, heights])
        label_points(ax, quantity.values[named], heights[named], words, points)


def _said(residual: float) -> str:
    """Return a residual with its sign, a figure's minus, and three digits, or whole from a thousand on."""
    said = f"{residual:+,.0f}" if abs(residual) >= 1000.0 else signed(float(f"{residual:.3g}"))
    return said.replace("-", "−")


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
        shade_bar(ax, points, f"colour: {shade.label}", is_log=shade.is_log)
    ax.axhline(0.0, color=INK, linewidth=0.8, zorder=2)
    ax.plot(*running_median(quantity.values, residuals), color=VERMILLION, linewidth=1.2, zorder=4)
    if quantity.is_log:
        log_axis(ax, "x", quantity.values, name=quantity.name)
    ax.set_xlabel(quantity.label)
    room = 0.06 * (high - low)
    ax.set_ylim(low - room, high + room)
    ax.yaxis.set_major_locator(MaxNLocator(6))
    ax.yaxis.set_major_formatter(FuncFormatter(number_label))


def limits_of(residuals: np.ndarray) -> tuple[float, float]:
    """Return the limits of the residual axis, symmetric about zero, in the residuals' units."""
    sizes = np.abs(residuals[np.isfinite(residuals)])
    if sizes.size == 0 or sizes.max() == 0:
        return -1.0, 1.0
    bulk = TALL * float(np.quantile(sizes, 0.95, method="lower"))  # of the others, where one run of few is far off
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


def largest_named(fit: Fit) -> str:
    """Return the caption's list of the largest residuals: row, name of the run if there is one, and residual."""
    names, (residuals, label) = fit.runs.labels.get("run"), shown_residuals(fit)
    sign = "\N{NO-BREAK SPACE}%" if label == PER_CENT else ""
    parts = []
    for at in largest(residuals):
        name = "" if names is None else f" {literal(str(names[at]), limit=16)}"
        parts.append(f"row {fit.runs.row[at]}{name} ({_said(residuals[at])}{sign})")
    return f"largest: {', '.join(parts)}"


def compose(study: Study, *, width: Width) -> Page:
    """Return the page of the residuals of the point fit, which has no bands."""
    fit, (residuals, _) = study.fit, shown_residuals(study.fit)
    is_stacked = width == "column"
    panels = len(abscissae(priced(fit.law, fit.runs), fit.law))
    figure = page(width, HEIGHTS[width] * (panels if is_stacked else 1))
    draw(figure, fit, is_stacked=is_stacked)
    beyond = int(np.sum(np.abs(residuals) > limits_of(residuals)[1]))
    arrows = [f"arrows: {beyond} beyond the axis"] if beyond else []
    set_caption(figure, caption(fit, ["residuals of the point fit", largest_named(fit), *arrows]))
    name_largest(figure, fit)
    return figure


def _panels(study: Study) -> Panels:
    fit, (residuals, label) = study.fit, shown_residuals(study.fit)

    def drawing(quantity: Quantity, ax: Axes) -> None:
        draw_residuals(ax, quantity, residuals)
        ax.set_ylabel(label)

    return {one.name: partial(drawing, one) for one in abscissae(priced(fit.law, fit.runs), fit.law)}


def _widened(values: np.ndarray) -> tuple[float, float]:
    low, high = (float(one) for one in np.nanquantile(values, [0.01, 0.99]))
    return (low / 1.1, high * 1.1) if high < 1.2 * low else (low, high)


RESIDUALS = Figure(
    "residuals", (), "residuals against compute and tokens per param, the largest named", compose, _panels
)

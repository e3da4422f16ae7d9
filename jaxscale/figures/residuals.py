"""Residuals of the law against compute and tokens per param, the largest ones named."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure as Page
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from jaxscale.allocation.inputs import priced
from jaxscale.digits import number_label, signed
from jaxscale.figures.captions import caption
from jaxscale.figures.labels import label_points
from jaxscale.figures.literal import literal
from jaxscale.figures.pages import page, set_caption, set_legend
from jaxscale.figures.quantities import Quantity, abscissae
from jaxscale.figures.scales import few_ticks, log_axis
from jaxscale.figures.spec import Figure
from jaxscale.figures.style import BLUE, INK, SHADES, VERMILLION, marker_area, marker_edge
from jaxscale.intervals import Interval
from jaxscale.results import Ensemble, Fit, Frontier
from jaxscale.runs import Runs

AXIS = {"log": "residual, ln(predicted / measured)", "linear": "residual, predicted − measured (nats/token)"}
NAMED = 5
"""How many of the largest residuals are labelled."""
TALL = 4.0
"""The axis ends at this multiple of the 95 % quantile of |residual|; a run beyond it is an arrow at the edge."""
GROUPS, LEAST_IN_GROUP = 12, 10


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


def _widened(values: np.ndarray) -> tuple[float, float]:
    low, high = (float(one) for one in np.nanquantile(values, [0.01, 0.99]))
    return (low / 1.1, high * 1.1) if high < 1.2 * low else (low, high)


RESIDUALS = Figure("residuals", (), "residuals against compute and tokens per param, the largest named", compose)

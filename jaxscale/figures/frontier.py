"""The efficient frontier: the best size, tokens per param and loss for each budget, next to the runs."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Page
from matplotlib.lines import Line2D

from jaxscale.allocation.inputs import measured_flops, priced
from jaxscale.figures.axes import column, label_of, log_axis, loss_axis
from jaxscale.figures.curves import curve_handles, draw_curve, shade_measured
from jaxscale.figures.pages import BLUE, banded, caption, marker_alpha, marker_area, page, set_caption, set_legend
from jaxscale.figures.spec import Figure
from jaxscale.intervals import Band, Interval
from jaxscale.results import Ensemble, Fit, Frontier
from jaxscale.runs import Runs

WITH_SIZE, LOSS_ALONE = "NL;RL", "L"
QUANTITY = {"N": "params", "R": "tokens_per_param", "L": "loss"}
REACH = 30.0
"""A band widens a log axis by at most this factor either way; one that goes further runs out of the panel."""


def draw(
    figure: Page, frontier: Frontier, runs: Runs, *, level: float = 0.95, method: Interval | str = "percentile"
) -> None:
    """Draw N*(C) and D*/N* on the left and L*(C) on the right, with the runs, into an empty figure.

    A law without a trade-off between params and tokens gets the panel of the loss alone.
    """
    has_size = bool(np.isfinite(frontier.point.params).any())
    panels = figure.subplot_mosaic(WITH_SIZE if has_size else LOSS_ALONE, sharex=True)
    measured = frontier.measured or measured_flops(frontier.law, runs)
    for letter, ax in panels.items():
        name = QUANTITY[letter]
        draw_quantity(ax, name, frontier, runs, frontier.interval(name, level=level, method=method), measured)
    if has_size:
        panels["N"].set_xlabel("")
        panels["N"].tick_params(labelbottom=False)
        figure.align_ylabels([panels["N"], panels["R"]])
    count = len(runs)
    area, alpha = marker_area(count), marker_alpha(count)
    dot = Line2D([], [], color=BLUE, marker="o", markersize=area**0.5, alpha=alpha, linestyle="none", label="runs")
    band = frontier.interval("loss", level=level, method=method)
    set_legend(figure, [*curve_handles(band, measured, len(frontier.flops)), dot], columns=5)


def draw_quantity(
    ax: Axes, name: str, frontier: Frontier, runs: Runs, band: Band | None, measured: tuple[float, float] | None
) -> None:
    """Draw one of params, tokens, tokens_per_param or loss against compute into an empty axes.

    band: of that quantity over the frontier's budgets (b,), None for none.   measured: compute in FLOP.
    """
    flops, centre = frontier.flops, getattr(frontier.point, name)
    x, y = column(priced(frontier.law, runs), "flops"), column(runs, name)
    shade_measured(ax, measured)
    ax.scatter(
        x, y, s=marker_area(len(runs)), c=BLUE, alpha=marker_alpha(len(runs)), linewidths=0, zorder=3, rasterized=True
    )
    draw_curve(ax, flops, centre, band, measured)
    log_axis(ax, "x", flops, x, name="flops")
    limits = [centre, y, *_within_reach(centre, band)]
    if name == "loss":
        loss_axis(ax, "y", *limits)
    else:
        log_axis(ax, "y", *limits, name=name)
    ax.set_xlabel(label_of("flops"))
    ax.set_ylabel(label_of(name))


def compose(
    fit: Fit, ensemble: Ensemble | None, frontier: Frontier | None, *, level: float, method: Interval | str
) -> Page:
    """Return the page of a frontier, which must be there."""
    assert frontier is not None  # Figure.make refuses first
    has_size = bool(np.isfinite(frontier.point.params).any())
    figure = page(8.6, 5.4) if has_size else page(8.6, 4.6)
    draw(figure, frontier, fit.runs, level=level, method=method)
    band = frontier.interval("loss", level=level, method=method)
    set_caption(figure, caption(fit, [banded(band, ensemble)]))
    return figure


def _within_reach(centre: np.ndarray, band: Band | None) -> list[np.ndarray]:
    if band is None or band.n_used == 0:
        return []
    return [np.clip(band.lower, centre / REACH, centre), np.clip(band.upper, centre, centre * REACH)]


FRONTIER = Figure("frontier", ("frontier",), "optimal params, tokens per param and loss against compute", compose)

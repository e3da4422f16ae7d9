"""Training curves with their envelope: the lowest loss at each compute, and the sizes of the runs that have it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.lines import Line2D

from jaxscale.errors import RunsError, UsageError
from jaxscale.figures.axes import label_of, log_axis, loss_axis, shade_bar, within_reach
from jaxscale.figures.captions import table_rows
from jaxscale.figures.levels import SHADE
from jaxscale.figures.pages import VERMILLION, Page, Width, page, set_caption, set_legend
from jaxscale.figures.spec import Figure, Panels
from jaxscale.results import Study
from jaxscale.runs import Runs

if TYPE_CHECKING:
    from jaxscale.approaches import Envelope
    from jaxscale.approaches.envelope import Curve

NONE_THERE = "figure 'curves' needs the training curves of several runs: {reason}"
ONE_ROW = "each run has one row in the table that was fitted; fit one with the rows of its whole curve"
HEIGHTS: dict[Width, float] = {"column": 5.0, "page": 2.9}
NOTE = "{curves} curves, smoothed so that loss only falls; the minimum of noisy curves is biased low"
LINE = r"lowest runs $N \propto C^{{{exponent:.3f}}}$"


def envelope_of(runs: Runs) -> tuple[tuple[Curve, ...], Envelope]:
    """Return the curves and their envelope, as approach 1 has them; raise UsageError where it says nothing."""
    from jaxscale.approaches.envelope import curves_of, envelope  # a second, which no other figure need wait for

    try:
        found, curves = envelope(runs), curves_of(runs)
    except RunsError as error:
        raise UsageError(NONE_THERE.format(reason=error)) from error
    if all(len(one.rows) < 2 for one in curves):
        raise UsageError(NONE_THERE.format(reason=ONE_ROW))
    return curves, found


def compose(study: Study, *, width: Width) -> Page:
    """Return the page of the curves of a table, whatever law was fitted to it."""
    curves, found = envelope_of(study.fit.runs)
    figure = page(width, HEIGHTS[width])
    left, right = figure.subplots(1, 2) if width == "page" else figure.subplots(2, 1)
    _draw_curves(left, curves, found)
    _draw_sizes(right, curves, found)
    set_legend(figure, _handles(found))
    set_caption(figure, f"{table_rows(study.fit)} · {NOTE.format(curves=len(curves))}")
    return figure


def _handles(found: Envelope) -> list[Artist]:
    return [
        Line2D([], [], color=SHADE(0.5), linewidth=0.9, label="runs"),
        Line2D([], [], color=VERMILLION, marker="o", markersize=2.5, linestyle="none", label="lowest of all"),
        Line2D([], [], color=VERMILLION, linewidth=1.2, label=LINE.format(exponent=float(found.trend.params.exponent))),
    ]


def _draw_curves(ax: Axes, curves: tuple[Curve, ...], found: Envelope) -> None:
    """Draw loss over compute, one line a run in the colour of its size, and the envelope."""
    sizes = np.array([one.params for one in curves])
    norm = LogNorm(sizes.min(), max(sizes.max(), 1.001 * sizes.min()))
    for one in curves:
        ax.plot(np.exp(one.log_flops), np.exp(one.log_loss), color=SHADE(norm(one.params)), linewidth=0.9, alpha=0.8,
                marker="o" if len(one.rows) < 2 else None, markersize=2.5, zorder=2)  # fmt: skip
    ax.plot(found.flops, found.loss, color=VERMILLION, marker="o", markersize=1.6, linestyle="none", zorder=4)
    flops, losses = (
        np.exp(np.concatenate([getattr(one, name) for one in curves])) for name in ("log_flops", "log_loss")
    )
    log_axis(ax, "x", flops, name="flops")
    loss_axis(ax, "y", losses[within_reach(losses)])
    ax.set(xlabel=label_of("flops"), ylabel=label_of("loss"))
    shade_bar(ax, ScalarMappable(norm, SHADE), "params $N$", counts=True)


def _draw_sizes(ax: Axes, curves: tuple[Curve, ...], found: Envelope) -> None:
    """Draw the sizes of the lowest runs over compute, with the power law through them."""
    ends = found.flops[[0, -1]]
    ax.plot(ends, found.trend.params.at(ends), color=VERMILLION, linewidth=1.2, zorder=3)
    ax.plot(found.flops, found.params, color=VERMILLION, marker="o", markersize=1.6, linestyle="none", zorder=4)
    log_axis(ax, "x", np.exp(np.concatenate([one.log_flops for one in curves])), name="flops")
    log_axis(ax, "y", np.array([one.params for one in curves]), name="params")
    ax.set(xlabel=label_of("flops"), ylabel=label_of("params"))


def _panels(study: Study) -> Panels:
    curves, found = envelope_of(study.fit.runs)
    return {
        "curves": partial(_draw_curves, curves=curves, found=found),
        "sizes": partial(_draw_sizes, curves=curves, found=found),
    }


CURVES = Figure("curves", (), "training curves of all runs, with the lowest loss at each compute", compose, _panels)

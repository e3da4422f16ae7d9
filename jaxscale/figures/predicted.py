"""What the law predicts of each run against what was measured, on one scale."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from jaxscale.errors import UsageError
from jaxscale.figures.axes import loss_axis, within_reach
from jaxscale.figures.captions import caption
from jaxscale.figures.pages import (
    BLUE,
    GREY,
    INK,
    Page,
    Width,
    marker_alpha,
    marker_area,
    page,
    set_caption,
    set_legend,
)
from jaxscale.figures.spec import Figure, Panels
from jaxscale.results import Fit, Study

NOT_SHOWN = "figure 'predicted' needs finite predictions; the law gives none for these runs"
HEIGHTS: dict[Width, float] = {"column": 3.0, "page": 4.4}


def predictions(fit: Fit) -> np.ndarray:
    """Return what the fit predicts of its runs (n,), in the unit of what was measured."""
    return fit.runs.loss * np.exp(fit.residuals) if fit.objective.space == "log" else fit.runs.loss + fit.residuals


def compose(study: Study, *, width: Width) -> Page:
    """Return the page of the predictions of the point fit."""
    fit = study.fit
    measured, predicted = fit.runs.loss, predictions(fit)
    if not np.isfinite(predicted).any():
        raise UsageError(NOT_SHOWN)
    figure = page(width, HEIGHTS[width])
    _draw(figure.subplots(), fit)
    line = Line2D([], [], color=GREY, linewidth=0.9, label="predicted = measured")
    set_legend(figure, [line, Line2D([], [], color=BLUE, marker="o", markersize=4, linestyle="none", label="runs")])
    error = np.abs(predicted / measured - 1.0)[np.isfinite(predicted) & (measured > 0)]
    half, most = (100.0 * float(np.quantile(error, share)) for share in (0.5, 0.9)) if error.size else (np.nan, np.nan)
    notes = [f"half of the runs within {half:.2g} %, nine in ten within {most:.2g} %"] if error.size else []
    set_caption(figure, caption(fit, notes))
    return figure


def _draw(ax: Axes, fit: Fit) -> None:
    """Draw predictions against measurements; a run far beyond the others is an arrow at the edge of both."""
    measured, predicted = fit.runs.loss, predictions(fit)
    is_near = within_reach(measured) & within_reach(predicted)
    both = np.concatenate([measured[is_near], predicted[is_near]])
    loss_axis(ax, "x", both)
    loss_axis(ax, "y", both)
    low, high = ax.get_xlim()
    ax.plot([low, high], [low, high], color=GREY, linewidth=0.9, zorder=2)
    area, alpha = marker_area(len(measured)), marker_alpha(len(measured))
    ax.scatter(
        measured[is_near], predicted[is_near], s=area, c=BLUE, alpha=alpha, linewidths=0, zorder=3, rasterized=True
    )
    if (~is_near).any():
        x, y = (np.clip(one[~is_near], low, high) for one in (measured, predicted))
        ax.scatter(x, y, s=2.5 * area, c=BLUE, edgecolors=INK, linewidths=0.4, marker=">", zorder=4, clip_on=False)
    name = "loss (nats/token)" if fit.law.target == "loss" else fit.law.target
    ax.set(xlabel=f"measured {name}", ylabel=f"predicted {name}")
    ax.set_aspect("equal", adjustable="box")


def _panels(study: Study) -> Panels:
    return {"predicted": partial(_draw, fit=study.fit)}


PREDICTED = Figure("predicted", (), "what the law predicts of each run against what was measured", compose, _panels)

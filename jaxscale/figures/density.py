"""The density of the best size over the replicates, one budget above the other."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from jaxscale.digits import number_label
from jaxscale.errors import UsageError
from jaxscale.figures.axes import label_of, log_axis
from jaxscale.figures.captions import banded, caption
from jaxscale.figures.pages import BLUE, VERMILLION, Page, Width, house_style, page, set_caption, set_legend
from jaxscale.figures.spec import Figure, Panels
from jaxscale.figures.symbols import literal
from jaxscale.intervals import Band, Interval
from jaxscale.results import Frontier, Study

NO_SIZE = "figure 'density' needs a best size at a budget; law '{law}' has none at these"
NO_DRAWS = "figure 'density' needs replicates, but the frontier is of a point fit alone"
MOST = 5
"""Budgets that are shown, evenly chosen where there are more."""
ROW = 0.48
"""Inches of a budget."""
TALL = 1.35
"""Height of a density in rows."""
ENDS = (0.002, 0.998)
"""Quantiles between which the axis lies, so that a few far replicates do not squash the rest."""
DOTS = 241


def compose(study: Study, *, width: Width) -> Page:
    """Return the page of a frontier with replicates, both of which must be there."""
    assert study.frontier is not None  # Figure.make refuses first
    figure = _page(study.frontier, width, level=study.level, method=study.interval)
    band = study.frontier.interval("params", level=study.level, method=study.interval)
    set_caption(figure, caption(study.fit, [banded(band, study.ensemble)]))
    return figure


def density_alone(frontier: Frontier, *, width: Width = "page") -> Page:
    """Return the page of a frontier without its study; raise UsageError without replicates or best sizes."""
    with house_style():
        figure = _page(frontier, width, level=0.95, method="percentile")
        set_caption(
            figure, " · ".join([f"law {literal(frontier.law.name)}", banded(frontier.interval("params"), None)])
        )
        return figure


def panels_of_density(frontier: Frontier) -> Panels:
    """Return the densities of a frontier; raise UsageError without replicates or best sizes."""
    shown_budgets(frontier)
    return {"density": partial(_draw, frontier=frontier, level=0.95, method="percentile")}


def shown_budgets(frontier: Frontier) -> np.ndarray:
    """Return the places of up to five budgets at which there is a best size, by rising compute."""
    if not frontier.is_ensemble:
        raise UsageError(NO_DRAWS)
    order = np.argsort(frontier.flops, kind="stable")
    known = [
        at
        for at in order
        if np.isfinite(frontier.point.params[at]) and np.isfinite(np.asarray(frontier.params[:, at])).sum() > 1
    ]
    if not known:
        raise UsageError(NO_SIZE.format(law=frontier.law.name))
    chosen = np.unique(np.linspace(0, len(known) - 1, min(MOST, len(known))).round().astype(int))
    return np.array(known)[chosen]


def _page(frontier: Frontier, width: Width, *, level: float, method: Interval | str) -> Page:
    rows = shown_budgets(frontier)
    figure = page(width, ROW * (len(rows) + TALL - 1.0) + 0.75)
    _draw(figure.subplots(), frontier, level=level, method=method)
    handles: list[Artist] = [
        Patch(color=BLUE, alpha=0.35, linewidth=0, label="replicates"),
        Line2D([], [], color=VERMILLION, linewidth=2.0, label=f"{100.0 * level:g} % band"),
        Line2D([], [], color=VERMILLION, marker="D", markersize=4, linestyle="none", label="point fit"),
    ]
    set_legend(figure, handles)
    return figure


def _draw(ax: Axes, frontier: Frontier, *, level: float, method: Interval | str) -> None:
    """Draw the density of ln N at each budget, all of the same area, with its band and the point fit below."""
    places = shown_budgets(frontier)
    band = frontier.interval("params", level=level, method=method)
    samples = [_logs(np.asarray(frontier.params[:, at])) for at in places]
    ends = [np.quantile(one, ENDS) for one in samples]
    curves = [_density(one, low, high) for one, (low, high) in zip(samples, ends, strict=True)]
    highest = max(float(height.max()) for _, height in curves)
    for row, (at, (x, height)) in enumerate(zip(places, curves, strict=True)):
        scaled = row + TALL * height / highest
        ax.fill_between(np.exp(x), row, scaled, color=BLUE, alpha=0.35, linewidth=0, zorder=3 * (len(places) - row))
        ax.plot(np.exp(x), scaled, color=BLUE, linewidth=0.9, zorder=3 * (len(places) - row) + 1)
        _mark(ax, row, float(frontier.point.params[at]), band, int(at))
    log_axis(ax, "x", *(np.exp(one) for one in ends), frontier.point.params[places], name="params")
    ax.set_yticks(range(len(places)), [number_label(float(f"{frontier.flops[at]:.3g}")) for at in places])
    ax.set_ylim(-0.3, len(places) - 1 + TALL)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set(xlabel="best " + label_of("params"), ylabel="budget $C$ (FLOP)")


def _mark(ax: Axes, row: int, point: float, band: Band | None, at: int) -> None:
    top = 100.0
    if band is not None and band.n_used:
        ax.hlines(row, band.lower[at], band.upper[at], color=VERMILLION, linewidth=2.0, zorder=top)
    ax.plot(point, row, color=VERMILLION, marker="D", markersize=4, markeredgecolor="white", markeredgewidth=0.5,
            linestyle="none", zorder=top + 1.0)  # fmt: skip


def _logs(params: np.ndarray) -> np.ndarray:
    return np.log(params[np.isfinite(params) & (params > 0)])


def _density(logs: np.ndarray, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Return ln N (k,) and the density there; a single bar where all replicates agree."""
    room = 0.15 * (high - low)
    if not high > low:
        return np.array([low - 1e-3, low, low + 1e-3]), np.array([0.0, 1.0, 0.0])
    from scipy.stats import gaussian_kde  # half a second, which no other figure need wait for

    x = np.linspace(low - room, high + room, DOTS)
    return x, np.asarray(gaussian_kde(logs)(x))


def _panels(study: Study) -> Panels:
    assert study.frontier is not None  # Figure.panels refuses first
    shown_budgets(study.frontier)
    return {"density": partial(_draw, frontier=study.frontier, level=study.level, method=study.interval)}


DENSITY = Figure(
    "density", ("ensemble", "frontier"), "how the replicates spread the best size at each budget", compose, _panels,
    at_budgets=True,
)  # fmt: skip

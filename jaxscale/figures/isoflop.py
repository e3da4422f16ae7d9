"""IsoFLOP profiles: loss over size at each budget with its parabola and vertex, and the line through the vertices."""

from __future__ import annotations

from dataclasses import dataclass
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
from jaxscale.figures.pages import INK, VERMILLION, Page, Width, page, set_caption, set_legend
from jaxscale.figures.spec import Figure, Panels
from jaxscale.results import Fit, Study
from jaxscale.runs import Runs

if TYPE_CHECKING:
    from jaxscale.approaches import IsoFlop

NONE_THERE = "figure 'isoflop' needs budgets that several sizes share: {reason}"
HEIGHTS: dict[Width, float] = {"column": 5.0, "page": 2.9}
NOTE = "parabolas of loss in ln $N$ through the runs of each budget; vertices: {found} of {total} budgets, {left}"
LINE = r"vertices $N \propto C^{{{exponent:.3f}}}$"
DOTS = 201


@dataclass(frozen=True)
class Parabola:
    """One budget, FLOP: its runs' sizes and losses (m,), the parabola along sizes (k,), its vertex or NaN."""

    flops: float
    params: np.ndarray
    loss: np.ndarray
    sizes: np.ndarray
    curve: np.ndarray
    vertex: float
    least: float


def parabolas_of(runs: Runs) -> tuple[tuple[Parabola, ...], IsoFlop]:
    """Return the parabola of every budget, and what approach 2 says of them; raise UsageError where it says nothing."""
    from jaxscale.approaches.isoflop import isoflop, weighed  # a second, which no other figure need wait for
    from jaxscale.approaches.profiles import profiles_of

    try:
        found, profiles = isoflop(runs), profiles_of(runs)
    except RunsError as error:
        raise UsageError(NONE_THERE.format(reason=error)) from error
    vertices = dict(zip(found.flops.tolist(), found.params.tolist(), strict=True))
    weight = weighed(runs).weight
    made = []
    for profile in profiles:
        params, loss = runs.columns["params"][profile.rows], runs.loss[profile.rows]
        degree = min(2, len(np.unique(params)) - 1)
        curve = np.polynomial.Polynomial.fit(np.log(params), loss, degree, w=np.sqrt(weight[profile.rows]))
        sizes = np.geomspace(params.min(), params.max(), DOTS)
        vertex = vertices.get(profile.flops, np.nan)
        made.append(
            Parabola(profile.flops, params, loss, sizes, curve(np.log(sizes)), vertex, float(curve(np.log(vertex))))
        )
    return tuple(made), found


def compose(study: Study, *, width: Width) -> Page:
    """Return the page of the profiles of a table, whatever law was fitted to it."""
    parabolas, found = parabolas_of(study.fit.runs)
    figure = page(width, HEIGHTS[width])
    left, right = figure.subplots(1, 2) if width == "page" else figure.subplots(2, 1)
    _draw_profiles(left, parabolas)
    _draw_line(right, parabolas, found)
    set_legend(figure, _handles(found))
    out = "none left out" if not found.left_out else f"{len(found.left_out)} left out"
    note = NOTE.format(found=len(found.flops), total=len(parabolas), left=out)
    set_caption(figure, f"{table_rows(study.fit)} · {note}")
    return figure


def _handles(found: IsoFlop) -> list[Artist]:
    shade = SHADE(0.5)
    return [
        Line2D([], [], color=shade, marker="o", markersize=4, linestyle="none", label="runs"),
        Line2D([], [], color=shade, linewidth=1.1, label="parabola with a vertex"),
        Line2D([], [], color=VERMILLION, marker="D", markersize=4, linestyle="none", label="vertex"),
        Line2D([], [], color=VERMILLION, linewidth=1.2, label=LINE.format(exponent=float(found.trend.params.exponent))),
    ]


def _norm(parabolas: tuple[Parabola, ...]) -> LogNorm:
    flops = [one.flops for one in parabolas]
    return LogNorm(min(flops), max(max(flops), 1.001 * min(flops)))


def _draw_profiles(ax: Axes, parabolas: tuple[Parabola, ...]) -> None:
    """Draw losses over sizes, each budget in its colour; a loss far above the others is an arrow at the edge."""
    norm = _norm(parabolas)
    losses = np.concatenate([one.loss for one in parabolas])
    is_near = within_reach(losses)
    log_axis(ax, "x", *(one.params for one in parabolas), name="params")
    loss_axis(ax, "y", losses[is_near], np.array([one.least for one in parabolas]))
    top = ax.get_ylim()[1]
    for one in parabolas:
        colour, near = SHADE(norm(one.flops)), within_reach(one.loss, losses)
        if np.isfinite(one.vertex):
            ax.plot(one.sizes, one.curve, color=colour, linewidth=1.1, zorder=2)
        ax.scatter(one.params[near], one.loss[near], s=10, color=colour, linewidths=0.3, edgecolors=INK, zorder=3)
        if (~near).any():
            ax.scatter(one.params[~near], np.full((~near).sum(), top), s=22, color=colour, marker="^", clip_on=False)
    ax.plot([one.vertex for one in parabolas], [one.least for one in parabolas], color=VERMILLION, marker="D",
            markersize=4, markeredgecolor="white", markeredgewidth=0.5, linestyle="none", zorder=5)  # fmt: skip
    ax.set(xlabel=label_of("params"), ylabel=label_of("loss"))
    shade_bar(ax, ScalarMappable(norm, SHADE), "budget $C$ (FLOP)")


def _draw_line(ax: Axes, parabolas: tuple[Parabola, ...], found: IsoFlop) -> None:
    """Draw the vertices over their budgets with the power law through them; a budget without one has a range alone."""
    norm = _norm(parabolas)
    flops = np.array([one.flops for one in parabolas])
    ends = np.array([flops.min() / 1.5, flops.max() * 1.5])
    ax.plot(ends, found.trend.params.at(ends), color=VERMILLION, linewidth=1.2, zorder=2)
    for one in parabolas:
        ax.vlines(one.flops, one.params.min(), one.params.max(), color=SHADE(norm(one.flops)), linewidth=2.0, alpha=0.5)
    ax.plot(found.flops, found.params, color=VERMILLION, marker="D", markersize=4, markeredgecolor="white",
            markeredgewidth=0.5, linestyle="none", zorder=5)  # fmt: skip
    log_axis(ax, "x", ends, name="flops")
    log_axis(ax, "y", *(one.params for one in parabolas), name="params")
    ax.set(xlabel=label_of("flops"), ylabel=label_of("params"))


def _panels(study: Study) -> Panels:
    fit: Fit = study.fit
    parabolas, found = parabolas_of(fit.runs)
    return {
        "profiles": partial(_draw_profiles, parabolas=parabolas),
        "vertices": partial(_draw_line, parabolas=parabolas, found=found),
    }


ISOFLOP = Figure("isoflop", (), "loss over size at equal compute, with parabolas and their vertices", compose, _panels)

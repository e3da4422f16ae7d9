"""A check of scaling: the loss of a series with its stretches, and its local exponents with limits."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from jaxscale.figures.axes import label_of, log_axis, loss_axis
from jaxscale.figures.pages import (
    BLUE,
    GREY,
    INK,
    VERMILLION,
    Page,
    Width,
    house_style,
    marker_area,
    page,
    set_caption,
    set_legend,
)
from jaxscale.figures.spec import Panels
from jaxscale.figures.symbols import literal
from jaxscale.results.check import Check, Series

COLOURS = {"cold start": "#56B4E9", "scaling": "#009E73", "plateau": "#E69F00", "undetermined": "#999999"}
MOST: dict[Width, int] = {"column": 1, "page": 3}
"""Series that are drawn, side by side."""


def draw_check(found: Check, *, width: Width = "page") -> Page:
    """Return the page of a check: above the losses, below the local exponents; stretches are shaded by their phase.

    width: of a column or of a page in print.
    """
    with house_style():
        drawn = [one for one in found.series if one.exponents is not None][: MOST[width]] or list(found.series[:1])
        figure = page(width, 4.2)
        panels = figure.subplots(2, len(drawn), sharex="col", squeeze=False)
        for at, one in enumerate(drawn):
            _draw_losses(panels[0, at], one)
            panels[0, at].set_xlabel("")  # that of the panel below
            _draw_exponents(panels[1, at], one)
            if at:
                panels[0, at].set_ylabel("")
                panels[1, at].set_ylabel("")
        names = dict.fromkeys(part.name for one in drawn for part in one.phases)
        handles = [Patch(color=COLOURS[name], alpha=0.25, label=name) for name in names]
        if handles:
            set_legend(figure, handles)
        notes = [f"{literal(one.name) + ': ' if one.name else ''}{_verdict(one)}" for one in drawn]
        if len(found.series) > len(drawn):
            notes.append(f"{len(found.series) - len(drawn)} series not drawn")
        set_caption(figure, " · ".join([*notes, "exponents: 95 % limits for all windows together"]))
        return figure


def panels_of_check(found: Check) -> Panels:
    """Return the losses and the local exponents of the first series that has these, or else of the first."""
    one = next((one for one in found.series if one.exponents is not None), found.series[0])
    return {"losses": partial(_draw_losses, one=one), "exponents": partial(_draw_exponents, one=one)}


def _verdict(one: Series) -> str:
    return f"{one.phase}, " + (f"go to {one.reach:.2g} times the largest" if one.is_go else "no-go")


def _shade(ax: Axes, one: Series) -> None:
    for part in one.phases:
        ax.axvspan(part.first, part.last, color=COLOURS[part.name], alpha=0.25, linewidth=0, zorder=0)
    if one.breakpoint is not None and one.breakpoint.is_found:
        ax.axvline(one.breakpoint.x, color=VERMILLION, linewidth=1.0, linestyle="--", zorder=1)


def _draw_losses(ax: Axes, one: Series) -> None:
    _shade(ax, one)
    ax.scatter(one.x, one.loss, s=marker_area(len(one.x)), color=BLUE, edgecolors=INK, linewidths=0.4, zorder=3)
    log_axis(ax, "x", one.x, name=one.along)
    loss_axis(ax, "y", one.loss)
    ax.set_xlabel(label_of(one.along))
    ax.set_ylabel(label_of("loss"))
    if one.name:
        ax.set_title(literal(one.name))


def _draw_exponents(ax: Axes, one: Series) -> None:
    _shade(ax, one)
    if one.exponents is not None:
        found = one.exponents
        error = np.stack([found.exponent - found.low, found.high - found.exponent])
        ax.errorbar(found.x, found.exponent, error, fmt="o", color=INK, markersize=3.5, linewidth=0.9, zorder=3)
    ax.axhline(0.0, color=GREY, linewidth=0.8, zorder=2)
    log_axis(ax, "x", one.x, name=one.along)
    ax.set_xlabel(label_of(one.along))
    ax.set_ylabel("$-d\\,\\ln L\\,/\\,d\\,\\ln x$")

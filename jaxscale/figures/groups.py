"""Groups of a fit overlaid: the best size and the least loss of each against compute, with its runs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from jaxscale.allocation.inputs import priced
from jaxscale.errors import UsageError
from jaxscale.figures.axes import column, label_of, log_axis, loss_axis, within_reach
from jaxscale.figures.captions import banded, caption
from jaxscale.figures.pages import (
    BLUE,
    INK,
    SHADES,
    VERMILLION,
    Page,
    Width,
    marker_area,
    page,
    set_caption,
    set_legend,
)
from jaxscale.figures.spec import Figure, Panels
from jaxscale.figures.symbols import literal
from jaxscale.results import QUANTITIES, Study

NO_GROUPS = (
    "figure 'groups' needs a fit over groups; fit the table with a column of groups and coefs of each (--per-group)"
)
NO_FRONTIERS = "figure 'groups' needs a frontier of each group, which law '{law}' does not have"
HEIGHTS: dict[Width, float] = {"column": 4.4, "page": 2.7}
COLOURS = (BLUE, VERMILLION, "#009E73", "#E69F00", "#CC79A7", "#56B4E9", INK)
MARKS = "osD^v<>pP"
MOST = 12
"""Groups that are drawn; of more, the first."""
SHOWN = ("params", "loss")


def compose(study: Study, *, width: Width) -> Page:
    """Return the page of the groups' frontiers; raise UsageError for a study without groups or their frontiers."""
    parts = drawn_groups(study)
    figure = page(width, HEIGHTS[width])
    names = _names(parts)
    panels = np.ravel(figure.subplots(1, len(names)) if width == "page" else figure.subplots(len(names), 1))
    for ax, name in zip(panels, names, strict=True):
        _draw(ax, name, parts, level=study.level)
    looks = _looks(parts)
    set_legend(figure, [Line2D([], [], color=colour, marker=mark, markersize=4, linewidth=1.3, label=literal(group))
                        for group, (colour, mark) in looks.items()])  # fmt: skip
    first = next(iter(parts.values()))
    assert first.frontier is not None
    band = first.frontier.interval("loss", level=study.level, method=study.interval)
    more = [f"{len(study.groups) - len(parts)} groups not drawn"] if len(study.groups) > len(parts) else []
    set_caption(figure, caption(study.fit, [banded(band, study.ensemble), *more]))
    return figure


def drawn_groups(study: Study) -> Mapping[str, Study]:
    """Return the groups to draw, by name; raise UsageError where there are none with a frontier."""
    if not study.groups:
        raise UsageError(NO_GROUPS)
    found = {name: part for name, part in study.groups.items() if part.frontier is not None}
    if not found:
        raise UsageError(NO_FRONTIERS.format(law=study.fit.law.name))
    return dict(list(found.items())[:MOST])


def _names(parts: Mapping[str, Study]) -> tuple[str, ...]:
    has_size = any(
        np.isfinite(part.frontier.point.params).any() for part in parts.values() if part.frontier is not None
    )
    return SHOWN if has_size else ("loss",)


def _looks(parts: Mapping[str, Study]) -> dict[str, tuple[str, str]]:
    """Return group → its colour and its mark."""
    if len(parts) <= len(COLOURS):
        return {name: (COLOURS[at], MARKS[at]) for at, name in enumerate(parts)}
    shades = matplotlib.colormaps[SHADES](np.linspace(0.0, 0.9, len(parts)))
    return {name: (matplotlib.colors.to_hex(shades[at]), MARKS[at % len(MARKS)]) for at, name in enumerate(parts)}


def _draw(ax: Axes, quantity: str, parts: Mapping[str, Study], *, level: float) -> None:
    """Draw one quantity of every group's frontier with its band, and the group's runs."""
    limits, budgets = [], []
    for name, (colour, mark) in _looks(parts).items():
        part = parts[name]
        front, runs = part.frontier, part.fit.runs
        assert front is not None  # of `drawn_groups`
        order = np.argsort(front.flops, kind="stable")
        centre, band = (
            getattr(front.point, quantity)[order],
            front.interval(quantity, level=level, method=part.interval),
        )
        x, y = column(priced(part.fit.law, runs), "flops"), column(runs, quantity)
        near = within_reach(y) if quantity == "loss" else np.isfinite(y)
        ax.scatter(
            x[near],
            y[near],
            s=0.7 * marker_area(len(runs)),
            color=colour,
            marker=mark,
            alpha=0.5,
            linewidths=0,
            zorder=2,
        )
        ax.plot(front.flops[order], centre, color=colour, linewidth=1.3, zorder=4)
        if band is not None and band.n_used:
            ax.fill_between(
                front.flops[order], band.lower[order], band.upper[order], color=colour, alpha=0.18, linewidth=0
            )
            limits += [
                np.clip(band.lower[order], centre / 30.0, centre),
                np.clip(band.upper[order], centre, centre * 30.0),
            ]
        limits += [centre, y[near]]
        budgets += [front.flops, x]
    log_axis(ax, "x", *budgets, name="flops")
    if quantity == "loss":
        loss_axis(ax, "y", *limits)
    else:
        log_axis(ax, "y", *limits, name=quantity)
    ax.set(xlabel=label_of("flops"), ylabel=label_of(quantity))


def _panels(study: Study) -> Panels:
    parts = drawn_groups(study)
    names = QUANTITIES if len(_names(parts)) > 1 else ("loss",)
    return {name: partial(_draw, quantity=name, parts=parts, level=study.level) for name in names}


GROUPS = Figure(
    "groups", (), "the frontiers of all groups of a fit, one over the other", compose, _panels, ("frontier",)
)

"""Recipes side by side: the least loss of each against compute, and the compute for equal loss beside the base's."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from jaxscale.figures.axes import label_of, log_axis, loss_axis
from jaxscale.figures.pages import (
    BLUE,
    GREY,
    SHADES,
    VERMILLION,
    Page,
    Width,
    house_style,
    page,
    set_caption,
    set_legend,
)
from jaxscale.figures.spec import Panels
from jaxscale.figures.symbols import literal
from jaxscale.results import RecipeComparison

MARKS = "osD^v<>p"
BAND = "{level:g} % percentile bands of {replicates:,} replicates, seed {seed} · {pairing}"


def draw_recipes(found: RecipeComparison, *, width: Width = "page", notes: Sequence[str] = ()) -> Page:
    """Return the page of a comparison of recipes at its budgets.

    width: of a column or of a page in print.   notes: statements below the panels.
    """
    with house_style():
        figure = page(width, 2.8 if width == "page" else 4.9)
        left, right = figure.subplots(1, 2) if width == "page" else figure.subplots(2, 1)
        colours = _colours(found)
        _draw_losses(left, found, colours)
        _draw_ratios(right, found, colours)
        handles = [
            Line2D([], [], color=colours[name], marker=_mark(found, name), markersize=5, label=literal(name))
            for name in found.ensembles
        ]
        set_legend(figure, handles)
        told = {"level": 100 * found.level, "replicates": found.replicates, "seed": found.seed}
        stated = [BAND.format(pairing=literal(found.pairing, limit=200), **told), *notes]
        set_caption(figure, " · ".join(literal(one, limit=400) for one in stated))
        return figure


def panels_of_recipes(found: RecipeComparison) -> Panels:
    """Return the least losses of the recipes, and the compute that each needs for the loss of the base."""
    colours = _colours(found)
    return {
        "losses": partial(_draw_losses, found=found, colours=colours),
        "compute": partial(_draw_ratios, found=found, colours=colours),
    }


def _colours(found: RecipeComparison) -> dict[str, str]:
    """Return the colour of each recipe: two have the house's own."""
    others = [name for name in found.ensembles if name != found.base]
    shades = matplotlib.colormaps[SHADES](np.linspace(0.1, 0.85, max(len(others), 1)))
    own = [VERMILLION] if len(others) == 1 else [matplotlib.colors.to_hex(one) for one in shades]
    return {found.base: BLUE, **dict(zip(others, own, strict=True))}


def _mark(found: RecipeComparison, name: str) -> str:
    return MARKS[list(found.ensembles).index(name) % len(MARKS)]


def _draw_losses(ax: Axes, found: RecipeComparison, colours: dict[str, str]) -> None:
    """Draw the least loss of every recipe at each budget, with its band."""
    limits = []
    for name, front in found.frontiers.items():
        band = front.interval("loss", level=found.level)
        limits.append(front.point.loss)
        if band is not None and band.n_used:
            limits += [band.lower, band.upper]
        _draw_band(ax, found.budgets, front.point.loss, band, colours[name], _mark(found, name))
    log_axis(ax, "x", found.budgets, name="flops")
    loss_axis(ax, "y", *limits)
    ax.set(xlabel=label_of("flops"), ylabel=label_of("loss"))


def _draw_ratios(ax: Axes, found: RecipeComparison, colours: dict[str, str]) -> None:
    """Draw the compute that each other recipe needs for the loss of the base, over the budget."""
    limits = [np.array([1.0])]
    for pair in found.pairs:
        band = pair.multiplier_band
        limits += [one[np.isfinite(one) & (one > 0)] for one in (pair.multiplier, band.lower, band.upper)]
        _draw_band(ax, found.budgets, pair.multiplier, band, colours[pair.other], _mark(found, pair.other))
    ax.axhline(1.0, color=GREY, linewidth=0.8, linestyle=":")
    log_axis(ax, "x", found.budgets, name="flops")
    log_axis(ax, "y", *limits)
    ax.set(xlabel=label_of("flops"), ylabel=f"compute for equal loss / that of {literal(found.base, limit=14)}")


def _draw_band(ax: Axes, x: np.ndarray, y: np.ndarray, band: object, colour: str, mark: str) -> None:
    """Draw a line with a band; a single budget as a point with a bar, an infinite limit to the edge of the panel."""
    lower, upper = (getattr(band, side, None) for side in ("lower", "upper"))
    if lower is not None and upper is not None:
        high = np.where(np.isposinf(upper), 1e30, upper)
        ax.fill_between(x, lower, high, color=colour, alpha=0.22, linewidth=0, zorder=2)
        ax.vlines(x, lower, high, color=colour, alpha=0.5, linewidth=1.0, zorder=3)
    ax.plot(x, np.where(np.isfinite(y), y, np.nan), color=colour, marker=mark, markersize=4, linewidth=1.3, zorder=4)

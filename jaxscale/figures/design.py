"""A design: the candidates by what they tell, the chosen runs in their order, and the fall of the criterion."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from jaxscale.digits import number_label
from jaxscale.figures.axes import label_of, log_axis
from jaxscale.figures.labelling import label_points
from jaxscale.figures.pages import (
    BLUE,
    GREY,
    INK,
    SHADES,
    VERMILLION,
    Page,
    Width,
    house_style,
    page,
    set_caption,
    set_legend,
    settle,
)
from jaxscale.figures.spec import Panels
from jaxscale.figures.symbols import literal
from jaxscale.results import Design

LEAST = 1e-4
"""Least value of a candidate that has a shade of its own, relative to the largest."""
WIDE = 30.0
"""Budget, relative to the first cost, from which what is spent has a log axis: cheap runs would be one point."""


def draw_design(design: Design, *, width: Width = "page", notes: Sequence[str] = ()) -> Page:
    """Return the page of a design.   width: of a column or of a page in print.   notes: statements below the panels."""
    with house_style():
        figure = page(width, 2.8 if width == "page" else 4.9)
        left, right = figure.subplots(1, 2) if width == "page" else figure.subplots(2, 1)
        _draw_candidates(left, design)
        _draw_path(right, design)
        chosen = Line2D([], [], color=VERMILLION, marker="o", markersize=7, markerfacecolor="none", linestyle="none")
        chosen.set_label("chosen, in the order of purchase")
        other = Line2D([], [], color=BLUE, marker="o", markersize=4, linestyle="none", label="candidate")
        set_legend(figure, [chosen, other])
        set_caption(figure, " · ".join(literal(one, limit=200) for one in notes))
        settle(figure)  # numbers are placed in pixels
        _number_chosen(left, design)
        return figure


def panels_of_design(design: Design) -> Panels:
    """Return the candidates, with those that were chosen, and the criterion against what is spent."""

    def candidates(ax: Axes) -> None:
        _draw_candidates(ax, design)
        _number_chosen(ax, design)

    return {"candidates": candidates, "path": partial(_draw_path, design=design)}


def _draw_candidates(ax: Axes, design: Design) -> None:
    """Draw every candidate against two of its inputs, shaded by what it alone would lower per unit of cost."""
    (x_name, x), (y_name, y) = _inputs(design).items()
    values = np.maximum(design.values, LEAST * max(float(design.values.max()), 1e-300))
    norm = LogNorm(float(values.min()), max(float(values.max()), 1.001 * float(values.min())))
    dots = ax.scatter(x, y, s=16, c=values, cmap=SHADES, norm=norm, linewidths=0.4, edgecolors=INK, zorder=3)
    ax.figure.colorbar(dots, ax=ax, label=f"fall of {literal(design.criterion)} per cost, alone", shrink=0.9)
    ax.scatter(x[design.rows], y[design.rows], s=60, facecolors="none", edgecolors=VERMILLION, linewidths=1.2, zorder=4)
    log_axis(ax, "x", x, name=x_name, room=0.08)
    log_axis(ax, "y", y, name=y_name, room=0.08)
    ax.set(xlabel=label_of(x_name), ylabel=label_of(y_name))


def _number_chosen(ax: Axes, design: Design) -> None:
    """Number the chosen candidates in the order of purchase, beside their points; one bought twice has both numbers."""
    x, y = _inputs(design).values()
    numbers: dict[int, list[str]] = {}
    for at, place in enumerate(design.rows):
        numbers.setdefault(int(place), []).append(str(at + 1))
    rows = np.array(list(numbers), int)
    words = [_few(some) for some in numbers.values()]
    label_points(ax, x[rows], y[rows], words, np.column_stack([x, y]))


def _few(numbers: Sequence[str]) -> str:
    return ", ".join(numbers) if len(numbers) <= 3 else f"{numbers[0]} … {numbers[-1]}"


def _inputs(design: Design) -> dict[str, np.ndarray]:
    """Return two inputs of the candidates, name → (n,), the cost or the row where there are fewer."""
    fine = {name: one for name, one in design.columns.items() if one.ndim == 1 and (one > 0).all()}
    inputs = dict([(name, one) for name, one in fine.items() if np.ptp(one) > 0][:2])
    if len(inputs) < 2:
        inputs["cost"] = design.prices
    if len(inputs) < 2:
        inputs["row"] = np.arange(1.0, len(design.prices) + 1.0)
    return inputs


def _draw_path(ax: Axes, design: Design) -> None:
    """Draw the criterion against what is spent, from the left edge where nothing is."""
    spent = np.cumsum(design.costs)
    if len(spent) and design.budget > WIDE * spent[0]:
        log_axis(ax, "x", spent, np.array([design.budget]), name="cost")
    else:
        ax.xaxis.set_major_locator(MaxNLocator(2))
        ax.xaxis.set_major_formatter(FuncFormatter(number_label))
        ax.set_xlim(0.0, 1.05 * design.budget)
    spent = np.concatenate([ax.get_xlim()[:1], spent])
    ax.step(spent, design.path, where="post", color=VERMILLION, linewidth=1.3, zorder=3)
    ax.plot(spent, design.path, color=VERMILLION, marker="o", markersize=4, linestyle="none", zorder=4, clip_on=False)
    ax.axvline(design.budget, color=GREY, linewidth=0.9, linestyle=(0, (4.0, 2.0)))
    ax.annotate("budget", (design.budget, 0.97), xycoords=("data", "axes fraction"), color=GREY,
                ha="right", va="top", rotation=90, xytext=(-2, 0), textcoords="offset points")  # fmt: skip
    if (design.path > 0).all() and design.path.max() > 3.0 * design.path.min():
        ax.set_yscale("log")
    ax.set(xlabel="spent", ylabel=f"expected {literal(design.criterion)} ({literal(design.unit, limit=40)})")

"""A design: the candidates by what they tell, the chosen runs in their order, and the fall of the criterion."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.lines import Line2D

from jaxscale.figures.axes import label_of, log_axis
from jaxscale.figures.pages import (
    BLUE,
    GREY,
    INK,
    SHADES,
    VERMILLION,
    Page,
    house_style,
    literal,
    page,
    set_caption,
    set_legend,
)
from jaxscale.figures.spec import Panels
from jaxscale.results import Design

LEAST = 1e-4
"""Least value of a candidate that has a shade of its own, relative to the largest."""


def draw_design(design: Design, *, notes: Sequence[str] = ()) -> Page:
    """Return the page of a design.   notes: statements below the panels."""
    with house_style():
        figure = page(8.6, 4.4)
        left, right = figure.subplots(1, 2)
        _draw_candidates(left, design)
        _draw_path(right, design)
        chosen = Line2D([], [], color=VERMILLION, marker="o", markersize=9, markerfacecolor="none", linestyle="none")
        chosen.set_label("chosen, in the order of purchase")
        other = Line2D([], [], color=BLUE, marker="o", markersize=5, linestyle="none", label="candidate")
        set_legend(figure, [chosen, other], columns=2)
        set_caption(figure, " · ".join(literal(one, limit=200) for one in notes))
        return figure


def panels_of_design(design: Design) -> Panels:
    """Return the candidates, with those that were chosen, and the criterion against what is spent."""
    return {"candidates": partial(_draw_candidates, design=design), "path": partial(_draw_path, design=design)}


def _draw_candidates(ax: Axes, design: Design) -> None:
    """Draw every candidate against two of its inputs, shaded by what it alone would lower per unit of cost."""
    fine = {name: one for name, one in design.columns.items() if one.ndim == 1 and (one > 0).all()}
    inputs = dict([(name, one) for name, one in fine.items() if np.ptp(one) > 0][:2])
    if len(inputs) < 2:
        inputs["cost"] = design.prices
    if len(inputs) < 2:
        inputs["row"] = np.arange(1.0, len(design.prices) + 1.0)
    (x_name, x), (y_name, y) = inputs.items()
    values = np.maximum(design.values, LEAST * max(float(design.values.max()), 1e-300))
    norm = LogNorm(float(values.min()), max(float(values.max()), 1.001 * float(values.min())))
    dots = ax.scatter(x, y, s=22, c=values, cmap=SHADES, norm=norm, linewidths=0.4, edgecolors=INK, zorder=3)
    ax.figure.colorbar(dots, ax=ax, label=f"fall of {literal(design.criterion)} per unit of cost, alone", shrink=0.9)
    ax.scatter(x[design.rows], y[design.rows], s=95, facecolors="none", edgecolors=VERMILLION, linewidths=1.4, zorder=4)
    for at, place in enumerate(design.rows):
        ax.annotate(str(at + 1), (x[place], y[place]), xytext=(6, 5), textcoords="offset points", fontsize=7.5)
    log_axis(ax, "x", x, name=x_name, room=0.08)
    log_axis(ax, "y", y, name=y_name, room=0.08)
    ax.set(xlabel=label_of(literal(x_name)), ylabel=label_of(literal(y_name)))


def _draw_path(ax: Axes, design: Design) -> None:
    """Draw the criterion against what is spent."""
    spent = np.concatenate([[0.0], np.cumsum(design.costs)])
    ax.step(spent, design.path, where="post", color=VERMILLION, linewidth=1.6, zorder=3)
    ax.plot(spent, design.path, color=VERMILLION, marker="o", markersize=4, linestyle="none", zorder=4)
    ax.axvline(design.budget, color=GREY, linewidth=0.9, linestyle=(0, (4.0, 2.0)))
    ax.annotate("budget", (design.budget, 0.97), xycoords=("data", "axes fraction"), fontsize=7.5, color=GREY,
                ha="right", va="top", rotation=90, xytext=(-2, 0), textcoords="offset points")  # fmt: skip
    if (design.path > 0).all() and design.path.max() > 3.0 * design.path.min():
        ax.set_yscale("log")
    ax.set(xlabel="spent", ylabel=f"expected {literal(design.criterion)} ({literal(design.unit, limit=40)})")
    ax.set_xlim(-0.02 * design.budget, 1.05 * design.budget)

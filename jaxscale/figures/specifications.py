"""A specification curve: the answers in their order above a matrix of the choices, and the parts of their spread."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator, PercentFormatter

from jaxscale.errors import UsageError
from jaxscale.figures.axes import log_axis, loss_axis
from jaxscale.figures.pages import BLUE, GREY, INK, PALE, VERMILLION, Page, Width, house_style, page, set_caption
from jaxscale.figures.spec import Panels
from jaxscale.figures.symbols import literal
from jaxscale.results import SpecificationCurve, SpecificationFit

SHADES = {"noise": PALE, "form": BLUE, "objective": "#E69F00", "convention": "#56B4E9", "selection": "#009E73"}
"""Part of the spread → its colour, of Okabe & Ito 2008."""
DARK = ("form", "selection")
ROW = 0.15
"""Inches of a row of the matrix."""
CURVE, BARS = 2.3, 0.62
"""Inches of the panels above and below it."""
LETTER = 0.075
"""Inches of a letter beside the matrix, on the safe side."""
LEAST_LABEL = {"column": 0.12, "page": 0.06}
"""Share of a bar from which its number fits inside."""
CHOICES = {"column": 17, "page": 30}
"""Most letters of a choice."""
NAMES = {"params": "best params $N$", "loss": "loss (nats/token)"}
SPREAD = {"params": "ln $N$", "loss": "loss"}
NO_ANSWER = "no specification has an answer to draw"


class Line(NamedTuple):
    """A line of the matrix: an axis, whose name stands alone, or one choice on it."""

    axis: str
    choice: str | None


def draw_specifications(
    found: SpecificationCurve,
    answer: Literal["params", "loss"] = "params",
    *,
    width: Width = "page",
    notes: Sequence[str] = (),
) -> Page:
    """Return the page of a specification curve.

    answer: what the upper panel shows; the bars are of both.   width: of a column or of a page in print.   notes:
    statements below the panels.   Raises UsageError where no specification has an answer.
    """
    fits = found.ordered(answer)
    if not fits:
        raise UsageError(NO_ANSWER)
    lines = [
        line
        for axis in found.varied()
        for line in (Line(axis, None), *(Line(axis, choice) for choice in found.choices(axis)))
    ]
    with house_style():
        matrix = max(ROW * len(lines), ROW)
        figure = page(width, CURVE + matrix + BARS + 1.2)
        heights = (CURVE, matrix, BARS) if lines else (CURVE, BARS)
        panels = figure.subplots(len(heights), 1, height_ratios=heights)
        _draw_curve(panels[0], found, fits, answer)
        if lines:
            _draw_matrix(panels[1], found, fits, lines, CHOICES[width])
        _draw_bars(panels[-1], found, width)
        set_caption(figure, " · ".join(literal(one, limit=300) for one in notes))
        return figure


def panels_of_specifications(found: SpecificationCurve, answer: Literal["params", "loss"] = "params") -> Panels:
    """Return the curve of the answers, without the matrix of choices below it."""
    return {"curve": partial(_draw_curve, found=found, fits=found.ordered(answer), answer=answer)}


def _draw_curve(ax: Axes, found: SpecificationCurve, fits: Sequence[SpecificationFit], answer: str) -> None:
    """Draw the answers from the least to the greatest, with their intervals; the base apart."""
    at = np.arange(len(fits))
    value = np.array([getattr(one, answer) for one in fits])
    low, high = (np.array([getattr(one, end)[answer] for one in fits]) for end in ("low", "high"))
    is_base = np.array([one is found.base for one in fits])
    thin = 1.2 if len(fits) <= 80 else 0.5
    size = 16.0 if len(fits) <= 80 else 4.0
    for chosen, colour, order in ((~is_base, BLUE, 2), (is_base, VERMILLION, 4)):
        ax.vlines(at[chosen], low[chosen], high[chosen], color=colour, linewidth=thin, alpha=0.45, zorder=order)
        ax.scatter(at[chosen], value[chosen], s=size, color=colour, linewidths=0, zorder=order + 1)
    if is_base.any():
        ax.axhline(value[is_base][0], color=VERMILLION, linewidth=0.7, linestyle=(0, (4.0, 3.0)), zorder=1)
    if answer == "params":
        log_axis(ax, "y", value, low, high, name="params", room=0.06)
    else:
        loss_axis(ax, "y", value, low, high)
    ax.set(ylabel=NAMES[answer], xlim=(-0.8, len(fits) - 0.2))
    ax.xaxis.set_major_locator(NullLocator())
    ax.spines["bottom"].set_visible(False)


def _draw_matrix(
    ax: Axes, found: SpecificationCurve, fits: Sequence[SpecificationFit], lines: Sequence[Line], most: int
) -> None:
    """Draw a dot where a specification has made a choice, the base's darker."""
    size = 9.0 if len(fits) <= 80 else 2.5
    for place, line in enumerate(lines):
        if line.choice is None:
            continue
        made = [at for at, one in enumerate(fits) if one.specification.value_of(line.axis) == line.choice]
        is_base = found.base.specification.value_of(line.axis) == line.choice
        ax.plot((-0.6, len(fits) - 0.4), (place, place), color=PALE, linewidth=0.4, zorder=1)
        ax.scatter(made, [place] * len(made), s=size, color=GREY if is_base else INK, linewidths=0, zorder=2)
    ax.set(xlim=(-0.8, len(fits) - 0.2), ylim=(len(lines) - 0.4, -0.6))
    ax.set_yticks(
        range(len(lines)),
        [line.axis if line.choice is None else literal(line.choice, limit=most) for line in lines],
    )
    for label, line in zip(ax.get_yticklabels(), lines, strict=True):
        label.set(fontweight="bold" if line.choice is None else "normal", color=INK)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_locator(NullLocator())
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.set_xlabel(f"{len(fits)} specifications, in their order")


def _draw_bars(ax: Axes, found: SpecificationCurve, width: str) -> None:
    """Draw the parts of the spread as shares of its variance, of both answers that there are."""
    answers = [answer for answer in ("params", "loss") if found.ordered(answer)]
    labels = []
    for place, answer in enumerate(answers):
        parts, left = found.decomposition(answer), 0.0
        for name, share in parts.shares.items():
            share = share if np.isfinite(share) else 0.0
            ax.barh(place, share, left=left, height=0.62, color=SHADES[name], edgecolor="white", linewidth=0.6,
                    label=name if place == 0 else None)  # fmt: skip
            if share >= LEAST_LABEL[width]:
                ax.text(left + 0.5 * share, place, f"{100 * share:.0f} %", ha="center", va="center",
                        color="white" if name in DARK else INK)  # fmt: skip
            left += share
        labels.append(f"{SPREAD[answer]}, s {parts.std:.2g}")
    ax.set_yticks(range(len(answers)), labels)
    ax.tick_params(axis="y", length=0)
    for label in ax.get_yticklabels():
        label.set(color=INK)
    ax.set(xlim=(0.0, 1.0), ylim=(len(answers) - 0.5, -0.5))
    ax.xaxis.set_major_formatter(PercentFormatter(1.0))
    ax.set_xlabel("share of the variance" if width == "column" else "share of the variance over all specifications")
    ax.spines["left"].set_visible(False)
    ax.legend(
        loc="lower right",  # in a column it reaches over the labels on the left
        bbox_to_anchor=(1.0, 1.0),
        ncols=3 if width == "column" else 5,
        handlelength=1.1,
        columnspacing=1.2,
        borderaxespad=0.2,
        handletextpad=0.5,
    )

"""The page of a figure: colours for every kind of colour vision, a style in a scope, caption and legend."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager

import matplotlib.style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

BLUE = "#0072B2"
VERMILLION = "#D55E00"
INK = "#222222"
GREY = "#666666"
PALE = "#D9D9D9"
SHADES = "viridis"
"""The colours are those of Okabe & Ito 2008; viridis rises evenly in lightness for every kind of colour vision."""

EDGE_OF_TEXT = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8}
"""The box behind a text that stands among data."""

SETTINGS = {
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.labelsize": 9.5,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same glyphs on every machine
    "font.size": 9.0,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "text.color": INK,
    "xtick.color": GREY,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8.5,
}

CAPTION_SIZE = 7.5
LETTER_WIDTH = 0.54
"""Mean width of a letter of DejaVu Sans in units of its size, measured on captions."""


def house_style() -> AbstractContextManager[None]:
    """Return a scope in which matplotlib has its own defaults and the house's settings, whatever the caller set."""
    return matplotlib.style.context(["default", SETTINGS])


def marker_area(count: int) -> float:
    """Return the area of a run's point in points², smaller the more runs there are."""
    return 20.0 if count <= 60 else 13.0 if count <= 400 else 6.0 if count <= 2000 else 3.0


def marker_edge(count: int) -> float:
    """Return the width in points of the dark rim that keeps a pale point visible; none where points crowd."""
    return 0.4 if count <= 400 else 0.0


def marker_alpha(count: int) -> float:
    """Return the opacity of a run's point, fainter the more runs there are."""
    return 0.85 if count <= 60 else 0.6 if count <= 400 else 0.35


def page(width: float, height: float) -> Figure:
    """Return an empty figure of width × height inches whose parts make room for one another."""
    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.07)  # inches
    figure = Figure(figsize=(width, height), layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def set_caption(figure: Figure, text: str) -> None:
    """Write the text small below the panels, wrapped to the page, `$` and all."""
    letters = int(figure.get_figwidth() * 72.0 / (CAPTION_SIZE * LETTER_WIDTH)) - 2
    lines = textwrap.fill(text, width=letters, break_long_words=True)
    figure.supxlabel(lines, x=0.012, ha="left", fontsize=CAPTION_SIZE, color=GREY, parse_math=False)


def set_legend(figure: Figure, handles: Sequence[Line2D | Patch], columns: int) -> None:
    """Put a legend above the panels, where it covers no data."""
    figure.legend(handles=list(handles), loc="outside upper left", ncols=columns, columnspacing=1.6, handlelength=2.4)

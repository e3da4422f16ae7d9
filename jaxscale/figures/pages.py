"""An empty page, and its caption: a figure with its own canvas, known to no window and to no pyplot."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from jaxscale.figures.style import GREY

CAPTION_SIZE = 7.5
LETTER_WIDTH = 0.54
"""Mean width of a letter of DejaVu Sans in units of its size, measured on captions."""


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

"""The page of a figure: its width in print, style, colours, legend and caption."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from math import ceil
from os import PathLike
from pathlib import Path
from typing import IO, BinaryIO, Literal, TypeAlias

import matplotlib.style
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from jaxscale.figures.symbols import FAMILY, ems
from jaxscale.registry import check_known

BLUE = "#0072B2"
VERMILLION = "#D55E00"
INK = "#222222"
GREY = "#666666"
PALE = "#D9D9D9"
SHADES = "viridis"
"""The colours are those of Okabe & Ito 2008; viridis rises evenly in lightness for every kind of colour vision."""

Width: TypeAlias = Literal["column", "page"]
WIDTHS: dict[Width, float] = {"column": 3.25, "page": 6.75}
"""Inches of a column and of a page in print, those of ICML; two-column journals have 3.25 to 3.5 and 6.75 to 7.2."""
SIZE = 8.0
"""Points of all text, at either width; an index or an exponent is smaller, as everywhere in print."""

DPI = 200
"""Dots per inch of a PNG: a page of 6.75 inches is 1350 pixels wide."""

EDGE_OF_TEXT = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8}
"""The box behind a text that stands among data."""

SETTINGS = {
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.labelsize": SIZE,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": SIZE,
    "font.family": [FAMILY, "sans-serif"],  # the first ships with matplotlib; an SVG may be read where it is not
    "font.size": SIZE,
    "legend.fontsize": SIZE,
    "legend.frameon": False,
    "pdf.fonttype": 42,  # TrueType: journals refuse Type 3, matplotlib's own default
    "ps.fonttype": 42,
    "savefig.dpi": DPI,
    "savefig.facecolor": "white",
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "jaxscale",
    "text.color": INK,
    "xtick.color": GREY,
    "xtick.labelcolor": INK,
    "xtick.labelsize": SIZE,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
    "ytick.labelsize": SIZE,
}

# Without these entries matplotlib writes its version or the time of day into the file.
METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    "svg": {"Creator": None, "Date": None},
}

LINE = 1.2 * SIZE / 72.0
"""Inches from one line of text to the next."""
WIDEST = 1.0
"""Width of the widest letters, in units of their size."""
HANDLE, BETWEEN = 2.0, 1.4
"""Lengths of a legend's handle, and between its columns, in units of the size of its text."""


class Page(Figure):
    """A figure of matplotlib, made without pyplot, that is written the same everywhere and that a notebook shows."""

    def savefig(
        self, fname: str | PathLike[str] | IO[bytes], *, transparent: bool | None = None, **options: object
    ) -> None:
        """Write the page as matplotlib does, in the house's style whatever the caller's: 200 dpi, TrueType, text."""
        with house_style():
            super().savefig(fname, transparent=transparent, **options)

    def write(self, target: Path | BinaryIO, format: str, dpi: int = DPI) -> None:
        """Write the page as png, pdf or svg; an existing file is replaced.   dpi: of pixels, in a svg as well."""
        self.savefig(target, format=format, dpi=dpi, metadata=METADATA[format])

    def _repr_png_(self) -> bytes:
        target = io.BytesIO()
        self.write(target, "png")
        return target.getvalue()


def settle(figure: Figure) -> None:
    """Lay a figure out for good, so that words may be placed in pixels; it is not laid out again when it is written."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def house_style() -> AbstractContextManager[None]:
    """Return a scope in which matplotlib has its own defaults and the house's settings, whatever the caller set."""
    return matplotlib.style.context(["default", SETTINGS])


def marker_area(count: int) -> float:
    """Return the area of a run's point in points², smaller the more runs there are."""
    return 16.0 if count <= 60 else 9.0 if count <= 400 else 4.0 if count <= 2000 else 2.0


def marker_edge(count: int) -> float:
    """Return the width in points of the dark rim that keeps a pale point visible; none where points crowd."""
    return 0.4 if count <= 400 else 0.0


def marker_alpha(count: int) -> float:
    """Return the opacity of a run's point, fainter the more runs there are."""
    return 0.85 if count <= 60 else 0.6 if count <= 400 else 0.35


def page(width: Width, height: float) -> Page:
    """Return an empty figure of a width in print whose panels, with their labels, have `height` inches.

    `set_legend` and `set_caption` add the room that they need, so that no panel gives up any of its own.   Raises
    UsageError for an unknown width.
    """
    check_known("width", width, WIDTHS)
    layout = ConstrainedLayoutEngine(w_pad=0.04, h_pad=0.04)  # inches
    figure = Page(figsize=(WIDTHS[width], height), layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def set_caption(figure: Figure, text: str) -> None:
    """Write the text below the panels, wrapped to the page; it may hold mathtext."""
    lines = wrapped(text, 0.96 * figure.get_figwidth() * 72.0 / SIZE - 1.0)  # letters on pixels are a little wider
    figure.set_figheight(figure.get_figheight() + LINE * len(lines) + 0.1)
    figure.supxlabel("\n".join(lines), x=0.012, ha="left", fontsize=SIZE, color=GREY, linespacing=1.15)


def wrapped(text: str, width: float) -> list[str]:
    """Return the lines of a text, at most `width` wide in units of its size; a longer word is cut, but no formula."""
    lines: list[str] = []
    for word in re.split(r" (?!%)", text):
        for part in _cut(word, width):
            if lines and ems(f"{lines[-1]} {part}") <= width:
                lines[-1] += f" {part}"
            else:
                lines.append(part)
    return lines


def _cut(word: str, width: float) -> list[str]:
    if ems(word) <= width or re.search(r"(?<!\\)\$", word):
        return [word]
    step = max(int(width / WIDEST), 1)
    return [word[at : at + step] for at in range(0, len(word), step)]


def set_legend(figure: Figure, handles: Sequence[Artist]) -> None:
    """Put a legend above the panels, where it covers no data, in as many columns as the page has room for."""
    labels = [ems(str(handle.get_label())) for handle in handles]
    room = figure.get_figwidth() * 72.0 / SIZE - 1.0
    columns = next((n for n in range(len(labels), 1, -1) if _legend_width(labels, n) <= room), 1)
    figure.set_figheight(figure.get_figheight() + 1.25 * LINE * ceil(len(labels) / columns) + 0.1)
    figure.legend(
        handles=list(handles),
        loc="outside upper left",
        ncols=columns,
        columnspacing=BETWEEN,
        handlelength=HANDLE,
        handletextpad=0.6,
        borderaxespad=0.3,
        labelspacing=0.4,
    )


def _legend_width(labels: Sequence[float], columns: int) -> float:
    """Return the width of a legend in units of its size; its columns are filled one after the other."""
    short, more = divmod(len(labels), columns)
    at, width = 0, 0.8
    for column in range(columns):
        count = short + (column < more)
        width += max(labels[at : at + count], default=0.0) + HANDLE + 0.6 + (BETWEEN if column else 0.0)
        at += count
    return width

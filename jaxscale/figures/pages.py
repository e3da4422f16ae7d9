"""The page of a figure: its style, colours and legend, and its caption of text made safe to draw."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path, PurePath
from typing import BinaryIO

import matplotlib.style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from jaxscale.intervals import Band
from jaxscale.results import Ensemble, Fit
from jaxscale.text import escaped

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

DPI = 160
"""Dots per inch of a PNG: a page of 8.6 inches is 1376 pixels wide."""

# Without these entries matplotlib writes its version or the time of day into the file.
METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    "svg": {"Creator": None, "Date": None},
}

CAPTION_SIZE = 7.5
LETTER_WIDTH = 0.54
"""Mean width of a letter of DejaVu Sans in units of its size, measured on captions."""

NO_BAND = "no bands: the fit was not bootstrapped"
NO_USABLE = "no bands: none of the {total:,} replicates is usable"
BAND = "{level:g} % {method} bands from {used:,} of {total:,} replicates"
NOT_A_MINIMUM = "the fit is not a minimum of its objective ({status})"

LIMIT = 28
FAMILY = "DejaVu Sans"
ABSENT = "\N{WHITE SQUARE}"


class Page(Figure):
    """A figure of matplotlib, made without pyplot, that is written the same everywhere and that a notebook shows."""

    def write(self, target: Path | BinaryIO, format: str, dpi: int = DPI) -> None:
        """Write the page as png, pdf or svg; an existing file is replaced.   dpi: of pixels, in a svg as well."""
        with house_style(), matplotlib.rc_context({"svg.hashsalt": "jaxscale", "savefig.facecolor": "white"}):
            self.savefig(target, format=format, dpi=dpi, metadata=METADATA[format])

    def _repr_png_(self) -> bytes:
        target = io.BytesIO()
        self.write(target, "png")
        return target.getvalue()


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


def page(width: float, height: float) -> Page:
    """Return an empty figure of width × height inches whose parts make room for one another."""
    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.07)  # inches
    figure = Page(figsize=(width, height), layout=layout, facecolor="white")
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


def caption(fit: Fit, notes: Sequence[str]) -> str:
    """Return the statements about a fit, then the notes, which must be safe to draw, separated by dots."""
    return " · ".join([*_fitted(fit), *notes])


def banded(band: Band | None, ensemble: Ensemble | None) -> str:
    """Return the statement about a figure's bands: level, method, replicates used of those drawn, scheme and seed.

    band: any of the figure's bands, None without an ensemble.   ensemble: None where scheme and seed are not known.
    """
    if band is None:
        return NO_BAND
    if band.n_used == 0:
        return NO_USABLE.format(total=band.n_total)
    text = BAND.format(level=100.0 * band.level, method=literal(band.method), used=band.n_used, total=band.n_total)
    return text if ensemble is None else f"{text} (scheme {literal(ensemble.scheme.name)}, seed {ensemble.seed})"


def _fitted(fit: Fit) -> list[str]:
    law, objective, origin = fit.law, fit.objective, fit.runs.origin
    equation = f", {literal(law.equation, limit=60)}" if law.equation else ""
    delta = "" if objective.delta is None else f", δ = {objective.delta:g}"
    if objective.dof is not None:
        delta = f", ν = {objective.dof:g}, s = {objective.scale:.3g}"
    stated = [
        f"law {literal(law.name)}{equation}",
        f"objective {literal(objective.name)}, {objective.space} space{delta}",
        f"{len(fit.runs):,} of {origin.rows:,} rows of {source_name(origin.source)}",
    ]
    if fit.fixed:
        stated.append("fixed: " + ", ".join(f"{literal(name)} = {fit.coefs[name]:.4g}" for name in fit.fixed))
    return stated if fit.is_usable else [*stated, NOT_A_MINIMUM.format(status=fit.status)]


def literal(text: str, *, limit: int = LIMIT) -> str:
    """Return the text on one line, control characters escaped, at most `limit` characters, glyphs the font lacks as □.

    `$` stays as it is: draw the text with `parse_math=False`.
    """
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(c if _has_glyph(c) else ABSENT for c in escaped(cut))


def source_name(source: str) -> str:
    """Return the last part of a table's path, safe to draw; the folders above it stay private."""
    return literal(PurePath(source.replace("\\", "/")).name or source, limit=48)


@cache
def _has_glyph(character: str) -> bool:
    font = get_font(findfont(FontProperties(family=FAMILY)))
    return font.get_char_index(ord(character)) != 0

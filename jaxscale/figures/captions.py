"""Captions, of text from data made safe to draw: no mathematics, control characters or missing glyphs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import PurePath

from matplotlib.font_manager import FontProperties, findfont, get_font

from jaxscale.intervals import Band
from jaxscale.results import Ensemble, Fit
from jaxscale.text import escaped

NO_BAND = "no bands: the fit was not bootstrapped"
NO_USABLE = "no bands: none of the {total:,} replicates is usable"
BAND = "{level:g} % {method} bands from {used:,} of {total:,} replicates"
NOT_A_MINIMUM = "the fit is not a minimum of its objective ({status})"

LIMIT = 28
FAMILY = "DejaVu Sans"
ABSENT = "\N{WHITE SQUARE}"


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

    `$` stays as it is: whoever draws the text passes `parse_math=False`.
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

"""Text from data, made safe to draw: no mathematics, no control characters, no missing glyphs, not too long."""

from __future__ import annotations

from functools import cache
from pathlib import PurePath

from matplotlib.font_manager import FontProperties, findfont, get_font

from jaxscale.text import escaped

LIMIT = 28
FAMILY = "DejaVu Sans"
ABSENT = "\N{WHITE SQUARE}"


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

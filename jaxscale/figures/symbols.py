"""Text as a paper prints it: names of coefs, equations and units in mathtext, and text of others made safe to draw."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from functools import cache
from itertools import accumulate
from pathlib import PurePath

from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import FT2Font
from matplotlib.mathtext import MathTextParser

from jaxscale.text import escaped

FAMILY = "DejaVu Sans"
LIMIT = 28
"""Letters of somebody else's text that are shown."""
LONGEST_NAME = 20
"""Letters of a character's name that stand for a character without a glyph."""
LONGEST = 160
"""An equation of more letters is cut, and so is no mathematics."""

GREEK = frozenset(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "pi",
        "rho",
        "sigma",
        "tau",
        "phi",
        "chi",
        "psi",
        "omega",
    ]
)
NAME = re.compile(r"([A-Za-z]+?)(?:_?(\d+)|_([A-Za-z]\w*?))?_?")
TOKEN = re.compile(r"[A-Za-z]\w*|\d+(?:\.\d+)?(?:e[+-]?\d+)?|\s+|\*\*|.")
PLAIN = re.compile(r"[\w\s+\-*/^()\[\].,;:=<>|]*", re.ASCII)


def symbol(name: str, *, limit: int = LIMIT) -> str:
    """Return the name of a coef in mathtext, `alpha_N` as α with index N; a name that is no symbol as `literal`.

    A coef of one group of runs, `E[rpj]`, keeps its group in brackets, of which at most `limit` letters are shown.
    """
    core, bracket, group = name.partition("[")
    if NAME.fullmatch(core) is None:
        return literal(name, limit=limit)
    return f"${_tex(core)}$" + (literal(bracket + group, limit=limit) if bracket else "")


def equation(text: str) -> str:
    """Return an equation in mathtext, in words between which a line may end; text that is none of it as `literal`."""
    if len(text) > LONGEST or PLAIN.fullmatch(text) is None:
        return literal(text, limit=60)
    words = " ".join(f"${word}$" for word in _words(TOKEN.findall(text)))
    return words if _is_drawable(words) else literal(text, limit=60)


def unit(text: str) -> str:
    """Return a unit, with what is raised to a coef in mathtext."""
    tight = literal(text.replace(" · ", "·"), limit=60)
    return re.sub(r"\^(-?)([A-Za-z]\w*)", lambda found: f"$^{{{found[1]}{_tex(found[2])}}}$", tight)


def ems(text: str) -> float:
    """Return how wide a text is, in units of its size; what is raised or lowered counts as if it were not."""
    shown = re.sub(r"\\[a-z]+", "x", re.sub(r"\\mathrm|\\[,;$]", "", text))
    return sum(_advance(letter) for letter in re.sub(r"[{}$^_\\]", "", shown))


def literal(text: str, *, limit: int = LIMIT) -> str:
    r"""Return the text on one line, at most `limit` characters, with control characters escaped.

    What the font has no glyph for is the name of a symbol, [rocket], and the escape of a letter, \u6a21, so that texts
    that differ look different. A dollar is escaped, so that it is drawn as one.
    """
    parts = [_part(character) for character in text[: limit + 1]]
    ends = list(accumulate(map(len, parts)))
    if ends and ends[-1] > limit:
        parts = [*parts[: bisect_right(ends, limit - 1)], "…"]
    return "".join(parts).replace("$", r"\$")


def source_name(source: str) -> str:
    """Return the last part of a table's path, safe to draw; the folders above it stay private."""
    return literal(PurePath(source.replace("\\", "/")).name or source, limit=48)


def _tex(name: str) -> str:
    """Return a name as TeX, without dollars."""
    found = NAME.fullmatch(name)
    if found is None:
        return _roman(name.replace("_", r"\_"))
    base, number, index = found.groups()
    below = number or ("" if index is None else _tex(index) if "_" not in index else _roman(index.split("_")[0]))
    return _letter(base) + (f"_{{{below}}}" if below else "")


def _letter(base: str) -> str:
    if base.lower() in GREEK:
        return f"\\{base}" if base in GREEK else _roman(base)
    return base if len(base) == 1 else _roman(base)


def _roman(text: str) -> str:
    return f"\\mathrm{{{text}}}"


def _words(tokens: list[str]) -> list[str]:
    """Return the tokens as TeX, joined up to the blanks between them; blanks in an exponent are dropped."""
    words, at = [""], 0
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if token.isspace():
            words += [""]
        elif token in ("^", "**"):
            end = _end_of_exponent(tokens, at)
            inner = tokens[at:end]
            inner = inner[1:-1] if inner[:1] == ["("] else inner
            words[-1] += f"^{{{''.join(_words(inner))}}}"
            at = end
        else:
            words[-1] += r"\," if token == "*" else _tex(token) if token[0].isalpha() else token
    return [word for word in words if word]


def _end_of_exponent(tokens: list[str], at: int) -> int:
    """Return the place after an exponent: a number or a name, with its sign, or all within its brackets."""
    at += tokens[at : at + 1] == ["-"]
    if tokens[at : at + 1] != ["("]:
        return at + 1
    depth = 0
    for place in range(at, len(tokens)):
        depth += (tokens[place] == "(") - (tokens[place] == ")")
        if depth == 0:
            return place + 1
    return len(tokens)


@cache
def _is_drawable(text: str) -> bool:
    try:
        MathTextParser("path").parse(text)
    except ValueError:
        return False
    return True


@cache
def _part(character: str) -> str:
    """Return what stands for a character."""
    part = escaped(character)
    if all(map(_has_glyph, part)):
        return part
    name = unicodedata.name(character, "")
    if name and len(name) <= LONGEST_NAME and unicodedata.category(character)[0] in "SP":
        return f"[{name.lower()}]"
    return character.encode("unicode_escape").decode("ascii")


@cache
def _has_glyph(character: str) -> bool:
    return _font().get_char_index(ord(character)) != 0


@cache
def _advance(character: str) -> float:
    """Return the width of a letter in units of its size."""
    font = _font()
    font.set_size(100.0, 72.0)
    return float(font.load_char(ord(character)).linearHoriAdvance) / 65536.0 / 100.0


def _font() -> FT2Font:
    return get_font(findfont(FontProperties(family=FAMILY)))

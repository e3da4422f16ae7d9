"""What may stand in a formula as text: words, numbers and a few symbols, looked at before anything reads them."""

from __future__ import annotations

import keyword
import re

from jaxscale import carets

NOT_ASCII = "only plain letters, digits and + - * / ( ) , . are read here; put a column like this one in backquotes"
NOT_PRINTABLE = "a control character is not read"
OPERATORS = {"\u2212": "-", "\u2013": "-", "\u00d7": "*", "\u00b7": "*", "\u22c5": "*", "\u00f7": "/"}
"""Symbols that typography puts in place of operators: a minus, a dash, a cross, dots, a division sign."""
WRITE_INSTEAD = "write '{instead}' in place of '{found}'"
SYMBOLS = {
    "^": "write '**' for a power",
    "=": "write only what {target} is equal to",
    "<": "a comparison is no number; min, max and abs are there",
    ">": "a comparison is no number; min, max and abs are there",
    "'": "text is no number; a column with a space stands in backquotes: `Model Size`",
    '"': "text is no number; a column with a space stands in backquotes: `Model Size`",
    "[": "use round brackets; nothing has an index",
    "#": "a comment is not read",
}
NO_SYMBOL = "'{found}' is not read; a formula has + - * / ** ( ) and the functions {functions}"
NO_KEYWORD = "'{found}' is a word of Python, and a formula has none; rename it, or put a column in backquotes"
TOO_DEEP = "more than {limit} brackets inside one another; write it shorter"
NOT_DECIMAL = "'{found}' is no decimal number as 0.5, 3e8 or 12; write '*' to multiply"
UNDERSCORE = "a name begins with a letter; put a column that does not in backquotes"

BRACKETS_LIMIT = 50

_PIECES = re.compile(r"\.?\d[\w.]*(?:(?<=[eE])[+-]\d+)?|[A-Za-z_]\w*|\s+|.", re.ASCII | re.DOTALL)
_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_ALLOWED = frozenset("+-*/(),. ")


def check_words(option: str, text: str, functions: str, target: str) -> None:
    """Raise UsageError, with a caret, for the first piece of the text that no formula has.

    text: on one line.   functions, target: their names, and that of what the formula gives, for messages.
    """
    blank, backquoted = carets.without_backquotes(option, text)
    depth = 0
    for match in _PIECES.finditer(blank):
        piece, place = match.group(), match.start()
        if place not in backquoted:
            depth += (piece == "(") - (piece == ")")
            what = _wrong_with(piece, functions, target) or (
                TOO_DEEP.format(limit=BRACKETS_LIMIT) if depth > BRACKETS_LIMIT else ""
            )
            if what:
                carets.refuse(option, what, text, place)


def quoted(header: str) -> str:
    """Return a header as a formula takes it: as it stands, or in backquotes."""
    return header if is_name(header) else f"`{header}`"


def is_name(text: str) -> bool:
    """Return whether a text can be a name in a formula: ASCII, begins with a letter, no word of Python."""
    return text.isascii() and text.isidentifier() and not text.startswith("_") and not keyword.iskeyword(text)


def _wrong_with(piece: str, functions: str, target: str) -> str:
    """Return what is wrong with one piece of text, nothing where it may stand in a formula."""
    if piece in OPERATORS:
        return WRITE_INSTEAD.format(instead=OPERATORS[piece], found=piece)
    if not piece.isascii():
        return NOT_ASCII
    if not piece.isprintable():
        return NOT_PRINTABLE
    if keyword.iskeyword(piece):
        return NO_KEYWORD.format(found=piece)
    if piece.startswith("_"):
        return UNDERSCORE
    if piece.lstrip(".")[:1].isdigit() and not _NUMBER.fullmatch(piece):
        return NOT_DECIMAL.format(found=piece)
    if piece[0].isalnum() or piece in _ALLOWED or piece[0] == "." or piece.isspace():
        return ""
    return SYMBOLS.get(piece, NO_SYMBOL).format(found=piece, functions=functions, target=target)

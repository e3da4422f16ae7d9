"""Typed expressions: from text to a syntax tree, column names in backquotes, and errors with a caret under the place.

The text is never run: readers of an expression walk its tree and accept only the nodes on their own lists.
"""

from __future__ import annotations

import ast
import keyword
import re
import warnings
from dataclasses import dataclass
from threading import Lock
from typing import NoReturn

from jaxscale.errors import UsageError
from jaxscale.text import escaped

MISREAD = "{option}: {what}\n  {text}\n  {caret}"
UNCLOSED = "this backquote is not closed"
NO_BACKSLASH = "a backslash is not read outside backquotes"

SHOWN_BEFORE, SHOWN_AFTER = 60, 30

PARSING = Lock()
"""Held while Python's warnings are silenced, which is for the whole process."""
_PIECES = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|`")


@dataclass(frozen=True)
class Expression:
    """Text on one line with its syntax tree.

    option: what the text was given to, for messages.   blank: the text with an identifier for each name in backquotes.
    backquoted: place → the name that stands there in backquotes.
    """

    option: str
    text: str
    blank: str
    tree: ast.expr
    backquoted: dict[int, str]

    def refuse(self, what: str, node: ast.expr) -> NoReturn:
        """Raise UsageError with a caret under the node."""
        refuse(self.option, what, self.text, self.place(node))

    def place(self, node: ast.expr) -> int:
        """Return the character at which the node begins."""
        return self._character(node.col_offset)

    def stop(self, node: ast.expr) -> int:
        """Return the character behind the node's last."""
        return self._character(node.end_col_offset or node.col_offset)

    def end(self, node: ast.expr) -> int:
        """Return the first character behind the node that is no space, where an operator or a dot stands."""
        end = self.stop(node)
        return end + len(self.text[end:]) - len(self.text[end:].lstrip(" )"))

    def name(self, node: ast.Name) -> str:
        """Return the column that a name stands for."""
        return self.backquoted.get(self.place(node), node.id)

    def _character(self, offset: int) -> int:
        """Return the place in characters of a place in bytes."""
        return len(self.blank.encode()[:offset].decode(errors="ignore"))


class UnparsedError(Exception):
    """Text that Python's parser rejects; place: its position, None where the parser ran out of depth."""

    def __init__(self, place: int | None) -> None:
        super().__init__(place)
        self.place = place


def parse(option: str, text: str) -> Expression:
    """Return the text on one line with its tree, unchecked; raise UnparsedError, or UsageError for a stray backquote.

    The caller limits the length beforehand, and the depth of what it walks.
    """
    text = " ".join(text.split())
    blank, backquoted = without_backquotes(option, text)
    if "\\" in blank:
        refuse(option, NO_BACKSLASH, text, blank.index("\\"))
    try:
        with PARSING, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a number glued to a word is a warning to Python; here it is refused
            tree = ast.parse(blank, mode="eval").body
    except SyntaxError as error:
        is_cut_short = error.lineno != 1 or not error.offset  # Python then points behind the last line
        raise UnparsedError(len(text) if is_cut_short else min((error.offset or 1) - 1, len(text))) from error
    except (ValueError, MemoryError, RecursionError) as error:
        raise UnparsedError(None if blank.isprintable() else 0) from error
    return Expression(option, text, blank, tree, backquoted)


def refuse(option: str, what: str, text: str, place: int) -> NoReturn:
    """Raise UsageError showing the part of the text around a place, and a caret under it."""
    begin = max(0, place - SHOWN_BEFORE)
    left, right = escaped(text[begin:place]), escaped(text[place : place + SHOWN_AFTER])
    raise UsageError(MISREAD.format(option=option, what=what, text=left + right, caret=" " * len(left) + "^"))


def without_backquotes(option: str, text: str) -> tuple[str, dict[int, str]]:
    """Return the text with each backquoted name as an identifier of the same length, and place → name."""
    names: dict[int, str] = {}

    def blank(match: re.Match[str]) -> str:
        piece = match.group()
        if piece[0] != "`":
            return piece
        if len(piece) < 3:
            refuse(option, UNCLOSED, text, match.start())
        names[match.start()] = piece[1:-1]
        return "_" * len(piece)

    return _PIECES.sub(blank, text), names


def quoted(header: str) -> str:
    """Return a header as a formula takes it: as it stands, or in backquotes."""
    return header if is_name(header) else f"`{header}`"


def is_name(text: str) -> bool:
    """Return whether a text can be a name in a formula: ASCII, begins with a letter, no word of Python."""
    return text.isascii() and text.isidentifier() and not text.startswith("_") and not keyword.iskeyword(text)

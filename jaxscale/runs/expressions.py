"""The text of a selection, parsed against a short list of what it may hold; never evaluated as Python."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import NoReturn

from jaxscale.errors import UsageError
from jaxscale.runs.showing import escaped

MISREAD = "--where: {what}\n  {text}\n  {caret}"
TOO_LONG = "--where: an expression has at most {limit} characters, this one has {count}; give several --where"
TOO_DEEP = "nested too deeply; give several --where"
NOT_PARSED = "this cannot be read; compare a column with a value: loss < 3.4 and run == 'base'"
NOT_ALLOWED = "only comparisons of columns, numbers and quoted text, joined by and, or, not, are read"
SYMBOLS = "write 'and', 'or', 'not' in place of '&', '|', '~'"
ONE_EQUALS = "write '==' to compare"
BACKQUOTES = "put a column name like this one in backquotes: `Model Size`"
NO_WORDS = "write text in quotes: 'True'"
NOT_FINITE = "the number is too large for float64"
ALONE = "a column or a value alone selects nothing; compare it: loss < 3.4"
NO_BACKSLASH = "a backslash is not read outside backquotes; compare with another part of the text"
UNCLOSED = "this backquote is not closed"

LENGTH_LIMIT = 1000
DEPTH_LIMIT = 50
SHOWN_BEFORE, SHOWN_AFTER = 60, 30
COMPARISONS = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}

_PIECES = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|`")
_HINTS = ((re.compile(r"[&|~]"), SYMBOLS), (re.compile(r"(?<![=!<>])=(?!=)"), ONE_EQUALS))


@dataclass(frozen=True)
class Expression:
    """A selection that was parsed: its text on one line, its syntax tree, and place → name of backquoted columns."""

    text: str
    tree: ast.expr
    backquoted: dict[int, str]

    def refuse(self, what: str, node: ast.expr) -> NoReturn:
        """Raise UsageError with a caret under the node."""
        refuse(what, self.text, self.place(node))

    def place(self, node: ast.expr) -> int:
        """Return the character at which the node begins."""
        blank = _without_backquotes(self.text)[0]
        return len(blank.encode()[: node.col_offset].decode(errors="ignore"))

    def name(self, node: ast.Name) -> str:
        """Return the column that a name stands for."""
        return self.backquoted.get(self.place(node), node.id)


def parse(text: str) -> Expression:
    """Return the parsed expression; raise UsageError, with a caret under the place, for anything not on the list."""
    if len(text) > LENGTH_LIMIT:
        raise UsageError(TOO_LONG.format(limit=LENGTH_LIMIT, count=len(text)))
    text = " ".join(text.split())
    blank, backquoted = _without_backquotes(text)
    if "\\" in blank:
        refuse(NO_BACKSLASH, text, blank.index("\\"))
    try:
        tree = ast.parse(blank, mode="eval").body
    except SyntaxError as error:
        hint, place = _hint(blank)
        refuse(hint or NOT_PARSED, text, (error.offset or 1) - 1 if place is None else place)
    except (ValueError, MemoryError, RecursionError):
        refuse(TOO_DEEP if blank.isprintable() else NOT_PARSED, text, 0)
    expression = Expression(text, tree, backquoted)
    _check_truth(expression, tree, DEPTH_LIMIT)
    return expression


def refuse(what: str, text: str, place: int) -> NoReturn:
    """Raise UsageError showing the part of the text around a place, and a caret under it."""
    begin = max(0, place - SHOWN_BEFORE)
    left, right = escaped(text[begin:place]), escaped(text[place : place + SHOWN_AFTER])
    raise UsageError(MISREAD.format(what=what, text=left + right, caret=" " * len(left) + "^"))


def number(node: ast.expr) -> float | None:
    """Return the value of a constant, or of a constant with a sign; None for any other node."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        value = number(node.operand)
        return value if value is None or isinstance(node.op, ast.UAdd) else -value
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        try:
            return float(node.value)
        except OverflowError:
            return float("inf")
    return None


def _without_backquotes(text: str) -> tuple[str, dict[int, str]]:
    """Return the text with each backquoted name as an identifier of the same length, and place → name."""
    names: dict[int, str] = {}

    def blank(match: re.Match[str]) -> str:
        piece = match.group()
        if piece[0] != "`":
            return piece
        if len(piece) < 3:
            refuse(UNCLOSED, text, match.start())
        names[match.start()] = piece[1:-1]
        return "_" * len(piece)

    return _PIECES.sub(blank, text), names


def _hint(blank: str) -> tuple[str, int | None]:
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", lambda match: "_" * len(match.group()), blank)
    for pattern, what in _HINTS:
        match = pattern.search(bare)
        if match:
            return what, match.start()
    return "", None


def _check_truth(expression: Expression, node: ast.expr, depth: int) -> None:
    if depth == 0:
        expression.refuse(TOO_DEEP, node)
    if isinstance(node, ast.BoolOp):
        for value in node.values:
            _check_truth(expression, value, depth - 1)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        _check_truth(expression, node.operand, depth - 1)
    elif isinstance(node, ast.Compare):
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if type(operator) not in COMPARISONS:
                expression.refuse(NOT_ALLOWED, right)
        for value in (node.left, *node.comparators):
            _check_value(expression, value)
    elif isinstance(node, (ast.Name, ast.Constant)):
        expression.refuse(ALONE, node)
    else:
        _refuse_node(expression, node)


def _check_value(expression: Expression, node: ast.expr) -> None:
    if isinstance(node, ast.Name) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return
    value = number(node)
    if value is None:
        _refuse_node(expression, node)
    elif abs(value) == float("inf"):
        expression.refuse(NOT_FINITE, node)


def _refuse_node(expression: Expression, node: ast.expr) -> NoReturn:
    if isinstance(node, ast.Constant):
        expression.refuse(NO_WORDS, node)
    is_symbol = isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr))
    if is_symbol or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert)):
        expression.refuse(SYMBOLS, node)
    if isinstance(node, ast.Attribute) or (isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Sub, ast.Div))):
        expression.refuse(BACKQUOTES, node)
    expression.refuse(NOT_ALLOWED, node)

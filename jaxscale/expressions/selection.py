"""A selection of rows, as of --where: comparisons joined by and, or, not; parsed, never run as Python."""

from __future__ import annotations

import ast
import re
from typing import NoReturn

from jaxscale.errors import UsageError
from jaxscale.expressions import tree
from jaxscale.expressions.tree import Expression, UnparsedError, refuse

OPTION = "--where"
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

NOT_TEXT = "{text!r} is no selection; write a comparison as text, as in 'loss < 3.4'"

LENGTH_LIMIT = 1000
DEPTH_LIMIT = 50
COMPARISONS = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}

_HINTS = ((re.compile(r"[&|~]"), SYMBOLS), (re.compile(r"(?<![=!<>])=(?!=)"), ONE_EQUALS))


def selection_of(text: str) -> Expression:
    """Return the parsed selection; raise UsageError, with a caret under the place, for anything not on the list."""
    if not isinstance(text, str):
        raise UsageError(NOT_TEXT.format(text=text))
    if len(text) > LENGTH_LIMIT:
        raise UsageError(TOO_LONG.format(limit=LENGTH_LIMIT, count=len(text)))
    try:
        expression = tree.parse(OPTION, text)
    except UnparsedError as error:
        text = " ".join(text.split())
        if error.place is None:
            refuse(OPTION, TOO_DEEP, text, 0)
        hint, place = _hint(text)
        refuse(OPTION, hint or NOT_PARSED, text, error.place if place is None else place)
    _check_truth(expression, expression.tree, DEPTH_LIMIT)
    return expression


def literal_number(node: ast.expr) -> float | None:
    """Return the value of a constant, or of a constant with a sign; None for any other node."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        value = literal_number(node.operand)
        return value if value is None or isinstance(node.op, ast.UAdd) else -value
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        try:
            return float(node.value)
        except OverflowError:
            return float("inf")
    return None


def _hint(text: str) -> tuple[str, int | None]:
    """Return the substitute for an unsupported symbol, and its position; nothing without one."""
    blank = tree.without_backquotes(OPTION, text)[0]
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
        _check_node(expression, node)


def _check_value(expression: Expression, node: ast.expr) -> None:
    if isinstance(node, ast.Name) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return
    value = literal_number(node)
    if value is None:
        _check_node(expression, node)
    elif abs(value) == float("inf"):
        expression.refuse(NOT_FINITE, node)


def _check_node(expression: Expression, node: ast.expr) -> NoReturn:
    if isinstance(node, ast.Constant):
        expression.refuse(NO_WORDS, node)
    is_symbol = isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr))
    if is_symbol or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert)):
        expression.refuse(SYMBOLS, node)
    if isinstance(node, ast.Attribute) or (isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Sub, ast.Div))):
        expression.refuse(BACKQUOTES, node)
    expression.refuse(NOT_ALLOWED, node)

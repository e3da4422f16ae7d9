"""The allow-list of formulas: words, symbols and syntax nodes, and constants that evaluate to finite numbers."""

from __future__ import annotations

import ast
import keyword
import math
import operator
import re
from collections.abc import Callable, Sequence
from types import MappingProxyType

from jaxscale.expressions.tree import Expression, refuse, without_backquotes

ONE = ("exp", "log", "log10", "log1p", "expm1", "sqrt", "abs", "tanh", "sigmoid", "softplus")
TWO = ("pow", "logaddexp")
TWO_OR_MORE = ("min", "max", "minimum", "maximum")

ARITIES = MappingProxyType({**dict.fromkeys(ONE, 1), **dict.fromkeys((*TWO, *TWO_OR_MORE), 2)})
"""Name → the least number of arguments; only those of `TWO_OR_MORE` take more."""
FUNCTIONS = ", ".join(ARITIES)

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
TOO_NESTED = "more than {limit} brackets inside one another; write it shorter"
NOT_DECIMAL = "'{found}' is no decimal number as 0.5, 3e8 or 12; write '*' to multiply"
UNDERSCORE = "a name begins with a letter; put a column that does not in backquotes"
TOO_DEEP = "nested too deeply, or too long a chain of operations; at most {limit} levels are read"
TOO_MANY = "more than {limit} numbers, names and operations; write it shorter"
NOT_ALLOWED = "only numbers, names, + - * / **, brackets and the functions {functions} are read"
NO_ATTRIBUTE = "nothing has parts; a dot stands in numbers only"
NO_FUNCTION = "'{name}' is no function here; there are {functions}"
NO_CALL = "only a function's name can be called; write '*' to multiply"
NOT_CALLED = "'{name}' is a function; write {name}(…)"
ARITY = "{name} takes {wanted}, here are {count}"
NOT_FINITE = "this is no finite number in float64"
NOT_REAL = "a power of a negative number is real for whole exponents only"
HUGE_POWER = "an exponent as large as {exponent:g} is out of range; at most {limit:g} is read"
QUOTED_COEF = "'{name}' is a coef, and backquotes are for columns; write it without"
BRACKETS_LIMIT = 50
DEPTH_LIMIT = 100
SIZE_LIMIT = 500
EXPONENT_LIMIT = 100.0
OPERATIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}  # fmt: skip

_PIECES = re.compile(r"\.?\d[\w.]*(?:(?<=[eE])[+-]\d+)?|[A-Za-z_]\w*|\s+|.", re.ASCII | re.DOTALL)
_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_ALLOWED = frozenset("+-*/(),. ")


def check_words(option: str, text: str, target: str) -> None:
    """Raise UsageError, with a caret, for the first token that is not allowed in a formula.

    text: on one line.   target: what the formula gives, for messages.
    """
    blank, backquoted = without_backquotes(option, text)
    depth = 0
    for match in _PIECES.finditer(blank):
        piece, place = match.group(), match.start()
        if place not in backquoted:
            depth += (piece == "(") - (piece == ")")
            what = _wrong_with(piece, target) or (
                TOO_NESTED.format(limit=BRACKETS_LIMIT) if depth > BRACKETS_LIMIT else ""
            )
            if what:
                refuse(option, what, text, place)


def check_allowed(expression: Expression, coefs: Sequence[str]) -> None:
    """Raise UsageError, with a caret under the place, for a tree with a node that is not on the list."""
    _check_size(expression)
    _check(expression, expression.tree, coefs)


def constant_value(node: ast.expr) -> float | None:
    """Return the number that a node stands for, None where it has a name or a function other than pow; both checked."""
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.UnaryOp):
        value = constant_value(node.operand)
        return value if value is None or isinstance(node.op, ast.UAdd) else -value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "pow":
        return constant_value(as_power(node)) if len(node.args) == 2 else None
    if isinstance(node, ast.BinOp):
        left, right = constant_value(node.left), constant_value(node.right)
        return None if left is None or right is None else OPERATIONS[type(node.op)](left, right)
    return None


def as_power(node: ast.Call) -> ast.BinOp:
    """Return pow(x, y) as x**y, at the same place."""
    return ast.copy_location(ast.BinOp(node.args[0], ast.Pow(), node.args[1]), node)


def _check_size(expression: Expression) -> None:
    """Raise UsageError for a tree that is too large or too deep, without recursion, so that no tree is deep enough."""
    count, waiting = 0, [(expression.tree, DEPTH_LIMIT)]
    while waiting:
        node, depth = waiting.pop()
        count += 1
        if count > SIZE_LIMIT:
            expression.refuse(TOO_MANY.format(limit=SIZE_LIMIT), node)
        if depth == 0:
            expression.refuse(TOO_DEEP.format(limit=DEPTH_LIMIT), node)
        waiting += [(child, depth - 1) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]


def _check(expression: Expression, node: ast.expr, coefs: Sequence[str]) -> None:
    """Raise UsageError for a node that is not on the list; numbers are worked out on the way."""
    if isinstance(node, ast.Constant):
        _check_number(expression, node)
    elif isinstance(node, ast.Name):
        is_quoted = expression.place(node) in expression.backquoted
        if is_quoted and expression.name(node) in coefs:
            expression.refuse(QUOTED_COEF.format(name=expression.name(node)), node)
        if node.id in ARITIES and not is_quoted:
            expression.refuse(NOT_CALLED.format(name=node.id), node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        _check(expression, node.operand, coefs)
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
        _check(expression, node.left, coefs)
        _check(expression, node.right, coefs)
        _check_operation(expression, node)
    elif isinstance(node, ast.Call):
        _check_call(expression, node, coefs)
    elif isinstance(node, ast.Attribute):
        refuse(expression.option, NO_ATTRIBUTE, expression.text, expression.end(node.value))
    else:
        place = expression.end(node.left) if isinstance(node, ast.BinOp) else expression.place(node)
        refuse(expression.option, NOT_ALLOWED.format(functions=FUNCTIONS), expression.text, place)


def _check_number(expression: Expression, node: ast.Constant) -> None:
    if isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
        expression.refuse(NOT_ALLOWED.format(functions=FUNCTIONS), node)
    try:
        is_finite = math.isfinite(float(node.value))
    except OverflowError:
        is_finite = False
    if not is_finite:
        expression.refuse(NOT_FINITE, node)


def _check_operation(expression: Expression, node: ast.BinOp) -> None:
    """Raise UsageError for numbers whose result is none, and for an exponent out of range."""
    exponent = constant_value(node.right) if isinstance(node.op, ast.Pow) else None
    if exponent is not None and abs(exponent) > EXPONENT_LIMIT:
        expression.refuse(HUGE_POWER.format(exponent=exponent, limit=EXPONENT_LIMIT), node.right)
    if isinstance(node.op, ast.Div) and constant_value(node.right) == 0.0:
        expression.refuse(NOT_FINITE, node)
    try:
        value = constant_value(node)
    except (OverflowError, ZeroDivisionError):
        expression.refuse(NOT_FINITE, node)
    if isinstance(value, complex):
        expression.refuse(NOT_REAL, node)
    if value is not None and not math.isfinite(value):
        expression.refuse(NOT_FINITE, node)


def _check_call(expression: Expression, node: ast.Call, coefs: Sequence[str]) -> None:
    if not isinstance(node.func, ast.Name) or expression.place(node.func) in expression.backquoted:
        if isinstance(node.func, ast.Attribute):
            _check(expression, node.func, coefs)
        expression.refuse(NO_CALL, node.func)
    name, count = node.func.id, len(node.args)
    if name not in ARITIES:
        expression.refuse(NO_FUNCTION.format(name=name, functions=FUNCTIONS), node.func)
    starred = [one for one in node.args if isinstance(one, ast.Starred)] + [one.value for one in node.keywords]
    for one in starred:
        expression.refuse(NOT_ALLOWED.format(functions=FUNCTIONS), one)
    is_right = count >= ARITIES[name] if name in TWO_OR_MORE else count == ARITIES[name]
    if not is_right:
        wanted = "one argument" if ARITIES[name] == 1 else "two arguments"
        wanted += " or more" if name in TWO_OR_MORE else ""
        expression.refuse(ARITY.format(name=name, wanted=wanted, count=count), node)
    for argument in node.args:
        _check(expression, argument, coefs)
    if name == "pow":
        _check_operation(expression, as_power(node))


def _wrong_with(piece: str, target: str) -> str:
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
    return SYMBOLS.get(piece, NO_SYMBOL).format(found=piece, functions=FUNCTIONS, target=target)

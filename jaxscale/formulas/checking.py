"""What the tree of a formula may hold: a short list, and numbers whose results are numbers."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Sequence

from jaxscale import carets
from jaxscale.carets import Expression
from jaxscale.formulas.functions import ARITIES, FUNCTIONS, TWO_OR_MORE

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
DEPTH_LIMIT = 100
SIZE_LIMIT = 500
EXPONENT_LIMIT = 100.0
OPERATIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}  # fmt: skip


def check(expression: Expression, coefs: Sequence[str]) -> None:
    """Raise UsageError, with a caret under the place, for a tree that holds anything that is not on the list."""
    _check_size(expression)
    _check(expression, expression.tree, coefs)


def constant(node: ast.expr) -> float | None:
    """Return the number that a node stands for, None where it has a name or a function other than pow; both checked."""
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.UnaryOp):
        value = constant(node.operand)
        return value if value is None or isinstance(node.op, ast.UAdd) else -value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "pow":
        return constant(as_power(node)) if len(node.args) == 2 else None
    if isinstance(node, ast.BinOp):
        left, right = constant(node.left), constant(node.right)
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
        carets.refuse(expression.option, NO_ATTRIBUTE, expression.text, expression.end(node.value))
    else:
        place = expression.end(node.left) if isinstance(node, ast.BinOp) else expression.place(node)
        carets.refuse(expression.option, NOT_ALLOWED.format(functions=FUNCTIONS), expression.text, place)


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
    exponent = constant(node.right) if isinstance(node.op, ast.Pow) else None
    if exponent is not None and abs(exponent) > EXPONENT_LIMIT:
        expression.refuse(HUGE_POWER.format(exponent=exponent, limit=EXPONENT_LIMIT), node.right)
    if isinstance(node.op, ast.Div) and constant(node.right) == 0.0:
        expression.refuse(NOT_FINITE, node)
    try:
        value = constant(node)
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

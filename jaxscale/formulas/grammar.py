"""The text of a law, parsed against a short list of what it may hold; never run as Python."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from jaxscale import carets
from jaxscale.carets import Expression, UnparsedError
from jaxscale.errors import UsageError
from jaxscale.formulas.declaring import OPTION as COEF_OPTION
from jaxscale.formulas.functions import ARITIES, FUNCTIONS
from jaxscale.formulas.words import refuse_other_words

OPTION = "--law-expr"
TOO_LONG = OPTION + ": an expression has at most {limit} characters, this one has {count}"
EMPTY = OPTION + ": the expression is empty; write what the loss is equal to: E + A*params**-alpha"
TOO_DEEP = "nested too deeply; at most {limit} levels are read"
TOO_MANY = "more than {limit} numbers, names and operations; write it shorter"
NOT_PARSED = "this cannot be read; write it like E + A*params**-alpha + B*tokens**-beta"
NOT_ALLOWED = "only numbers, names, + - * / **, brackets and the functions {functions} are read"
NO_ATTRIBUTE = "nothing has parts; a dot stands in numbers only"
NO_FUNCTION = "'{name}' is no function here; there are {functions}"
NO_CALL = "only a function's name can be called; write '*' to multiply"
NOT_CALLED = "'{name}' is a function; write {name}(…)"
ARITY = "{name} takes {wanted}, here are {count}"
NOT_FINITE = "this is no finite number in float64"
NOT_REAL = "a power of a negative number is real for whole exponents only"
HUGE_POWER = "an exponent as large as {exponent:g} cannot be meant; at most {limit:g} is read"
NO_INPUT = "the expression takes no column; a name that is no coef is one, as params or tokens"
QUOTED_COEF = "'{name}' is a coef, and backquotes are for columns; write it without"
UNUSED = "the coef '{name}' does not stand in the expression, so no table could determine it"

LENGTH_LIMIT = 2000
DEPTH_LIMIT = 100
SIZE_LIMIT = 500
EXPONENT_LIMIT = 100.0

OPERATIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}  # fmt: skip


@dataclass(frozen=True)
class Formula:
    """A text that was let through, with its tree.   inputs: the columns' names, in the order of appearance."""

    expression: Expression
    inputs: tuple[str, ...]
    coefs: tuple[str, ...]

    @property
    def text(self) -> str:
        """The text on one line."""
        return self.expression.text

    def linear(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return those of the names, the first ones first, in which the formula is affine, all at once."""
        chosen: tuple[str, ...] = ()
        for name in names:
            if _degree(self.expression, self.expression.tree, {*chosen, name}) <= 1:
                chosen = (*chosen, name)
        return chosen

    def refuse_input(self, name: str, what: str) -> None:
        """Raise UsageError with a caret under the first place at which an input stands."""
        for node in _names(self.expression.tree):
            if self.expression.name(node) == name:
                self.expression.refuse(what, node)


def formula_of(text: str, coefs: Sequence[str]) -> Formula:
    """Return the formula of a text in which these names are coefs and all others columns.

    Raises UsageError, with a caret under the place, for anything that is not on the list; a millisecond suffices.
    """
    if len(text) > LENGTH_LIMIT:
        raise UsageError(TOO_LONG.format(limit=LENGTH_LIMIT, count=len(text)))
    text = " ".join(text.split())
    if not text:
        raise UsageError(EMPTY)
    refuse_other_words(OPTION, text, FUNCTIONS)
    try:
        expression = carets.parse(OPTION, text)
    except UnparsedError as error:
        what = TOO_DEEP.format(limit=DEPTH_LIMIT) if error.place is None else NOT_PARSED
        carets.refuse(OPTION, what, text, error.place or 0)
    _check_size(expression)
    _check(expression, expression.tree, coefs)
    used = [expression.name(node) for node in _names(expression.tree)]
    inputs = tuple(dict.fromkeys(name for name in used if name not in coefs))
    for name in coefs:
        if name not in used:
            carets.refuse(COEF_OPTION, UNUSED.format(name=name), name, 0)
    if not inputs:
        expression.refuse(NO_INPUT, expression.tree)
    return Formula(expression, inputs, tuple(coefs))


def constant(node: ast.expr) -> float | None:
    """Return the number that a node without names and functions stands for, None for any other; both were checked."""
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.UnaryOp):
        value = constant(node.operand)
        return value if value is None or isinstance(node.op, ast.UAdd) else -value
    if isinstance(node, ast.BinOp):
        left, right = constant(node.left), constant(node.right)
        return None if left is None or right is None else OPERATIONS[type(node.op)](left, right)
    return None


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
        carets.refuse(OPTION, NO_ATTRIBUTE, expression.text, expression.end(node.value))
    else:
        place = expression.end(node.left) if isinstance(node, ast.BinOp) else expression.place(node)
        carets.refuse(OPTION, NOT_ALLOWED.format(functions=FUNCTIONS), expression.text, place)


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
    """Raise UsageError for numbers whose result is none, and for an exponent that cannot be meant."""
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
    is_right = count == 1 if ARITIES[name] == 1 else count >= ARITIES[name]
    if not is_right:
        wanted = "one argument" if ARITIES[name] == 1 else "two arguments or more"
        expression.refuse(ARITY.format(name=name, wanted=wanted, count=count), node)
    for argument in node.args:
        _check(expression, argument, coefs)


def _names(tree: ast.expr) -> Iterator[ast.Name]:
    """Yield the names that are no functions, in the order in which they stand."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called]
    yield from sorted(found, key=lambda node: node.col_offset)


def _degree(expression: Expression, node: ast.expr, names: set[str]) -> float:
    """Return the degree of a node as a polynomial in these names, infinity where it is none."""
    if isinstance(node, ast.Name):
        return float(expression.name(node) in names)
    if isinstance(node, ast.UnaryOp):
        return _degree(expression, node.operand, names)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub, ast.Mult)):
        both = [_degree(expression, side, names) for side in (node.left, node.right)]
        return sum(both) if isinstance(node.op, ast.Mult) else max(both)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and not _degree(expression, node.right, names):
        return _degree(expression, node.left, names)
    children = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
    inside = children[1:] if isinstance(node, ast.Call) else children
    return math.inf if any(_degree(expression, child, names) for child in inside) else 0.0

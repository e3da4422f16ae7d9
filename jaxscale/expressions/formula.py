"""A formula, as of --law-expr and --map: its parsed text, the value of it, and the coefs that --coef declares.

The text is parsed against a short list of what it may hold, and walked: it is never run as Python.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from jaxscale.errors import UsageError
from jaxscale.expressions.allowed import (
    ARITIES,
    DEPTH_LIMIT,
    TOO_DEEP,
    as_power,
    check_allowed,
    check_words,
    constant_value,
)
from jaxscale.expressions.tree import Expression, UnparsedError, is_name, parse, refuse
from jaxscale.registry import unknown
from jaxscale.text import escaped

OPTION, COEF_OPTION = "--law-expr", "--coef"
EXAMPLE = "E + A*params**-alpha + B*tokens**-beta"
TOO_LONG = "{option}: an expression has at most {limit} characters, this one has {count}"
EMPTY = "{option}: the expression is empty; write it like {example}"
NOT_PARSED = "this cannot be read; write it like {example}"
NO_INPUT = "the expression takes no column; write it like {example}"
UNUSED = "the coef '{name}' does not stand in the expression, so no table could determine it"
NOT_A_COEF = "this is not of the form name:support or name:support:start,start, as E:positive:0.5,1,2"
BAD_NAME = "a coef's name has plain letters, digits and underscores, begins with a letter and is no word of Python"
IS_FUNCTION = "'{name}' is a function; give the coef another name"
NOT_A_NUMBER = "this start is no finite number"
OUTSIDE = "the start {start:g} is outside the support '{support}'"
TWICE = "the coef '{name}' is declared twice"

LENGTH_LIMIT, COEF_LIMIT = 2000, 500
INSIDE = {"positive": (0.0, math.inf), "real": (-math.inf, math.inf), "unit": (0.0, 1.0)}
"""Support → its ends, which do not belong to it; the maps themselves are `numerics.supports`."""

T = TypeVar("T")


@dataclass(frozen=True)
class Formula:
    """A checked text, with its tree.   inputs: the columns' names, in the order of appearance."""

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

    def parts(self) -> Iterator[ast.expr]:
        """Yield every part that is no function's name, the inner ones before those that hold them."""
        waiting: list[tuple[ast.expr, bool]] = [(self.expression.tree, False)]
        while waiting:
            node, is_seen = waiting.pop()
            if is_seen:
                yield node
                continue
            inner = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
            children = [child for child in inner if isinstance(child, ast.expr)]
            waiting += [(node, True), *((child, False) for child in reversed(children))]

    def written(self, node: ast.expr) -> str:
        """Return the text of a part."""
        return self.expression.text[self.expression.place(node) : self.expression.stop(node)]

    def check_input_name(self, name: str, what: str) -> None:
        """Raise UsageError with a caret under the first place at which an input stands."""
        for node in _names(self.expression.tree):
            if self.expression.name(node) == name:
                self.expression.refuse(what, node)


def formula_of(
    text: str, coefs: Sequence[str], *, option: str = OPTION, target: str = "the loss", example: str = EXAMPLE
) -> Formula:
    """Return the formula of a text in which these names are coefs and all others columns.

    option, target, example: what the text was given to, what it gives, and how one is written, for messages.
    Raises UsageError, with a caret under the place, for anything that is not on the list.
    """
    if len(text) > LENGTH_LIMIT:
        raise UsageError(TOO_LONG.format(option=option, limit=LENGTH_LIMIT, count=len(text)))
    text = " ".join(text.split())
    if not text:
        raise UsageError(EMPTY.format(option=option, example=example))
    check_words(option, text, target)
    try:
        expression = parse(option, text)
    except UnparsedError as error:
        what = TOO_DEEP.format(limit=DEPTH_LIMIT) if error.place is None else NOT_PARSED.format(example=example)
        refuse(option, what, text, error.place or 0)
    check_allowed(expression, coefs)
    used = [expression.name(node) for node in _names(expression.tree)]
    inputs = tuple(dict.fromkeys(name for name in used if name not in coefs))
    for name in coefs:
        if name not in used:
            refuse(COEF_OPTION, UNUSED.format(name=name), name, 0)
    if not inputs:
        expression.refuse(NO_INPUT.format(example=example), expression.tree)
    return Formula(expression, inputs, tuple(coefs))


@dataclass(frozen=True)
class Arithmetic(Generic[T]):
    """The operations of one library of arrays.

    number: an array of one number.   functions: those of `ARITIES` but pow, by name, of one or two arrays.
    operations: those of two arrays, by the node's type.   whole_power: of an array and a whole number.
    """

    number: Callable[[float], T]
    functions: Mapping[str, Callable[..., T]]
    operations: Mapping[type[ast.operator], Callable[[Any, Any], T]]
    whole_power: Callable[[T, int], T]
    negative: Callable[[T], T]


def value_of(formula: Formula, node: ast.expr, named: Mapping[str, T], using: Arithmetic[T]) -> T:
    """Return the value of a checked node.   named: the value of each name."""
    number = constant_value(node)
    if number is not None:
        return using.number(number)
    if isinstance(node, ast.Name):
        return named[formula.expression.name(node)]
    if isinstance(node, ast.UnaryOp):
        value = value_of(formula, node.operand, named, using)
        return value if isinstance(node.op, ast.UAdd) else using.negative(value)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "pow":
            return _operation(formula, as_power(node), named, using)
        first, *others = (value_of(formula, argument, named, using) for argument in node.args)
        function = using.functions[node.func.id]
        if not others:
            return function(first)
        for other in others:
            first = function(first, other)
        return first
    if isinstance(node, ast.BinOp):
        return _operation(formula, node, named, using)
    raise AssertionError("the parser lets nothing else through")


@dataclass(frozen=True)
class Declared:
    """A coef as it was typed; starts is empty where none were."""

    name: str
    support: str
    starts: tuple[float, ...] = ()

    @property
    def text(self) -> str:
        """The coef as it is typed, its starts at full precision."""
        starts = f":{','.join(map(repr, self.starts))}" if self.starts else ""
        return f"{self.name}:{self.support}{starts}"


def declared(text: str) -> Declared:
    """Return the coef of a text; raise UsageError, with a caret under the place, for anything else."""
    text = " ".join(text.split())
    parts = text.split(":")
    if len(text) > COEF_LIMIT or len(parts) not in (2, 3):
        refuse(COEF_OPTION, NOT_A_COEF, text, len(parts[0]) if len(parts) > 1 else 0)
    name, support = parts[0].strip(), parts[1].strip()
    if not is_name(name):
        refuse(COEF_OPTION, BAD_NAME, text, 0)
    if name in ARITIES:
        refuse(COEF_OPTION, IS_FUNCTION.format(name=name), text, 0)
    if support not in INSIDE:
        refuse(COEF_OPTION, unknown("support", escaped(support), tuple(INSIDE)), text, len(parts[0]) + 1)
    starts = _starts(text, parts[2], support) if len(parts) == 3 else ()
    return Declared(name, support, starts)


def declared_all(texts: Sequence[str]) -> tuple[Declared, ...]:
    """Return the coefs of several texts, in order; raise UsageError also for a name that comes twice."""
    found: dict[str, Declared] = {}
    for text in texts:
        one = declared(text)
        if one.name in found:
            refuse(COEF_OPTION, TWICE.format(name=one.name), one.text, 0)
        found[one.name] = one
    return tuple(found.values())


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


def _operation(formula: Formula, node: ast.BinOp, named: Mapping[str, T], using: Arithmetic[T]) -> T:
    left, exponent = value_of(formula, node.left, named, using), constant_value(node.right)
    if isinstance(node.op, ast.Pow) and exponent is not None and exponent.is_integer():
        return using.whole_power(left, int(exponent))
    return using.operations[type(node.op)](left, value_of(formula, node.right, named, using))


def _starts(text: str, listed: str, support: str) -> tuple[float, ...]:
    low, high = INSIDE[support]
    place, starts = len(text) - len(listed), []
    for item in listed.split(","):
        try:
            start = float(item) if item.isascii() and "_" not in item else math.nan
        except ValueError:
            start = math.nan
        if not math.isfinite(start):
            refuse(COEF_OPTION, NOT_A_NUMBER, text, place)
        if not low < start < high:
            refuse(COEF_OPTION, OUTSIDE.format(start=start, support=support), text, place)
        starts.append(start)
        place += len(item) + 1
    return tuple(starts)

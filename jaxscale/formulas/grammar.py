"""The text of a law, parsed against a short list of what it may hold; never run as Python."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jaxscale import carets
from jaxscale.carets import Expression, UnparsedError
from jaxscale.errors import UsageError
from jaxscale.formulas.checking import DEPTH_LIMIT, TOO_DEEP, check
from jaxscale.formulas.declaring import OPTION as COEF_OPTION
from jaxscale.formulas.functions import FUNCTIONS
from jaxscale.formulas.words import check_words

OPTION = "--law-expr"
EXAMPLE = "E + A*params**-alpha + B*tokens**-beta"
TOO_LONG = "{option}: an expression has at most {limit} characters, this one has {count}"
EMPTY = "{option}: the expression is empty; write it like {example}"
NOT_PARSED = "this cannot be read; write it like {example}"
NO_INPUT = "the expression takes no column; write it like {example}"
UNUSED = "the coef '{name}' does not stand in the expression, so no table could determine it"
LENGTH_LIMIT = 2000


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
    check_words(option, text, FUNCTIONS, target)
    try:
        expression = carets.parse(option, text)
    except UnparsedError as error:
        what = TOO_DEEP.format(limit=DEPTH_LIMIT) if error.place is None else NOT_PARSED.format(example=example)
        carets.refuse(option, what, text, error.place or 0)
    check(expression, coefs)
    used = [expression.name(node) for node in _names(expression.tree)]
    inputs = tuple(dict.fromkeys(name for name in used if name not in coefs))
    for name in coefs:
        if name not in used:
            carets.refuse(COEF_OPTION, UNUSED.format(name=name), name, 0)
    if not inputs:
        expression.refuse(NO_INPUT.format(example=example), expression.tree)
    return Formula(expression, inputs, tuple(coefs))


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

"""What a formula is equal to: its tree is walked with the functions of a library of arrays; the text is never run."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from jaxscale.formulas.checking import as_power, constant
from jaxscale.formulas.grammar import Formula

T = TypeVar("T")


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
    """Return the value of a node that was let through.   named: what each name stands for."""
    number = constant(node)
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


def _operation(formula: Formula, node: ast.BinOp, named: Mapping[str, T], using: Arithmetic[T]) -> T:
    left, exponent = value_of(formula, node.left, named, using), constant(node.right)
    if isinstance(node.op, ast.Pow) and exponent is not None and exponent.is_integer():
        return using.whole_power(left, int(exponent))
    return using.operations[type(node.op)](left, value_of(formula, node.right, named, using))

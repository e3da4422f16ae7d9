"""Which rows a selection keeps."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxscale.errors import RunsError
from jaxscale.expressions.selection import COMPARISONS, literal_number, selection_of
from jaxscale.expressions.tree import Expression
from jaxscale.registry import unknown
from jaxscale.runs.headers import ROW, header_named, normalised, role_of
from jaxscale.runs.numbers import Kind
from jaxscale.text import counted, escaped, listed, shown

if TYPE_CHECKING:
    from jaxscale.runs.table import Runs

NONE_LEFT = "{source}: no row of {rows} is left by {where}; loosen the selection"
UNREADABLE = (
    "{source}: --where compares column {name} with a number, but {count} cannot be read as one: {cells}.\n"
    "Correct these cells, or leave their rows out first with another condition before 'and'."
)
NO_COLUMN = "no value is compared with a column here"
TEXT_COLUMN = "column {name} holds text: compare it with text in quotes"
NUMBER_COLUMN = "column {name} holds numbers: leave the quotes away"
TEXT_ORDER = "text has no order here: compare it with == or !="

COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@dataclass(frozen=True)
class SelectionColumn:
    """A column as a selection reads it.

    name: for messages.   kind: (n,) of Kind.   values: (n,) float64, NaN where there is no number.   texts: returns the
    cells (n,) as str.   cell: returns place and text of a 0-based row, for messages.
    """

    name: str
    kind: np.ndarray
    values: np.ndarray
    texts: Callable[[], np.ndarray]
    cell: Callable[[int], str] = str

    @property
    def is_text(self) -> bool:
        """Whether no cell is a number and some are text."""
        return bool((self.kind == Kind.UNREADABLE).any() and not (self.kind == Kind.NUMBER).any())

    @property
    def is_numeric(self) -> bool:
        """Whether the cells are numbers, some perhaps missing."""
        return bool((self.kind == Kind.NUMBER).any() and not (self.kind == Kind.UNREADABLE).any())


@dataclass(frozen=True)
class SelectionTable:
    """What a selection needs from a table.

    names: those that may be written, for close matches.   find: returns the column of a name, None without one.
    """

    names: Sequence[str]
    find: Callable[[str], SelectionColumn | None]
    rows: int
    source: str


def selected(expressions: Sequence[str], table: SelectionTable) -> np.ndarray:
    """Return the indices of the rows for which every expression holds, ascending.

    `and` and the next expression look only at rows that are still in. A missing number fulfils `!=` and nothing else.
    Raises UsageError, with a caret, for what cannot be read or compared; RunsError if no row is left.
    """
    rows = np.arange(table.rows)
    for text in expressions:
        expression = selection_of(text)
        rows = rows[_truth(expression, expression.tree, table, rows)]
    if table.rows and not rows.size:
        where = " and ".join(f"--where {shown(text)}" for text in expressions[:3])
        raise RunsError(NONE_LEFT.format(source=table.source, rows=table.rows, where=where))
    return rows


def selection_table(runs: Runs) -> SelectionTable:
    """Return the columns, labels, loss, weight, sigma and group of finished runs, by role, header or alias."""
    cells = {**runs.labels, "weight": runs.weight, "loss": runs.loss, **runs.columns}
    for name, own in (("sigma", runs.sigma), ("group", runs.group)):
        if own is not None:
            cells.setdefault(name, own)
    if not any(normalised(name) == ROW for name in cells):
        cells[ROW] = runs.row.astype(np.float64)
    headers = {header: role for role, header in runs.origin.columns.items()}

    def find(name: str) -> SelectionColumn | None:
        known = (name, headers.get(name), role_of(name), header_named(name, cells))
        key = next((key for key in known if key is not None and key in cells), None)
        if key is None:
            return None
        kind = Kind.UNREADABLE if cells[key].dtype == object else Kind.NUMBER
        return SelectionColumn(key, np.full(len(runs), kind), cells[key], lambda: cells[key])

    return SelectionTable(tuple(cells), find, len(runs), runs.origin.source)


def _truth(expression: Expression, node: ast.expr, table: SelectionTable, rows: np.ndarray) -> np.ndarray:
    if isinstance(node, ast.BoolOp):
        is_and = isinstance(node.op, ast.And)
        kept = np.full(rows.size, is_and)
        for value in node.values:
            undecided = kept == is_and
            kept[undecided] = _truth(expression, value, table, rows[undecided])
        return kept
    if isinstance(node, ast.UnaryOp):
        return ~_truth(expression, node.operand, table, rows)
    if not isinstance(node, ast.Compare):
        raise AssertionError("the parser lets nothing else through")
    kept = np.ones(rows.size, dtype=bool)
    left = node.left
    for symbol, right in zip(node.ops, node.comparators, strict=True):
        kept &= _compared(expression, COMPARISONS[type(symbol)], left, right, table, rows)
        left = right
    return kept


def _compared(
    expression: Expression, symbol: str, left: ast.expr, right: ast.expr, table: SelectionTable, rows: np.ndarray
) -> np.ndarray:
    named = {node: _column(expression, node, table) for node in (left, right) if isinstance(node, ast.Name)}
    if not named:
        expression.refuse(NO_COLUMN, left)
    quoted = [node for node in (left, right) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    if quoted or (len(named) == 2 and any(column.is_text for column in named.values())):
        if symbol not in ("==", "!="):
            expression.refuse(TEXT_ORDER, next(iter(named)))
        for node, column in named.items():
            if column.is_numeric:
                expression.refuse(NUMBER_COLUMN.format(name=shown(expression.name(node))), node)
        sides = [_texts(node, named, rows) for node in (left, right)]
        return np.asarray(COMPARE[symbol](*sides), dtype=bool)
    for node, column in named.items():
        if column.is_text:
            expression.refuse(TEXT_COLUMN.format(name=shown(expression.name(node))), node)
    sides = [_numbers(node, named, rows, table.source) for node in (left, right)]
    return np.asarray(COMPARE[symbol](*sides), dtype=bool)


def _column(expression: Expression, node: ast.Name, table: SelectionTable) -> SelectionColumn:
    name = expression.name(node)
    column = table.find(name)
    if column is None:
        names = [escaped(known[:40]) for known in table.names[:12]]
        expression.refuse(unknown("column", escaped(name), names), node)
    return column


def _texts(node: ast.expr, named: Mapping[ast.Name, SelectionColumn], rows: np.ndarray) -> np.ndarray:
    if isinstance(node, ast.Name):
        return named[node].texts()[rows]
    value = np.empty(rows.size, dtype=object)
    value[:] = node.value if isinstance(node, ast.Constant) else ""
    return value


def _numbers(node: ast.expr, named: Mapping[ast.Name, SelectionColumn], rows: np.ndarray, source: str) -> np.ndarray:
    """Return the numbers of one side; raise RunsError where a row that is still in holds none."""
    if not isinstance(node, ast.Name):
        return np.full(rows.size, literal_number(node))
    column = named[node]
    wrong = rows[column.kind[rows] == Kind.UNREADABLE].tolist()
    if wrong:
        cells = [column.cell(row) for row in wrong[:6]] + [""] * (len(wrong) - 6)  # counted, not shown
        told = {"name": shown(column.name), "cells": listed(cells), "count": counted(len(wrong), "cell")}
        raise RunsError(UNREADABLE.format(source=source, **told))
    return column.values[rows]

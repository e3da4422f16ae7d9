"""Which rows a selection keeps."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from jaxscale.errors import RunsError
from jaxscale.expressions.selection import COMPARISONS, number, selection_of
from jaxscale.expressions.tree import Expression
from jaxscale.registry import unknown
from jaxscale.runs.headers import ROW, header_named, plain, role_of
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


class Table(Protocol):
    """What a selection needs from a table; a key is whatever the table finds its columns by."""

    @property
    def names(self) -> Sequence[str]:
        """Names that may be written, for close matches."""
        ...

    def find(self, name: str) -> str | None:
        """Return the key of a column, or None."""
        ...

    def is_text(self, key: str) -> bool:
        """Return whether no cell of the column is a number and some are text."""
        ...

    def is_numeric(self, key: str) -> bool:
        """Return whether every cell of the column is a number or missing."""
        ...

    def texts(self, key: str) -> np.ndarray:
        """Return the column (n,) as str."""
        ...

    def numbers(self, key: str, rows: np.ndarray) -> np.ndarray:
        """Return the column (n,) as float64, NaN where missing; raise RunsError if one of the rows is unreadable."""
        ...


class RunsLookup:
    """The columns, labels, loss, weight, sigma and group of finished runs by role, header or alias."""

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self.cells = {**runs.labels, "weight": runs.weight, "loss": runs.loss, **runs.columns}
        if runs.sigma is not None:
            self.cells.setdefault("sigma", runs.sigma)
        if runs.group is not None:
            self.cells.setdefault("group", runs.group)
        if not any(plain(name) == ROW for name in self.cells):
            self.cells[ROW] = runs.row.astype(np.float64)

    @property
    def names(self) -> Sequence[str]:
        """Every name that a column has."""
        return tuple(self.cells)

    def find(self, name: str) -> str | None:
        """Return the name under which the runs keep a column."""
        headers = {header: role for role, header in self.runs.origin.columns.items()}
        for key in (name, headers.get(name), role_of(name)):
            if key is not None and key in self.cells:
                return key
        return header_named(name, self.cells)

    def is_text(self, key: str) -> bool:
        """Return whether the column is a label or the group."""
        return self.cells[key].dtype == object

    def is_numeric(self, key: str) -> bool:
        """Return whether the column is float64."""
        return self.cells[key].dtype != object

    def texts(self, key: str) -> np.ndarray:
        """Return a label (n,)."""
        return self.cells[key]

    def numbers(self, key: str, rows: np.ndarray) -> np.ndarray:
        """Return a column (n,) of float64."""
        return self.cells[key]


def selected(expressions: Sequence[str], table: Table, *, count: int, source: str) -> np.ndarray:
    """Return the indices of the rows for which every expression holds, ascending.

    `and` and the next expression look only at rows that are still in. A missing number fulfils `!=` and nothing else.
    Raises UsageError, with a caret, for what cannot be read or compared; RunsError if no row is left.
    """
    rows = np.arange(count)
    for text in expressions:
        expression = selection_of(text)
        rows = rows[_truth(expression, expression.tree, table, rows)]
    if count and not rows.size:
        where = " and ".join(f"--where {shown(text)}" for text in expressions[:3])
        raise RunsError(NONE_LEFT.format(source=source, rows=count, where=where))
    return rows


def check_readable(name: str, cells: Sequence[str], *, count: int, source: str) -> None:
    """Raise RunsError for a column that is compared with a number although some cells hold none."""
    raise RunsError(
        UNREADABLE.format(source=source, name=shown(name), cells=listed(cells), count=counted(count, "cell"))
    )


def _truth(expression: Expression, node: ast.expr, table: Table, rows: np.ndarray) -> np.ndarray:
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
    expression: Expression, symbol: str, left: ast.expr, right: ast.expr, table: Table, rows: np.ndarray
) -> np.ndarray:
    named = [node for node in (left, right) if isinstance(node, ast.Name)]
    keys = [_key(expression, node, table) for node in named]
    if not named:
        expression.refuse(NO_COLUMN, left)
    quoted = [node for node in (left, right) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    if quoted or (len(keys) == 2 and any(table.is_text(key) for key in keys)):
        if symbol not in ("==", "!="):
            expression.refuse(TEXT_ORDER, named[0])
        for node, key in zip(named, keys, strict=True):
            if table.is_numeric(key):
                expression.refuse(NUMBER_COLUMN.format(name=shown(expression.name(node))), node)
        sides = [_text(node, keys, named, table, rows) for node in (left, right)]
        return np.asarray(COMPARE[symbol](*sides), dtype=bool)
    for node, key in zip(named, keys, strict=True):
        if table.is_text(key):
            expression.refuse(TEXT_COLUMN.format(name=shown(expression.name(node))), node)
    sides = [_number(node, keys, named, table, rows) for node in (left, right)]
    return np.asarray(COMPARE[symbol](*sides), dtype=bool)


def _key(expression: Expression, node: ast.Name, table: Table) -> str:
    name = expression.name(node)
    key = table.find(name)
    if key is None:
        names = [escaped(known[:40]) for known in table.names[:12]]
        expression.refuse(unknown("column", escaped(name), names), node)
    return key


def _text(node: ast.expr, keys: list[str], named: list[ast.Name], table: Table, rows: np.ndarray) -> np.ndarray:
    if isinstance(node, ast.Name):
        return table.texts(keys[named.index(node)])[rows]
    value = np.empty(rows.size, dtype=object)
    value[:] = node.value if isinstance(node, ast.Constant) else ""
    return value


def _number(node: ast.expr, keys: list[str], named: list[ast.Name], table: Table, rows: np.ndarray) -> np.ndarray:
    if isinstance(node, ast.Name):
        return table.numbers(keys[named.index(node)], rows)[rows]
    return np.full(rows.size, number(node))

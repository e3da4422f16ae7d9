"""Selections of rows: the rows that an expression keeps, and the expression that leaves out exactly given rows."""

from __future__ import annotations

import ast
import keyword
import operator
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jaxscale.errors import RunsError, UsageError
from jaxscale.expressions.selection import COMPARISONS, LENGTH_LIMIT, literal_number, selection_of
from jaxscale.expressions.tree import Expression
from jaxscale.registry import unknown
from jaxscale.runs.headers import ROLES, ROW, normalised
from jaxscale.runs.naming import RUN_NAMES
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

ALONE = "column {column} is {value} in {these} alone"
BEYOND = "column {column} is {side} {value} in {these} alone"
OPTION = "--where {expression}"

REPEATED = 3
"""Rows per value from which a column holds kinds of runs rather than a name of each."""
FROM_RANGE = 3
"""Consecutive rows from which they are written as a range."""


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
    """A table, as a selection reads it.

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


class Separation(NamedTuple):
    """What leaves rows out. why: what tells them apart, "" where only their numbers do.   where: expressions."""

    why: str
    where: tuple[str, ...]

    @property
    def options(self) -> str:
        """The options to type, quoted for a shell."""
        return " ".join(OPTION.format(expression=_quoted(one)) for one in self.where)


def separation_of(runs: Runs, rows: Sequence[int]) -> Separation | None:
    """Return how to leave out rows, numbered as in `Runs.row`, and no others; None where no selection can.

    A column that says more than a name comes first, then the number of the row, then the loss. Each was tried on the
    runs.
    """
    is_out = np.isin(runs.row, rows)
    these = "these rows" if is_out.sum() > 1 else "this row"
    for found in (*_by_column(runs, is_out, these), Separation("", _by_row(rows)), *_by_loss(runs, is_out, these)):
        if _is_exact(runs, found.where, is_out):
            return found
    return None


def _by_column(runs: Runs, is_out: np.ndarray, these: str) -> Iterator[Separation]:
    known = {*ROLES, *runs.origin.columns, *runs.origin.derived}
    for name, label in runs.labels.items():
        if normalised(name) not in RUN_NAMES and _is_kind(label, is_out):
            value = str(label[is_out][0])
            text = _text(value, '"' if "`" in _name(name) else "'")
            yield Separation(
                ALONE.format(column=shown(name), value=shown(value), these=these), (f"{_name(name)} != {text}",)
            )
    for name, column in runs.columns.items():
        if name in known or column.ndim > 1 or not np.isfinite(column).all():
            continue
        if _is_kind(column, is_out):
            value = f"{column[is_out][0]:.17g}"
            yield Separation(ALONE.format(column=shown(name), value=value, these=these), (f"{_name(name)} != {value}",))
        elif _is_apart(column, is_out):
            yield _beyond(name, column, is_out, these)


def _by_loss(runs: Runs, is_out: np.ndarray, these: str) -> Iterator[Separation]:
    if min(runs.loss[is_out]) > max(runs.loss[~is_out]) or max(runs.loss[is_out]) < min(runs.loss[~is_out]):
        yield _beyond("loss", runs.loss, is_out, these)


def _is_kind(values: np.ndarray, is_out: np.ndarray) -> bool:
    """Return whether the rows share one value that no other has, in a column whose values repeat."""
    out, others = np.unique(values[is_out]), np.unique(values[~is_out])
    return len(out) == 1 and out[0] not in others and len(others) * REPEATED <= np.sum(~is_out)


def _is_apart(values: np.ndarray, is_out: np.ndarray) -> bool:
    """Return whether the rows' numbers lie beyond all others, by more than those spread where it is one row."""
    out, others = values[is_out], values[~is_out]
    gap = max(float(out.min() - others.max()), float(others.min() - out.max()))
    return gap > (float(np.ptp(others)) if len(out) == 1 else 0.0)


def _beyond(name: str, values: np.ndarray, is_out: np.ndarray, these: str) -> Separation:
    out, others = values[is_out], values[~is_out]
    is_above = bool(out.min() > others.max())
    near, far = (others.max(), out.min()) if is_above else (others.min(), out.max())
    cut = _between(float(near), float(far))
    why = BEYOND.format(column=shown(name), side="above" if is_above else "below", value=cut, these=these)
    return Separation(why, (f"{_name(name)} {'<' if is_above else '>'} {cut}",))


def _between(near: float, far: float) -> str:
    """Return the shortest number strictly between two, about their middle."""
    middle = 0.5 * (near + far)
    for digits in range(1, 18):
        text = f"{middle:.{digits}g}"
        if min(near, far) < float(text) < max(near, far):
            return text
    return f"{middle:.17g}"


def _by_row(rows: Iterable[int]) -> tuple[str, ...]:
    """Return expressions that leave out rows by their numbers, each short enough to be read."""
    numbers = np.sort(np.fromiter(rows, dtype=np.int64))
    parts = []
    for span in np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1):
        if len(span) >= FROM_RANGE:
            parts.append(f"not {span[0]} <= {ROW} <= {span[-1]}")
        else:
            parts += [f"{ROW} != {number}" for number in span.tolist()]
    expressions = [""]
    for part in parts:
        longer = f"{expressions[-1]} and {part}" if expressions[-1] else part
        expressions = [*expressions[:-1], longer] if len(longer) <= LENGTH_LIMIT else [*expressions, part]
    return tuple(expressions)


def _is_exact(runs: Runs, where: Sequence[str], is_out: np.ndarray) -> bool:
    if not all(one.isprintable() for one in where):
        return False
    try:
        return np.array_equal(runs.where(*where).row, runs.row[~is_out])
    except (UsageError, RunsError):
        return False


def _name(column: str) -> str:
    is_plain = column.isidentifier() and column.isascii() and not keyword.iskeyword(column)
    return column if is_plain else f"`{column}`"


def _text(value: str, quote: str) -> str:
    other = "'" if quote == '"' else '"'
    return f"{other}{value}{other}" if quote in value else f"{quote}{value}{quote}"


def _quoted(expression: str) -> str:
    """Return an expression in double quotes where a shell reads it as it stands, else as a shell needs it."""
    return shlex.quote(expression) if set(expression) & set('"`$\\') else f'"{expression}"'

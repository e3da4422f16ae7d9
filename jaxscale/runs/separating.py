"""The selection that leaves out certain rows and no others, by the column that tells them apart if there is one."""

from __future__ import annotations

import keyword
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxscale.errors import RunsError, UsageError
from jaxscale.expressions.selection import LENGTH_LIMIT
from jaxscale.runs.headers import ROLES, ROW, normalised
from jaxscale.runs.naming import RUN_NAMES
from jaxscale.text import shown

if TYPE_CHECKING:
    from jaxscale.runs.table import Runs

ALONE = "column {column} is {value} in {these} alone"
BEYOND = "column {column} is {side} {value} in {these} alone"
OPTION = "--where {expression}"

REPEATED = 3
"""Rows per value from which a column holds kinds of runs rather than a name of each."""
FROM_RANGE = 3
"""Consecutive rows from which they are written as a range."""


class Separation(NamedTuple):
    """why: what tells the rows apart, in words, empty where only their numbers do.   where: expressions that leave
    them out.
    """

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

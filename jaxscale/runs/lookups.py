"""The columns of a raw table by role, header or alias, read as numbers and multiplied by the factors of --scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.costs.training import FORMULAS, SOURCES, decided
from jaxscale.errors import RunsError, UsageError
from jaxscale.registry import unknown
from jaxscale.runs.cells import RawTable, cell_text, texts
from jaxscale.runs.headers import ROW, header_named, normalised, role_of
from jaxscale.runs.mapping import Computed
from jaxscale.runs.numbers import Kind, Numbers, NumberStyle, is_unreadable, numbers, scaled
from jaxscale.runs.selecting import SelectionColumn, SelectionTable
from jaxscale.text import escaped, shown, shown_name

if TYPE_CHECKING:
    from jaxscale.runs.table import Runs

NOT_A_FACTOR = "--scale {name}={factor:g}: a factor is a positive, finite number, as in --scale tokens=1e9"
NO_FACTOR = "scale: {name!r}: {factor!r} is no name with a number; write for example scale={{'tokens': 1e9}}"
NO_COLUMN = "{source}: --scale: {unknown}"
DERIVED = "{source}: --scale {name}: {name} is no column, it is made of {sources}: scale one of these"
NO_NUMBERS = "{source}: --scale {name}: the column holds no number"
SCALED_TWICE = "{source}: --scale gives two factors for the column {name}: give one"


class RawTableLookup:
    """The columns of a raw table by role, header or alias, each read as numbers at most once.

    scale: header → factor by which its numbers are multiplied, before anything is read.   source: for messages.
    """

    def __init__(
        self,
        raw_table: RawTable,
        roles: Mapping[str, str],
        style: NumberStyle,
        computed: Mapping[str, Computed] | None = None,
    ) -> None:
        self.raw_table = raw_table
        self.source = shown_name(raw_table.source)
        self.roles = roles
        self.style = style
        self.computed = computed or {}
        self.used = {*roles.values(), *(header for key in self.computed for header in self.sources(key))}
        self.scale: Mapping[str, float] = {}
        self._numbers: dict[str, Numbers] = {}

    @property
    def names(self) -> Sequence[str]:
        """Roles, then headers."""
        return tuple(dict.fromkeys((*self.roles, *self.raw_table.columns)))

    def find(self, name: str) -> str | None:
        """Return the header for a name, or the formula for a role that would be derived."""
        by_role = self._by_role(name)
        if by_role is not None or name in self.raw_table.columns:
            return by_role or name
        role = role_of(name)
        by_role = None if role is None else self._by_role(role)
        is_row = name == ROW and not any(normalised(header) == ROW for header in self.raw_table.columns)
        return by_role or (ROW if is_row else header_named(name, self.raw_table.columns))

    @property
    def selection_table(self) -> SelectionTable:
        """The columns for a selection."""
        return SelectionTable(self.names, self._column, self.raw_table.rows, self.source)

    def texts(self, key: str) -> np.ndarray:
        """Return the cells (n,) as str, without surrounding spaces."""
        return texts(self.read(key).values if key in self.computed else self.raw_table.columns[key])

    def is_label(self, header: str, rows: np.ndarray) -> bool:
        """Return whether one of the rows holds text; mostly the first few tell."""
        cells = self.raw_table.columns[header]
        if cells.dtype == object and any(is_unreadable(cells[i], self._style(header)) for i in rows[:8]):
            return True
        return bool((self.read(header).kind[rows] == Kind.UNREADABLE).any())

    def read(self, key: str) -> Numbers:
        """Return the column of a header, or of a formula, as numbers."""
        if key not in self._numbers:
            role = next((role for role, formula in FORMULAS.items() if formula == key), None)
            if key in self.computed:
                read = self.computed[key].numbers(self.read)
                self._numbers[key] = scaled(read, self.scale[key]) if key in self.scale else read
            elif key in self.raw_table.columns:
                read = numbers(self.raw_table.columns[key], self._style(key))
                self._numbers[key] = scaled(read, self.scale[key]) if key in self.scale else read
            elif key == ROW:
                self._numbers[key] = numbers(np.arange(1.0, self.raw_table.rows + 1.0))
            elif role is not None:
                sources = {name: self.read(self.roles[name]).values for name in SOURCES[role]}
                self._numbers[key] = numbers(decided(sources)[role])
        return self._numbers[key]

    def sources(self, key: str) -> tuple[str, ...]:
        """Return the header itself, or the headers that a formula takes."""
        return tuple(self.computed[key].columns.values()) if key in self.computed else (key,)

    def forget(self) -> None:
        """Read every column anew when it is next asked for."""
        self._numbers.clear()

    def _column(self, name: str) -> SelectionColumn | None:
        key = self.find(name)
        if key is None:
            return None
        read = self.read(key)
        return SelectionColumn(key, read.kind, read.values, lambda: self.texts(key), lambda row: self._cell(key, row))

    def _cell(self, key: str, row: int) -> str:
        """Return the place of a 0-based row and its text, of a formula those of its sources."""
        cells = " ".join(shown(cell_text(self.raw_table.columns[one], row)) for one in self.sources(key))
        return f"{self.raw_table.place(row)} {cells}"

    def _style(self, header: str) -> NumberStyle:
        # Units belong to the roles: in any other column "300M" is a name.
        role = next((role for role, played in self.roles.items() if played == header), None)
        if header not in self.used:
            return replace(self.style, units=False)
        return self.style if role is None else replace(self.style, role=role)

    def _by_role(self, role: str) -> str | None:
        if role in self.roles:
            return self.roles[role]
        return FORMULAS[role] if role in FORMULAS and all(name in self.roles for name in SOURCES[role]) else None


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


def check_factors(scale: Mapping[str, float]) -> None:
    """Raise UsageError for an invalid factor."""
    for name, factor in scale.items():
        is_number = isinstance(factor, Real) and not isinstance(factor, bool)
        if not (isinstance(name, str) and is_number):
            raise UsageError(NO_FACTOR.format(name=name, factor=factor))
        if not (math.isfinite(factor) and factor > 0):
            raise UsageError(NOT_A_FACTOR.format(name=escaped(name), factor=factor))


def scale_of(lookup: RawTableLookup, scale: Mapping[str, float]) -> dict[str, float]:
    """Return header, or formula, → factor, for the headers or roles that were named.

    Raises RunsError for what is no such column.
    """
    found: dict[str, float] = {}
    for name, factor in scale.items():
        key = lookup.find(name)
        told = {"source": lookup.source, "name": escaped(name)}
        role = next((role for role, formula in FORMULAS.items() if formula == key), None)
        if role is not None:
            raise RunsError(DERIVED.format(**told, sources=" and ".join(SOURCES[role])))
        if key is None or key not in (*lookup.raw_table.columns, *lookup.computed):
            known = [escaped(other[:40]) for other in lookup.names[:12]]
            raise RunsError(NO_COLUMN.format(source=lookup.source, unknown=unknown("column", escaped(name), known)))
        if not (lookup.read(key).kind == Kind.NUMBER).any():
            raise RunsError(NO_NUMBERS.format(**told))
        if key in found:
            raise RunsError(SCALED_TWICE.format(source=lookup.source, name=shown(key)))
        found[key] = float(factor)
    lookup.forget()
    return found

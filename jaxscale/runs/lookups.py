"""How a selection finds columns: in a raw table whose cells are not yet judged, and in finished runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.runs.aliases import bare_names, plain, role_of
from jaxscale.runs.cells import RawTable
from jaxscale.runs.deriving import FORMULAS, SOURCES, derived_column
from jaxscale.runs.mapping import Computed
from jaxscale.runs.numbers import Kind, Numbers, NumberStyle, is_unreadable, numbers, scaled
from jaxscale.runs.selecting import check_readable
from jaxscale.text import shown, shown_name

if TYPE_CHECKING:
    from jaxscale.runs.table import Runs

ROW = "row"
"""What a selection calls the number of a data row, from 1 in the original table, where no column has that name."""


class RawTableLookup:
    """The columns of a raw table by role, header or alias, each read as numbers at most once.

    scale: header → factor by which its numbers are multiplied, before anything is read.
    """

    def __init__(
        self,
        raw_table: RawTable,
        roles: Mapping[str, str],
        style: NumberStyle,
        computed: Mapping[str, Computed] | None = None,
    ) -> None:
        self.raw_table = raw_table
        self.roles = roles
        self.style = style
        self.computed = computed or {}
        self.used = {*roles.values(), *(header for one in self.computed.values() for header in one.columns.values())}
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
        is_row = name == ROW and not any(plain(header) == ROW for header in self.raw_table.columns)
        return by_role or (ROW if is_row else _only_match(name, self.raw_table.columns))

    def is_text(self, key: str) -> bool:
        """Return whether no cell is a number and some are text."""
        kind = self.read(key).kind
        return bool((kind == Kind.UNREADABLE).any() and not (kind == Kind.NUMBER).any())

    def is_numeric(self, key: str) -> bool:
        """Return whether the cells are numbers, some perhaps missing."""
        kind = self.read(key).kind
        return bool((kind == Kind.NUMBER).any() and not (kind == Kind.UNREADABLE).any())

    def texts(self, key: str) -> np.ndarray:
        """Return the cells (n,) as str, without surrounding spaces."""
        return texts(self.read(key).values if key in self.computed else self.raw_table.columns[key])

    def numbers(self, key: str, rows: np.ndarray) -> np.ndarray:
        """Return the column (n,) as float64; raise RunsError if one of the rows is unreadable."""
        read = self.read(key)
        wrong = rows[read.kind[rows] == Kind.UNREADABLE]
        if wrong.size:
            sources = [key] if key not in self.computed else list(self.computed[key].columns.values())
            columns = self.raw_table.columns
            cells = [
                f"{self.raw_table.place(i)} {' '.join(shown(cell_text(columns[one], i)) for one in sources)}"
                for i in wrong[:6].tolist()
            ]
            cells += [""] * (wrong.size - len(cells))  # counted, not shown
            check_readable(key, cells, count=wrong.size, source=shown_name(self.raw_table.source))
        return read.values

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
                self._numbers[key] = numbers(derived_column(role, sources))
        return self._numbers[key]

    def forget(self) -> None:
        """Read every column anew when it is next asked for."""
        self._numbers.clear()

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
        return _only_match(name, self.cells)

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


def texts(cells: np.ndarray) -> np.ndarray:
    """Return cells (n,) as an object array of str without surrounding spaces; whole numbers lose their ".0"."""
    text = np.empty(cells.size, dtype=object)
    text[:] = [cell_text(cells, index).strip() for index in range(cells.size)]
    return text


def cell_text(cells: np.ndarray, index: int) -> str:
    """Return one cell as text; NaN, which is how a typed source says nothing, as the empty text."""
    value = cells[index]
    if isinstance(value, str):
        return value
    if np.isnan(value):
        return ""
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))


def _only_match(name: str, names: Mapping[str, object]) -> str | None:
    matches = [header for header in names if plain(header) == plain(name)]
    matches = matches or [header for header in names if plain(name) in map(plain, bare_names(header))]
    return matches[0] if len(matches) == 1 else None

"""Columns that are not read as they stand: the headers and formulas of `--map ROLE=TEXT`, and derived sizes.

Of params, tokens and flops the third follows from two, C = 6 N D (Kaplan et al. 2020, §2.1), and the ratio from both.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType

import numpy as np

from jaxscale.costs.training import FORMULAS, SOURCES, decided
from jaxscale.errors import RunsError, UsageError
from jaxscale.expressions.formula import Arithmetic, Formula, formula_of, value_of
from jaxscale.registry import unknown
from jaxscale.runs.headers import GROUP, bare_names, headers_named, known_name, normalised, role_of
from jaxscale.runs.numbers import Kind, Numbers
from jaxscale.text import escaped, listed, shown, typed

NUMPY: Arithmetic[np.ndarray] = Arithmetic(
    number=np.asarray,
    functions=MappingProxyType(
        {
            "exp": np.exp, "log": np.log, "log10": np.log10, "log1p": np.log1p, "expm1": np.expm1, "sqrt": np.sqrt,
            "abs": np.abs, "tanh": np.tanh, "sigmoid": lambda x: 0.5 + 0.5 * np.tanh(0.5 * x),
            "softplus": lambda x: np.logaddexp(0.0, x), "logaddexp": np.logaddexp, "min": np.minimum,
            "max": np.maximum, "minimum": np.minimum, "maximum": np.maximum,
        }
    ),
    operations={
        ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide, ast.Pow: np.power,
    },
    whole_power=lambda x, power: np.power(x, float(power)),
    negative=np.negative,
)  # fmt: skip

NOT_FINITE = "{source}: {role} = {formula} leaves the range of float64 in {rows}; check the units of {sources}"
MAPPED_TO_NOTHING = "{source}: {option} names no column; the columns are {headers}.{near}\nName one of these."
TWO_MEANINGS = (
    "{source}: {option} may be the column {header} or a formula.\n"
    "Write --map {role}={typed} for the column, --map {role}={formula} for the formula."
)
SEVERAL = "{source}: {headers} are all called {name}; give one by its full name"
NEAR = " Nearest: {names}."
EXAMPLES = {"loss": "1 - acc", "tokens": "steps * batch_size * seq_len"}
OPERATORS = "+-*/()`^×·÷−"


@dataclass(frozen=True)
class Computed:
    """A column made by a formula.   columns: name in the formula → header."""

    formula: Formula
    columns: Mapping[str, str]

    @property
    def text(self) -> str:
        """The formula on one line; the column's header."""
        return self.formula.text

    def numbers(self, read: Callable[[str], Numbers]) -> Numbers:
        """Return the column (n,); a row without a number in a source has the worst of their kinds.

        Where every source is a number and the result is none, the value is NaN and its kind NUMBER: see `undefined`.
        """
        cells = {name: read(header) for name, header in self.columns.items()}
        kind = np.max([one.kind for one in cells.values()], axis=0)
        with np.errstate(all="ignore"):
            named = {name: one.values for name, one in cells.items()}
            values = value_of(self.formula, self.formula.expression.tree, named, NUMPY)
        is_number = (kind == Kind.NUMBER) & np.isfinite(values)
        return Numbers(np.where(is_number, values, np.nan), kind, np.zeros(kind.size, dtype=bool))


def undefined(numbers: Numbers) -> np.ndarray:
    """Return (n,) bool: the rows for which a formula gives no finite number although its sources are numbers."""
    return (numbers.kind == Kind.NUMBER) & np.isnan(numbers.values)


def add_derived(columns: dict[str, np.ndarray]) -> tuple[str, ...]:
    """Add the sizes (n,) that two others decide, in float64, and return their roles: none, one, or one and the ratio.

    A row without one of the two stays NaN.   Not checked: `check_derived` does.
    """
    known = set(columns)
    for role, sources in SOURCES.items():
        if known.issuperset(sources):
            known.add(role)
    derived = tuple(role for role in FORMULAS if role in known and role not in columns)
    for role in derived:
        columns[role] = decided({name: columns[name] for name in SOURCES[role]})[role]
    return derived


def check_derived(derived: Iterable[str], columns: Mapping[str, np.ndarray], *, row: np.ndarray, source: str) -> None:
    """Raise RunsError where a derived size (n,) leaves the range of float64 although those it is made of are finite.

    row: (n,), for messages.   A ratio is not refused here, since few laws take it: one that does refuses it.
    """
    for role in derived:
        if role != "tokens_per_param":
            _check_range(role, columns, row, source)


def recorded(roles: Iterable[str]) -> dict[str, str]:
    """Return role → formula for a table's record, without the ratio, which is no role of a table."""
    return {role: FORMULAS[role] for role in roles if role != "tokens_per_param"}


def meant_by(role: str, text: str, headers: Sequence[str], source: str) -> str | Computed:
    """Return the header or the formula that a text denotes for a role; an exact header takes precedence.

    A header in other dress goes before a formula that cannot be read.   Raises RunsError for a text that names no
    column or means two things, UsageError, with a caret, for a formula that cannot be read.
    """
    if text in headers:
        return text
    header = named(headers, text, source)
    if role == GROUP or not set(OPERATORS) & set(text):
        if header is None:
            raise RunsError(_nothing(role, text, headers, source))
        return header
    try:
        made = _computed(role, text, headers, source)
    except UsageError as error:
        if header is not None:
            return header
        if get_close_matches(normalised(text), [normalised(one) for one in headers], n=1, cutoff=0.8):
            raise RunsError(_nothing(role, text, headers, source)) from error
        raise
    if isinstance(made, Computed) and header is not None:
        told = {"header": shown(header), "typed": typed(header), "formula": typed(f"({made.text})")}
        raise RunsError(TWO_MEANINGS.format(source=source, option=_option(role, text), role=role, **told))
    return made


def named(headers: Sequence[str], name: str, source: str) -> str | None:
    """Return the header of that name: exact, normalised, or behind the prefix of a tracker; None without one."""
    if name in headers:
        return name
    found = headers_named(name, headers)
    if len(found) > 1:
        raise RunsError(SEVERAL.format(source=source, headers=shown_all(found), name=shown(name)))
    return found[0] if found else None


def near(names: Sequence[str], headers: Sequence[str]) -> str:
    """Return the sentence that names the headers near to some names; nothing where none is."""
    by_name = {normalised(bare_names(header)[-1]): header for header in reversed(headers)}
    by_name |= {normalised(header): header for header in headers}
    close = [by_name[hit] for name in names for hit in get_close_matches(normalised(name), by_name, n=2, cutoff=0.7)]
    close += [header for header in headers if any(name in normalised(header) for name in names)]
    close = list(dict.fromkeys(close))
    return NEAR.format(names=shown_all(close[:4])) if close else ""


def shown_all(headers: Sequence[str]) -> str:
    """Return headers as a message lists them."""
    return listed([shown(header) for header in headers], limit=12)


def _check_range(role: str, columns: Mapping[str, np.ndarray], row: np.ndarray, source: str) -> None:
    first, second = (columns[name] for name in SOURCES[role])
    has_left_range = ~np.isfinite(columns[role]) | ((columns[role] == 0) & (first != 0) & (second != 0))
    wrong = row[np.isfinite(first) & np.isfinite(second) & has_left_range]
    if wrong.size:
        told = {
            "formula": FORMULAS[role],
            "rows": "row " + listed(wrong.tolist()),
            "sources": " and ".join(SOURCES[role]),
        }
        raise RunsError(NOT_FINITE.format(source=source, role=role, **told))


def _computed(role: str, text: str, headers: Sequence[str], source: str) -> str | Computed:
    """Return the formula, with the column of each name; the column where it is nothing but one in backquotes."""
    example = EXAMPLES.get(role, EXAMPLES["tokens"])
    formula = formula_of(text, (), option=f"--map {role}", target=role, example=example)
    columns = {}
    for name in formula.inputs:
        header = named(headers, name, source) or _by_role(headers, name)
        if header is None:
            known = [escaped(one[:40]) for one in headers[:12]]
            formula.check_input_name(name, unknown("column", escaped(name), known))
        else:
            columns[name] = header
    if formula.text == f"`{formula.inputs[0]}`":
        return columns[formula.inputs[0]]
    return Computed(formula, columns)


def _by_role(headers: Sequence[str], name: str) -> str | None:
    """Return the one header with the role of a name, as `N` for params."""
    role = role_of(name)
    matches = [header for header in headers if role is not None and role_of(known_name(header) or "") == role]
    return matches[0] if len(matches) == 1 else None


def _nothing(role: str, text: str, headers: Sequence[str], source: str) -> str:
    told = {"headers": shown_all(headers), "near": near([text], headers)}
    return MAPPED_TO_NOTHING.format(source=source, option=_option(role, text), **told)


def _option(role: str, text: str) -> str:
    return f"--group {shown(text)}" if role == GROUP else f"--map {role}={shown(text)}"

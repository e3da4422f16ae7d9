"""Columns that a formula makes of others: --map loss="1 - acc"."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from jaxscale.expressions.formula import Arithmetic, Formula, value_of
from jaxscale.runs.numbers import Kind, Numbers

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

"""The functions that a formula may call, by name, and how many arguments they take."""

from __future__ import annotations

from types import MappingProxyType

ONE = ("exp", "log", "log10", "log1p", "expm1", "sqrt", "abs", "tanh", "sigmoid", "softplus")
TWO = ("pow", "logaddexp")
TWO_OR_MORE = ("min", "max", "minimum", "maximum")

ARITIES = MappingProxyType({**dict.fromkeys(ONE, 1), **dict.fromkeys((*TWO, *TWO_OR_MORE), 2)})
"""Name → the least number of arguments; only those of `TWO_OR_MORE` take more."""
FUNCTIONS = ", ".join(ARITIES)

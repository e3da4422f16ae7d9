"""Functions of plain numbers that answer outside their domain as those of arrays do: with NaN or infinity."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
T = TypeVar("T")


def as_arrays(function: Callable[P, T]) -> Callable[P, T]:
    """Return the function with Python's numbers and lists taken as NumPy's: no complex roots, and x/0 is infinite."""

    def taken(value: object) -> object:
        if isinstance(value, list):
            return np.asarray(value, dtype=np.float64)
        return np.float64(value) if isinstance(value, int | float) and not isinstance(value, bool) else value

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        with np.errstate(all="ignore"):
            return function(*map(taken, args), **{name: taken(value) for name, value in kwargs.items()})  # type: ignore

    return called

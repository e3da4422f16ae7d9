"""Numbers as a person gives them: whole ones, lists and arrays of any kind, taken as NumPy's float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
T = TypeVar("T")


def in_float64(argument: object) -> object:
    """Return an argument with its numbers in float64, where 10**24 fits and no product of counts overflows.

    Numbers and arrays of NumPy, lists and tuples of numbers, and what a mapping holds; anything else is left alone.
    """
    if isinstance(argument, Mapping):
        return {name: in_float64(value) for name, value in argument.items()}
    if isinstance(argument, bool | str) or hasattr(argument, "_fields"):
        return argument
    if not isinstance(argument, int | float | list | tuple | np.ndarray | np.generic):
        return argument
    given = np.asarray(argument)
    if given.dtype.kind not in "iufO":
        return argument
    try:
        return given.astype(np.float64)[()]
    except (TypeError, ValueError):  # objects that are no numbers, such as arrays of JAX
        return argument


def as_arrays(function: Callable[P, T]) -> Callable[P, T]:
    """Return the function with numbers taken as NumPy's, which know no complex roots and divide by zero."""

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        plain, named = [in_float64(one) for one in args], {name: in_float64(one) for name, one in kwargs.items()}
        with np.errstate(all="ignore"):
            return function(*plain, **named)  # type: ignore

    return called

"""What the closed forms take: numbers or arrays, of NumPy or JAX, and coefs of a law or the name of a published set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from types import ModuleType
from typing import ParamSpec, TypeAlias, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.laws import LAWS
from jaxscale.precision import as_arrays

P = ParamSpec("P")
T = TypeVar("T")
Number: TypeAlias = float | np.ndarray | jax.Array
"""A number or an array. The answer is of the same kind and in the same precision, and JAX's derivatives pass."""

Coefs: TypeAlias = Mapping[str, Number] | str
"""The coefs of a law, name → number or array, or the name of one of its published sets."""


def values_of(law: str, coefs: Coefs) -> tuple[Number, ...]:
    """Return coefs in the order of the law of that name, NaN where they are not positive, as all of these laws' are.

    Raises UsageError for missing or unknown names.
    """
    found = LAWS.resolve(law)
    given: Mapping[str, Number] = {**found.constants(coefs)} if isinstance(coefs, str) else coefs
    found.check_names(given)
    return tuple(_of_support(given[name]) for name in found.names)


def of_counts(function: Callable[P, T]) -> Callable[P, T]:
    """Return a closed form as `as_arrays` does, without a value, NaN, where an argument by name is negative.

    Every number that a closed form takes by name counts something. At zero it has the limit there.
    """

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        numbers = (int, float, np.ndarray, np.generic, jax.Array)
        taken = {name: _counted(one) if isinstance(one, numbers) else one for name, one in kwargs.items()}  # type: ignore
        return function(*args, **taken)  # type: ignore

    return as_arrays(called)


def module_of(*values: Number) -> ModuleType:
    """Return jax.numpy where one of the values is JAX's, traced or not, else numpy."""
    return jnp if any(isinstance(value, jax.Array) for value in values) else np


def closing(gap: Number, exponent: Number) -> Number:
    """Return gap^(-1/exponent), infinite where the gap is zero or less, as no effort closes it; NaN of NaN."""
    numpy = module_of(gap, exponent)
    width = numpy.asarray(gap)
    is_open = width > 0
    effort = numpy.where(is_open, numpy.where(is_open, width, 1.0) ** (-1.0 / exponent), numpy.inf)
    found: Number = numpy.where(numpy.isnan(width) | numpy.isnan(exponent), numpy.nan, effort)[()]
    return found


def _counted(value: Number) -> Number:
    """Return numbers (…), NaN where they are negative."""
    numpy = module_of(value)
    found: Number = numpy.where(numpy.asarray(value) >= 0, value, numpy.nan)[()]
    return found


def _of_support(value: Number) -> Number:
    """Return coefs (…), NaN where they are not positive."""
    numpy = module_of(value)
    found: Number = numpy.where(numpy.asarray(value) > 0, value, numpy.nan)[()]
    return found

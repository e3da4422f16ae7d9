"""What the closed forms take: numbers or arrays, of NumPy or JAX, and coefs of a law or the name of a published set."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.laws import LAWS

Number: TypeAlias = float | np.ndarray | jax.Array
"""A number or an array. The answer is of the same kind and in the same precision, and JAX's derivatives pass."""

Coefs: TypeAlias = Mapping[str, Number] | str
"""The coefs of a law, name → number or array, or the name of one of its published sets."""


def values_of(law: str, coefs: Coefs) -> tuple[Number, ...]:
    """Return coefs in the order of the law of that name; raise UsageError for missing or unknown names."""
    found = LAWS.resolve(law)
    given: Mapping[str, Number] = {**found.constants(coefs)} if isinstance(coefs, str) else coefs
    found.check_names(given)
    return tuple(given[name] for name in found.names)


def module_of(*values: Number) -> ModuleType:
    """Return jax.numpy where one of the values is JAX's, traced or not, else numpy."""
    return jnp if any(isinstance(value, jax.Array) for value in values) else np


def closing(gap: Number, exponent: Number) -> Number:
    """Return gap^(-1/exponent), and infinity where the gap is not positive: no effort closes it."""
    numpy = module_of(gap, exponent)
    is_open = numpy.asarray(gap) > 0
    effort: Number = numpy.where(is_open, numpy.where(is_open, gap, 1.0) ** (-1.0 / exponent), numpy.inf)[()]
    return effort

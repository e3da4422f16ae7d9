"""Functions of JAX for NumPy arrays: each compiled whole for a few shapes.

Evaluated operation by operation, every operation is compiled for itself and for every shape, some 20 ms each.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import jax
import numpy as np
from numpy.typing import ArrayLike

from jaxscale import precision
from jaxscale.numerics.rho import Rho

Tree: TypeAlias = Any
"""A pytree of arrays."""
KEPT = 64
"""Compiled functions kept for the process."""
LENGTHS = (4096, 16384)
"""Lengths of residuals, while a longer one costs less than compiling for another."""
STEPS = 128
"""Length from which shared lengths are an eighth of a power of two apart."""


def hosted(function: Callable[..., Tree], *arguments: Tree) -> Tree:
    """Return function(*arguments) as NumPy arrays, compiled once for a function and the shapes of its arguments.

    function: hashable, and the same object from call to call.   arguments: pytrees of NumPy arrays; those of a
    `shared_length` keep the shapes few.
    """
    with precision.float64():
        return jax.tree.map(np.asarray, _compiled(function)(*arguments))


def rho_of(rho: Callable[[jax.Array, jax.Array], Rho], residual: ArrayLike, scale: ArrayLike) -> Rho:
    """Return a rho function with its derivatives at residuals of any shape, as NumPy arrays of that shape.

    scale: a number, or numbers that broadcast against the residuals.
    """
    given, at = np.broadcast_arrays(np.asarray(residual, dtype=np.float64), np.asarray(scale, dtype=np.float64))
    length = next((one for one in LENGTHS if one >= given.size), shared_length(given.size))
    found = hosted(rho, *(np.pad(one.reshape(-1), (0, length - one.size)) for one in (given, at)))
    return Rho(*(part[: given.size].reshape(given.shape) for part in found))


def shared_length(count: int) -> int:
    """Return the smallest shared length that holds count entries: powers of two, then eighths of one.

    Two at least: XLA drops an axis of length one, and what it makes of the rest rounds otherwise.
    """
    power = 1 << max(count - 1, 1).bit_length()
    step = power // 16 if power > STEPS else power
    return -(-count // step) * step if count else 0


def extended(array: np.ndarray, length: int, axis: int = 0) -> np.ndarray:
    """Return the array with its last entry along an axis, of which there is one, repeated up to a length."""
    missing = length - array.shape[axis]
    return np.concatenate([array, np.repeat(array.take([-1], axis), missing, axis)], axis) if missing else array


@lru_cache(maxsize=KEPT)
def _compiled(function: Callable[..., Tree]) -> Callable[..., Tree]:
    return jax.jit(function)

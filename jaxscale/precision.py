"""Precision: the float64 scope, which alone sets JAX's switch for 64-bit numbers, and arguments taken as float64.

JAX is imported by the functions that need it: `as_arrays` serves closed forms that NumPy alone computes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np

from jaxscale import forks

P = ParamSpec("P")
T = TypeVar("T")
IS_INSIDE = ContextVar("is_inside", default=False)
"""Whether a function of `plainly` is at work: it decides the precision for those that it calls."""


@contextmanager
def float64() -> Iterator[None]:
    """Compute in float64 inside this scope and in this thread, whatever the caller's JAX settings are.

    The caller's NaN checks, promotion rules and matmul precision are set aside inside the scope: a lane that
    fails is a status here, not an exception, and the answer must not depend on who asks. Only NumPy arrays
    may leave: a float64 `jax.Array` decays to float32 op by op outside.   Raises UsageError where JAX would wait for
    ever: in a process that was forked from one in which it had computed.
    """
    import jax

    forks.check_fork()
    with ExitStack() as scopes:
        scopes.enter_context(jax.enable_x64(True))
        scopes.enter_context(jax.debug_nans(False))
        scopes.enter_context(jax.debug_infs(False))
        scopes.enter_context(jax.numpy_dtype_promotion("standard"))
        scopes.enter_context(jax.numpy_rank_promotion("allow"))
        scopes.enter_context(jax.default_matmul_precision("highest"))
        scopes.enter_context(jax.threefry_partitionable(True))
        scopes.enter_context(jax.transfer_guard("allow"))
        yield


@contextmanager
def float32() -> Iterator[None]:
    """Trace without 64-bit numbers inside this scope, where Python's own numbers would otherwise enter as float64.

    For programs of a chip that has none.
    """
    import jax

    with jax.enable_x64(False):
        yield


def plainly(function: Callable[P, T]) -> Callable[P, T]:
    """Return the function for plain numbers as well: of those alone it computes in float64, and gives NumPy's.

    Plain are Python's numbers, lists of them and arrays of NumPy, whatever their type.

    With a JAX array among its arguments, traced or not, it is the function itself, in the caller's precision; so it is
    where another such function calls it.
    """

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        import jax

        if IS_INSIDE.get() or any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves((args, kwargs))):
            with _inside():
                return function(*args, **kwargs)
        plain, named = [in_float64(one) for one in args], {name: in_float64(one) for name, one in kwargs.items()}
        with float64(), _inside():
            found: T = jax.tree.map(lambda leaf: np.asarray(leaf)[()], function(*plain, **named))  # type: ignore
        return found

    return called


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


@contextmanager
def _inside() -> Iterator[None]:
    token = IS_INSIDE.set(True)
    try:
        yield
    finally:
        IS_INSIDE.reset(token)

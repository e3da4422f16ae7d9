"""The float64 scope: the one place that knows JAX's switch for 64-bit numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

import jax
import numpy as np

from jaxscale import forks
from jaxscale.plain import in_float64

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
    forks.check()
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
        if IS_INSIDE.get() or any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves((args, kwargs))):
            with _inside():
                return function(*args, **kwargs)
        plain, named = [in_float64(one) for one in args], {name: in_float64(one) for name, one in kwargs.items()}
        with float64(), _inside():
            found: T = jax.tree.map(lambda leaf: np.asarray(leaf)[()], function(*plain, **named))  # type: ignore
        return found

    return called


@contextmanager
def _inside() -> Iterator[None]:
    token = IS_INSIDE.set(True)
    try:
        yield
    finally:
        IS_INSIDE.reset(token)

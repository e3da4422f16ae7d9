"""What a function that is made at run time was made of, so that it can be named in another process."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from threading import RLock
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Function = TypeVar("Function", bound=Callable[..., Any])
ATTRIBUTE = "__made_of__"


def made_of(function: Function, *parts: object) -> Function:
    """Return a function that closes over these parts and over nothing else, marked with them."""
    setattr(function, ATTRIBUTE, parts)
    return function


def parts_of(function: object) -> tuple[object, ...] | None:
    """Return what a function was made of; None for one that does not say."""
    parts: tuple[object, ...] | None = getattr(function, ATTRIBUTE, None)
    return parts


def kept(most: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Return what keeps the last results of a function, by its arguments: the same object for every thread.

    A program is known by the functions in it. Two threads that miss one at a time would make two by `lru_cache` alone,
    and each would be compiled.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        cached: Callable[P, T] = lru_cache(maxsize=most)(function)  # type: ignore[assignment]
        lock = RLock()  # a function of groups asks for that of its core

        @wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> T:
            with lock:
                return cached(*args, **kwargs)

        return called

    return decorate

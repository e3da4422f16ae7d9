"""What a function that is made at run time was made of, so that it can be named in another process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

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

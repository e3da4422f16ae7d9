"""What a type promises of its numbers: an archive with the right digest may hold others all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.status import Status

if TYPE_CHECKING:
    from jaxscale.numerics.supports import Support


@dataclass(frozen=True)
class Promise:
    """A condition on every number, (…) → (…) bool, and the words for it: "not {words}" ends a refusal."""

    words: str
    is_kept: Callable[[np.ndarray], np.ndarray]


ANYTHING = Promise("numbers", lambda numbers: np.ones(numbers.shape, bool))
NUMBER = Promise("a number", lambda numbers: ~np.isnan(numbers))
FINITE = Promise("finite", np.isfinite)
POSITIVE = Promise("finite and above zero", lambda numbers: np.isfinite(numbers) & (numbers > 0))
NOT_NEGATIVE = Promise("finite and zero or more", lambda numbers: np.isfinite(numbers) & (numbers >= 0))
POSITIVE_IF_ANY = Promise("above zero, or NaN for none", lambda numbers: ~(numbers <= 0))
NOT_NEGATIVE_IF_ANY = Promise("zero or more, or NaN for none", lambda numbers: ~(numbers < 0))
A_ROW = Promise("a row, counted from 1", lambda numbers: numbers >= 1)
A_FLAG = Promise("0 or 1", lambda numbers: np.isin(numbers, (0, 1)))
A_STATUS = Promise(
    "the code of " + ", ".join(str(one) for one in Status),
    lambda numbers: np.isin(numbers, [int(one) for one in Status]),
)


def within(supports: tuple[Support, ...]) -> Promise:
    """Return the promise of coefs (p, …), each in its support or at an edge of it; NaN is none."""
    low, high = (np.array([getattr(one, end) for one in supports]) for end in ("low", "high"))

    def is_kept(coefs: np.ndarray) -> np.ndarray:
        axes = (slice(None), *(None,) * (coefs.ndim - 1))
        return ~((coefs < low[axes]) | (coefs > high[axes]))

    return Promise("in its support", is_kept)


def broken(numbers: np.ndarray, promise: Promise, where: ArrayLike = True) -> tuple[int, ...] | None:
    """Return the place of the first number that breaks the promise, None where all keep it.

    where: bool, (…) or what broadcasts to it: of which numbers it is asked.
    """
    places = np.argwhere(~promise.is_kept(numbers) & np.asarray(where))
    return tuple(int(index) for index in places[0]) if len(places) else None

"""What the types promise of their numbers, field by field: an archive with the right digest may hold others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from jaxscale.numerics.supports import Support
from jaxscale.provenance import Provenance
from jaxscale.results import Certificate, Count, Ensemble, Fit, Frontier, Joint
from jaxscale.runs import Runs
from jaxscale.status import Status


@dataclass(frozen=True)
class Promise:
    """A condition on every number, (…) → (…) bool, and the words for it: "not {words}" ends a refusal.

    dtypes: those that an array of such numbers may have.
    """

    words: str
    is_kept: Callable[[np.ndarray], np.ndarray]
    dtypes: tuple[type, ...] = (np.float64,)


ANYTHING = Promise("numbers", lambda numbers: np.ones(numbers.shape, bool))
NUMBER = Promise("a number", lambda numbers: ~np.isnan(numbers))
FINITE = Promise("finite", np.isfinite)
POSITIVE = Promise("finite and above zero", lambda numbers: np.isfinite(numbers) & (numbers > 0))
NOT_NEGATIVE = Promise("finite and zero or more", lambda numbers: np.isfinite(numbers) & (numbers >= 0))
POSITIVE_IF_ANY = Promise("above zero, or NaN for none", lambda numbers: ~(numbers <= 0))
NOT_NEGATIVE_IF_ANY = Promise("zero or more, or NaN for none", lambda numbers: ~(numbers < 0))
A_SHARE = Promise("between 0 and 1", lambda numbers: (numbers > 0) & (numbers < 1))
A_ROW = Promise("a row, counted from 1", lambda numbers: numbers >= 1, (np.int64,))
A_FLAG = Promise("0 or 1", lambda numbers: numbers.view(np.uint8) <= 1, (np.bool_,))
A_STATUS = Promise(
    "the code of " + ", ".join(str(one) for one in Status),
    lambda numbers: np.isin(numbers, [int(one) for one in Status]),
    (np.int8,),
)
A_TEXT = replace(ANYTHING, words="texts", dtypes=(object,))
A_COUNT = replace(NOT_NEGATIVE, dtypes=(np.int32, np.int64))

PROMISES: Mapping[type, Mapping[str, Promise]] = {
    Runs: {
        "row": A_ROW,
        "loss": FINITE,
        "weight": NOT_NEGATIVE,
        "sigma": POSITIVE,
        "columns": ANYTHING,
        "group": A_TEXT,
        "labels": A_TEXT,
    },
    Fit: {"std": NOT_NEGATIVE_IF_ANY, "residuals": ANYTHING},
    Certificate: {"scaled_gradient": NOT_NEGATIVE_IF_ANY, "condition": NOT_NEGATIVE_IF_ANY},
    Joint: {"std": NOT_NEGATIVE_IF_ANY},
    Provenance: {"compile_seconds": NOT_NEGATIVE, "run_seconds": NOT_NEGATIVE},
    Ensemble: {
        "status": A_STATUS,
        "steps": A_COUNT,
        "coefs": ANYTHING,
        "value": ANYTHING,
        "without": A_FLAG,
        "covariance": ANYTHING,
        "fitted": FINITE,
    },
    Frontier: {
        "flops": POSITIVE,
        "params": POSITIVE_IF_ANY,
        "tokens": POSITIVE_IF_ANY,
        "loss": ANYTHING,
        "measured": POSITIVE,
        "fixed": NUMBER,
    },
    Count: {"exponent": FINITE},
}
"""What holds of a field whatever the others are: of its number, or of every one in it."""


def within(support: Support) -> Promise:
    """Return the promise of a coef: in its support or at an edge of it; NaN is none."""
    return Promise("in its support", lambda coefs: ~((coefs < support.low) | (coefs > support.high)))

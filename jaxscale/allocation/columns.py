"""The one door for runs that are asked about: what each input can be, and sizes from any two of the four."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.allocation.sizes import completed
from jaxscale.allocation.splits import DECIDED
from jaxscale.laws import Law
from jaxscale.laws.checking import check_shares, input_numbers


def run_columns(law: Law, given: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
    """Return the law's inputs in its order, float64, as they were given or from two of params, tokens, flops, D/N.

    given: numbers or arrays, by name; what the law does not take and no size needs is left unused.   Raises UsageError,
    with the name, for what is no finite number, for what an input cannot be, and for an input that is lacking.
    """
    lacks_size = any(name in DECIDED and name not in given for name in law.inputs)
    used = [name for name in given if name in law.inputs or (lacks_size and name in DECIDED)]
    checked = {name: input_numbers(law, name, given[name]) for name in used}
    every = {name: np.asarray(value) for name, value in completed(law, checked).items()}
    check_shares(law, every)
    return {name: every[name] for name in law.inputs if name in every}

"""What a cost is: an amount in a unit, of the params and tokens of a training run and of inputs by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Numbers: TypeAlias = "float | np.ndarray"
"""One number, or (n,) numbers, one per network or run."""

Amounts: TypeAlias = Any
"""Numbers, or arrays of NumPy or of JAX, which is not imported here."""

SIZES = ("params", "tokens", "flops", "tokens_per_param")
"""The sizes of a run, of which any two decide the others; the ratio is D/N."""


@dataclass(frozen=True)
class Cost:
    """What training runs cost.

    Attributes
    ----------
    name
        The word that finds it.
    amount
        `amount(params, tokens, **inputs)`: elementwise, in `unit`; a pure function of numbers, or of arrays of NumPy or
        JAX.
    unit
        Of the amount.
    source
        Where it is written.
    inputs
        Names of what it takes besides params and tokens.
    defaults
        (name, value) of those that are taken so where nothing else is said.

    Examples
    --------
    >>> js.costs.COSTS.resolve("6nd").amount(1e9, 2e10)
    1.2e+20
    """

    name: str
    amount: Callable[..., Amounts]
    unit: str = "FLOP"
    source: str = ""
    inputs: tuple[str, ...] = ()
    defaults: tuple[tuple[str, float], ...] = ()

    def per_param_token(self, **inputs: Amounts) -> Amounts:
        """Return the amount of one param on one token: the price of both where the cost is in proportion to both.

        Parameters
        ----------
        **inputs
            What the cost takes besides params and tokens, by name.

        Returns
        -------
        number or array
            In `unit`, of the inputs' shape.
        """
        return self.amount(1.0, 1.0, **inputs)

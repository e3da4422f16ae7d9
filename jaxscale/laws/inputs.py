"""Inputs of laws: name, symbol, unit, documented range and the values that are valid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

SHARE = "share"
"""The unit of what lies between 0 and 1."""
ROUNDING = 1e-9
"""Tolerance of the ends of a share that is computed as one less others."""


@dataclass(frozen=True)
class Input:
    """One column that a law takes: the name it has in tables, the papers' symbol, its unit and meaning.

    low, high: the documented range, in which recovery is tried; spread evenly in logarithms where low is positive.
    Where it is positive so is every run's; what has the unit `share` lies between 0 and 1.   least: no number is below
    it, as no layer has less than one expert.   is_open: whether a share is below 1, as where nothing would be left.
    is_vector: whether a run has several, in a column (n, T).   is_composition: whether it is a share of one whole with
    the law's other inputs that are.   derived_from: the columns of a table from which it is made where no table holds
    it, as step and lr of a schedule; `jaxscale.schedules` makes it.
    """

    name: str
    symbol: str = ""
    unit: str = ""
    meaning: str = ""
    low: float = 0.0
    high: float = 100.0
    is_vector: bool = False
    least: float = 0.0
    is_open: bool = False
    is_composition: bool = False
    derived_from: tuple[str, ...] = ()

    @property
    def is_positive(self) -> bool:
        """Whether every number of it is above zero."""
        return self.low > 0 and not self.is_vector and self.unit != SHARE

    @property
    def demand(self) -> str:
        """The condition on every number of it, "must be positive"; "" without one."""
        if self.unit == SHARE:
            return "must be 0 or more and below 1" if self.is_open else "must lie between 0 and 1"
        if self.least > 0:
            return f"must be {self.least:g} or more"
        return "must be positive" if self.is_positive else ""

    def excludes(self, values: ArrayLike) -> np.ndarray:
        """Return where numbers (…) are nothing that this input can be."""
        given = np.asarray(values, dtype=np.float64)
        if self.unit == SHARE:
            return (given < -ROUNDING) | (given >= 1 if self.is_open else given > 1 + ROUNDING)
        if self.least > 0:
            return given < self.least * (1 - ROUNDING)
        return given <= 0 if self.is_positive else np.zeros(given.shape, dtype=bool)


PARAMS = Input("params", "N", "params", "size of the network", 1e7, 3e10)
TOKENS = Input("tokens", "D", "tokens", "tokens trained on", 3e8, 1e12)
FLOPS = Input("flops", "C", "FLOP", "training compute", 1e17, 1e23)
TOKENS_PER_PARAM = Input("tokens_per_param", "M", "tokens/param", "tokens per parameter, D/N", 5.0, 640.0)

INPUTS = {one.name: one for one in (PARAMS, TOKENS, FLOPS, TOKENS_PER_PARAM)}
"""The words that laws share. A law with a word, or a range, of its own declares it in its `domain`."""

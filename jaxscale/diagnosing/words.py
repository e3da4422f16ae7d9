"""Rows and changes of the answer in words, for the findings of a diagnosis."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from jaxscale.digits import scientific, significant
from jaxscale.results.diagnosis import Diagnosis, Removal
from jaxscale.text import listed, shown

RATIO = "tokens per param at {flops} FLOP is {after}, not {before}"
COEF = "{name} is {after}, not {before}"


def answer_moved(made: Diagnosis, removal: Removal) -> str:
    """Return how the answer changes: tokens per param, or the coef that changes most in relation to itself."""
    if math.isfinite(removal.tokens_per_param) and made.flops is not None:
        after, before = (significant(one.tokens_per_param, 3) for one in (removal, made))
        return RATIO.format(flops=scientific(made.flops), after=after, before=before)
    coefs = made.fit.coefs
    change = {name: abs(removal.coefs[name] - one) / (abs(one) or 1.0) for name, one in coefs.items()}
    name = max(change, key=lambda one: np.nan_to_num(change[one]))
    return COEF.format(name=name, after=significant(removal.coefs[name]), before=significant(coefs[name]))


def rows_named(rows: Sequence[int], names: Sequence[str]) -> str:
    """Return "rows 6 and 19 (run-6, run-19)", with the names where they are no numbers."""
    text = f"row{'s' * (len(rows) > 1)} {listed(list(rows))}"
    return text if list(names) == [str(row) for row in rows] else f"{text} ({listed([shown(name) for name in names])})"

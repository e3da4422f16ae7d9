"""The size of one run: which two of params, tokens, flops and their ratio decide the others, at a law's price."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from jaxscale import precision
from jaxscale.allocation.splits import DECIDED, FLOPS_PER_PARAM_TOKEN, held_inputs
from jaxscale.errors import UsageError
from jaxscale.laws import Law

TWO_DECIDE = "'{law}' takes {inputs}; missing: {missing}. Any two of {sizes} decide the others; given: {given}"


RULES: tuple[tuple[str, tuple[str, str], Callable[..., np.ndarray]], ...] = (
    ("params", ("tokens", "flops"), lambda price, tokens, flops: flops / price / tokens),
    ("params", ("tokens", "tokens_per_param"), lambda price, tokens, ratio: tokens / ratio),
    ("params", ("flops", "tokens_per_param"), lambda price, flops, ratio: np.sqrt(flops / price / ratio)),
    ("tokens", ("params", "flops"), lambda price, params, flops: flops / price / params),
    ("tokens", ("params", "tokens_per_param"), lambda price, params, ratio: params * ratio),
    ("flops", ("params", "tokens"), lambda price, params, tokens: price * params * tokens),
    ("tokens_per_param", ("params", "tokens"), lambda price, params, tokens: tokens / params),
)
"""What is made of which two others, in this order."""


def completed(law: Law, columns: Mapping[str, ArrayLike]) -> dict[str, ArrayLike]:
    """Return the columns with the sizes that the law takes and they lack, from two others, by C = 6 N D and M = D/N.

    Where a param and token costs something else under this law, C is counted so. Columns broadcast.   Raises
    UsageError where a size is lacking and not two others are there.
    """
    lacking = [name for name in law.inputs if name in DECIDED and name not in columns]
    given = [name for name in DECIDED if name in columns]
    if not lacking:
        return dict(columns)
    if len(given) != 2:
        said = {"law": law.name, "inputs": ", ".join(law.inputs), "sizes": ", ".join(DECIDED)}
        raise UsageError(TWO_DECIDE.format(**said, missing=", ".join(lacking), given=", ".join(given) or "none"))
    every = all_sizes(law, columns)
    return {**{name: value for name, value in columns.items() if name in law.inputs}, **{n: every[n] for n in lacking}}


def all_sizes(law: Law, columns: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
    """Return params, tokens, flops and tokens_per_param, from any two of them that are there; nothing from fewer.

    Nothing, too, where the price of a param and token rests on an input that is not there.
    """
    known = {name: np.asarray(columns[name], dtype=np.float64) for name in DECIDED if name in columns}
    price = _price(law, columns)
    if len(known) < 2 or price is None:
        return {}
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        for name, sources, rule in RULES:
            if name not in known and all(source in known for source in sources):
                known[name] = rule(price, *(known[source] for source in sources))
    return known


def _price(law: Law, columns: Mapping[str, ArrayLike]) -> np.ndarray | None:
    """Return FLOP per param and token under a law; None where it rests on an input that is not there."""
    if law.flops_per_param_token is None:
        return np.asarray(FLOPS_PER_PARAM_TOKEN)
    held = held_inputs(law)
    if any(name not in columns for name in held):
        return None
    with precision.float64():
        return np.asarray(law.flops_per_param_token(**{name: np.asarray(columns[name], float) for name in held}))

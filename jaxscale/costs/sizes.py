"""Any two of params, tokens, flops and tokens_per_param decide the others, at a price C = k N^u D^v."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.costs.spec import SIZES
from jaxscale.costs.training import SIX, Price

Rule = Callable[[Price, np.ndarray, np.ndarray], np.ndarray]

RULES: tuple[tuple[str, tuple[str, str], Rule], ...] = (
    ("params", ("tokens", "flops"), lambda p, tokens, flops: (flops / (p.k * tokens**p.v)) ** (1.0 / p.u)),
    ("params", ("tokens", "tokens_per_param"), lambda p, tokens, ratio: tokens / ratio),
    (
        "params",
        ("flops", "tokens_per_param"),
        lambda p, flops, ratio: (flops / (p.k * ratio**p.v)) ** (1.0 / (p.u + p.v)),
    ),
    ("tokens", ("params", "flops"), lambda p, params, flops: (flops / (p.k * params**p.u)) ** (1.0 / p.v)),
    ("tokens", ("params", "tokens_per_param"), lambda p, params, ratio: params * ratio),
    ("flops", ("params", "tokens"), lambda p, params, tokens: p.k * params**p.u * tokens**p.v),
    ("tokens_per_param", ("tokens", "params"), lambda p, tokens, params: tokens / params),
)
"""What is made of which two others, in this order."""

SOURCES = {name: next(sources for made, sources, _ in RULES if made == name) for name in SIZES}
"""The two others of which a table's column is made."""
FORMULAS = {
    "params": "flops / (6 tokens)",
    "tokens": "flops / (6 params)",
    "flops": "6 params tokens",
    "tokens_per_param": "tokens / params",
}
"""The same in words, for C = 6 N D."""


def decided(given: Mapping[str, ArrayLike], price: Price | None = SIX) -> dict[str, np.ndarray]:
    """Return the sizes that are given, and those that any two of them decide, float64; columns broadcast.

    price: None where it is not known; what rests on it is then absent.   Overflow and division by zero are not checked.
    """
    known = {name: np.asarray(given[name], dtype=np.float64) for name in SIZES if name in given}
    for name, sources, rule in RULES:
        is_priced = name == "flops" or "flops" in sources
        if name not in known and all(source in known for source in sources) and not (is_priced and price is None):
            with np.errstate(all="ignore"):
                known[name] = rule(price or SIX, *(known[source] for source in sources))
    return known

"""The size of one run: which two of params, tokens, flops and their ratio decide the others, at a law's price."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from jaxscale import precision
from jaxscale.allocation.splits import DECIDED, FLOPS_PER_PARAM_TOKEN, fixed_inputs
from jaxscale.errors import UsageError
from jaxscale.laws import Law
from jaxscale.runs import Runs

NO_PRICE = "what a param and a token cost under '{law}' depends on {fixed}: give {fixed} too"
TWO_DECIDE = "'{law}' takes {inputs}; missing: {missing}. Any two of {sizes} decide the others; given: {given}"


RULES: tuple[tuple[str, tuple[str, str], Callable[..., Any]], ...] = (
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
    """Return what the law takes of the columns, with the sizes that they lack, from two others: C = 6 N D, M = D/N.

    Where a param and token costs something else under this law, C is counted so. Columns broadcast.   Raises
    UsageError where a size is lacking and not two others are there, or not what decides that price.
    """
    lacking = [name for name in law.inputs if name in DECIDED and name not in columns]
    given = [name for name in DECIDED if name in columns]
    taken = {name: value for name, value in columns.items() if name in law.inputs}
    if not lacking:
        return taken
    if len(given) != 2:
        said = {"law": law.name, "inputs": ", ".join(law.inputs), "sizes": ", ".join(DECIDED)}
        raise UsageError(TWO_DECIDE.format(**said, missing=", ".join(lacking), given=", ".join(given) or "none"))
    every = all_sizes(law, columns)
    if any(name not in every for name in lacking):
        raise UsageError(NO_PRICE.format(law=law.name, fixed=", ".join(fixed_inputs(law))))
    return {**taken, **{name: every[name] for name in lacking}}


def all_sizes(law: Law, columns: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
    """Return params, tokens, flops and tokens_per_param: those that are there, and what any two of them decide.

    What rests on the price of a param and a token is absent where an input that decides that price is not there.
    """
    known = {name: np.asarray(columns[name], dtype=np.float64) for name in DECIDED if name in columns}
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        price = _price(law, columns)
        for name, sources, rule in RULES:
            is_priced = name == "flops" or "flops" in sources
            if name not in known and all(source in known for source in sources) and not (is_priced and price is None):
                known[name] = rule(price, *(known[source] for source in sources))
    return known


def priced(law: Law, runs: Runs) -> Runs:
    """Return the runs with their flops counted as the budgets of the law's frontier are, C = 6 N D or its own price.

    As they are where the law takes flops themselves, or where the runs lack what decides the price.
    """
    if "flops" in law.inputs:
        return runs
    flops = all_sizes(law, {name: column for name, column in runs.columns.items() if name != "flops"}).get("flops")
    return runs if flops is None else replace(runs, columns={**runs.columns, "flops": flops})


def measured_flops(law: Law, runs: Runs) -> tuple[float, float] | None:
    """Return the smallest and largest compute of runs that count, as budgets are counted; None where none is known."""
    flops = priced(law, runs).columns.get("flops")
    if flops is None or flops.ndim != 1:
        return None
    known = flops[np.isfinite(flops) & (flops > 0) & (runs.weight > 0)]
    return (float(known.min()), float(known.max())) if known.size else None


def _price(law: Law, columns: Mapping[str, ArrayLike]) -> np.ndarray | None:
    """Return FLOP per param and token under a law; None where it rests on an input that is not there."""
    if law.flops_per_param_token is None:
        return np.asarray(FLOPS_PER_PARAM_TOKEN)
    fixed = fixed_inputs(law)
    if any(name not in columns for name in fixed):
        return None
    with precision.float64():
        return np.asarray(law.flops_per_param_token(**{name: jnp.asarray(columns[name], float) for name in fixed}))

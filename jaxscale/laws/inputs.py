"""What laws take of a run: each input with its symbol, its unit and the range in which laws are tried."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Input:
    """One column that a law takes: the name it has in tables, the papers' symbol, its unit and meaning.

    low, high: the documented range, in which recovery is tried; spread evenly in logarithms where low is positive.
    is_vector: whether a run has several, in a column (n, T).   made_from: the columns of a table from which it is made
    where no table holds it, as step and lr of a schedule; `jaxscale.schedules` makes it.
    """

    name: str
    symbol: str = ""
    unit: str = ""
    meaning: str = ""
    low: float = 1.0
    high: float = 100.0
    is_vector: bool = False
    made_from: tuple[str, ...] = ()


PARAMS = Input("params", "N", "params", "size of the network", 1e7, 3e10)
TOKENS = Input("tokens", "D", "tokens", "tokens trained on", 3e8, 1e12)
FLOPS = Input("flops", "C", "FLOP", "training compute", 1e17, 1e23)
STEPS = Input("steps", "S", "steps", "optimiser steps", 1e3, 3e5)
TOKENS_PER_PARAM = Input("tokens_per_param", "M", "tokens/param", "tokens per parameter, D/N", 5.0, 640.0)

INPUTS = {one.name: one for one in (PARAMS, TOKENS, FLOPS, STEPS, TOKENS_PER_PARAM)}
"""The words that laws share. A law with a word, or a range, of its own declares it in its `domain`."""

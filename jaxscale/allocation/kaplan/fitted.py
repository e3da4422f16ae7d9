"""Kaplan's fitted frontier, table 6, with each of its ambiguities as an argument that has to be given."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias, TypeVar

from jaxscale.allocation.kaplan.numbers import Number, of_counts
from jaxscale.counting.units import PF_DAY
from jaxscale.errors import UsageError
from jaxscale.registry import unknown

Compute: TypeAlias = Literal["C", "C_min"]
"""C is compute spent at the critical batch, twice C_min, that of a batch far below it."""

Tokens: TypeAlias = Literal["table 6", "equation 6.7", "batch times steps"]
"""2e10 C_min^0.27; 4e10 C_min^0.26; B S_min of table 6, about half of its tokens: they are those of 2 C_min."""

COSTS: dict[Compute, float] = {"C": 2.0, "C_min": 1.0}
"""What flops are to C_min.   Source: Kaplan et al. 2020, eq. 5.5 at B = B_crit."""


class PowerRule(NamedTuple):
    """prefactor · x^exponent."""

    prefactor: Number
    exponent: Number


TABLE_6 = {
    "params": PowerRule(1.3e9, 0.73),
    "batch": PowerRule(2.0e6, 0.24),
    "steps_min": PowerRule(5.4e3, 0.03),
    "tokens": PowerRule(2e10, 0.27),
}
"""Of C_min in PF-days.   Source: Kaplan et al. 2020, arXiv 2001.08361, table 6."""

EQUATION_6_7 = PowerRule(4e10, 0.26)
"""Tokens, of C_min in PF-days.   Source: Kaplan et al. 2020, arXiv 2001.08361, eq. 6.7."""


class FittedOptimum(NamedTuple):
    """C_min in FLOP, params, critical batch in tokens, the lower bound on steps, and tokens."""

    flops_min: Number
    params: Number
    batch: Number
    steps_min: Number
    tokens: Number


T = TypeVar("T", bound=str)


@of_counts
def fitted_optimum(*, flops: Number, flops_are: Compute, tokens_from: Tokens) -> FittedOptimum:
    """Return what table 6 calls optimal for a budget.

    flops: FLOP, which are C or C_min, as `flops_are` says.   tokens_from: which of three statements of the paper gives
    the tokens; they differ by factors of two and four.   Raises UsageError for other words.
    """
    flops_min = flops / COSTS[_known("flops_are =", flops_are, tuple(COSTS))]
    days = flops_min / PF_DAY
    rules = (TABLE_6["params"], TABLE_6["batch"], TABLE_6["steps_min"], tokens_rule(tokens_from))
    return FittedOptimum(flops_min, *(rule.prefactor * days**rule.exponent for rule in rules))


def tokens_rule(tokens_from: Tokens) -> PowerRule:
    """Return tokens as a power of C_min in PF-days; raise UsageError for a word that is no statement of the paper."""
    batch, steps = TABLE_6["batch"], TABLE_6["steps_min"]
    known: dict[Tokens, PowerRule] = {
        "table 6": TABLE_6["tokens"],
        "equation 6.7": EQUATION_6_7,
        "batch times steps": PowerRule(batch.prefactor * steps.prefactor, batch.exponent + steps.exponent),
    }
    return known[_known("tokens_from =", tokens_from, tuple(known))]


def _known(kind: str, word: T, words: tuple[T, ...]) -> T:
    if word not in words:
        raise UsageError(unknown(kind, str(word), words))
    return word

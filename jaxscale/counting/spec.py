"""What a convention of counting is: a formula with its source, the columns it needs, and what it makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from jaxscale.costs.sizes import FORMULAS, SOURCES, decided
from jaxscale.costs.training import training_flops

Counted: TypeAlias = Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]
"""From the needed columns (n,) by word to the columns (n,) that the convention puts in place of a table's own."""


@dataclass(frozen=True)
class Convention:
    """A way to count compute or size.

    formula: in the symbols of its source; C is training FLOP, N params, D tokens, l layers, d width, s context.
    needs: words of `counting.columns`.   derived: role → what takes its place, in those words, as pairs.   counted:
    makes those columns; None for a count that is none of a training run, as of inference.   tag: how well the formula
    is verified, as of `laws.Published`.   note: what misleads.
    """

    name: str
    formula: str
    source: str
    needs: tuple[str, ...] = ()
    derived: tuple[tuple[str, str], ...] = ()
    counted: Counted | None = None
    tag: str = "paper"
    note: str = ""


def by_six(name: str, formula: str, role: str, source: str) -> Convention:
    """Return the convention that makes one of params, tokens and flops of the two others, by C = 6 N D."""

    def counted(columns: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        return {role: decided({one: columns[one] for one in SOURCES[role]})[role]}

    return Convention(name, formula, source, SOURCES[role], ((role, FORMULAS[role]),), counted)


def by_size(
    name: str,
    size: Callable[[Mapping[str, np.ndarray]], np.ndarray],
    *,
    formula: str,
    words: str,
    source: str,
    needs: tuple[str, ...],
    tag: str = "paper",
    note: str = "",
) -> Convention:
    """Return a convention whose params are its training FLOP per token over 6, so that C = 6 N D holds in it.

    size: from the needed columns to these params (n,).   words: the same in words.   Tokens stay as they are.
    Source: Porian et al. 2024, arXiv 2406.19146, who fit in this size.
    """

    def counted(columns: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        params = size(columns)
        return {"params": params, "flops": np.asarray(training_flops(params, columns["tokens"]))}

    derived = (("params", words), ("flops", FORMULAS["flops"]))
    return Convention(name, formula, source, (*needs, "tokens"), derived, counted, tag, note)

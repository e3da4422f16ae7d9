"""Conventions of counting: a formula, the columns that it needs, what it makes of them; those of a size alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from jaxscale.costs.spec import Numbers
from jaxscale.costs.training import FLOPS_PER_PARAM_TOKEN, FORMULAS, KAPLAN, SOURCES, decided, training_flops
from jaxscale.counting.architecture import Architecture, attention_size

Counted: TypeAlias = Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]
"""From the needed columns (n,) by word to the columns (n,) that the convention puts in place of a table's own."""

TABLE_1 = "Kaplan et al. 2020, arXiv 2001.08361, table 1"
HOFFMANN = "Hoffmann et al. 2022, arXiv 2203.15556"
PORIAN = "Porian et al. 2024, arXiv 2406.19146"
FULL_BITS = 16.0
"""Bits of the numbers that a FLOP is counted in where nothing is said."""


@dataclass(frozen=True)
class Convention:
    """A way to count compute or size.

    formula: in the symbols of its source; C is training FLOP, N params, D tokens, l layers, d width, s context.
    needs: words of `counting.architecture`.   derived: role → what takes its place, in those words, as pairs.
    counted: makes those columns; None for a count that is none of a training run, as of inference.   tag: how well the
    formula is verified, as of `laws.Published`.   note: what misleads.
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


def inference_flops(params: Numbers, tokens: Numbers = 1.0) -> Numbers:
    """Return 2 N per token (convention `inference`), FLOP of the forward pass.   Source: as of 6 N D."""
    return 2.0 * params * tokens


def precision_flops(params: Numbers, tokens: Numbers, *, bits: Numbers) -> Numbers:
    """Return C = (6/16) N D P (convention `precision`), FLOP worth of 16 bits where numbers have P bits.

    Source: Kumar et al. 2024, arXiv 2411.04330 (second-hand).
    """
    return FLOPS_PER_PARAM_TOKEN / FULL_BITS * params * tokens * bits


def layer_params(layers: Numbers, width: Numbers) -> Numbers:
    """Return N = 12 l d^2 (convention `nonembedding`), params of layers with kH = d and d_ff = 4 d.

    Source: Kaplan et al. 2020, table 1.
    """
    return 12.0 * layers * width**2


def expert_flops(active_params: Numbers, tokens: Numbers, *, routing: Numbers = 0.0) -> Numbers:
    """Return C = (6 N_act + routing) D (convention `active`), training FLOP.

    routing: FLOP per token, as of `routing_flops_per_token`.   Source: Krajewski et al. 2024, arXiv 2402.07871
    (second-hand).
    """
    return (FLOPS_PER_PARAM_TOKEN * active_params + routing) * tokens


def routing_flops_per_token(
    architecture: Architecture, *, granularity: Numbers = 1.0, flops_per_route: Numbers
) -> Numbers:
    """Return l d E G c_r, training FLOP per token of a router over E G experts in every layer.

    granularity: G = d_ff / d_expert.   flops_per_route: c_r, FLOP per weight of the router; no value of it is verified
    here, so that it has no default.   Source: Krajewski et al. 2024, arXiv 2402.07871 (second-hand).
    """
    network = architecture
    return network.layers * network.width * network.experts * granularity * flops_per_route


def omega_of(vocabulary: Numbers, *, aspect: Numbers, positions: Numbers = 0.0) -> Numbers:
    """Return ω = (V + positions) (aspect / 12)^(1/3), for aspect = d / l held fixed and N_ne = 12 l d^2.

    It is the `omega` of the law 'pearce': `jaxscale.laws.embeddings` maps to all parameters and back.

    positions: rows of a learnt position embedding.
    """
    return (vocabulary + positions) * (aspect / 12.0) ** (1.0 / 3.0)


MEASURED = Convention("measured", "N, D and C as the table has them", "the table itself", counted=lambda columns: {})
SIX = by_six("6nd", "C = 6 N D", "flops", KAPLAN)
MEASURED_TOKENS = by_six("measured-tokens", "D = C / (6 N)", "tokens", KAPLAN)
MEASURED_PARAMS = by_six("measured-params", "N = C / (6 D)", "params", PORIAN + ": FLOP per token over 6")
INFERENCE = Convention("inference", "2 N per token", KAPLAN)
PRECISION = Convention("precision", "C = 6/16 N D P", "Kumar et al. 2024, arXiv 2411.04330", tag="second-hand")
TOTAL = by_size(
    "total",
    lambda columns: columns["total"],
    formula="C = 6 N D, N with embedding and head",
    words="total",
    source=HOFFMANN,
    needs=("total",),
)
NONEMBEDDING = by_size(
    "nonembedding",
    lambda columns: columns["nonembedding"],
    formula="C = 6 N_ne D, N_ne = 12 l d^2",
    words="nonembedding",
    source=TABLE_1,
    needs=("nonembedding",),
    note="at small sizes this count alone moves the exponent of N (Pearce & Song 2024)",
)
WITH_HEAD = by_size(
    "nonembedding+head",
    lambda columns: columns["nonembedding"] + columns["vocabulary"] * columns["width"],
    formula="C = 6 (N_ne + V d) D",
    words="nonembedding + vocabulary width",
    source=PORIAN,
    needs=("nonembedding", "vocabulary", "width"),
)
WITH_ATTENTION = by_size(
    "attention",
    lambda columns: columns["nonembedding"] + columns["vocabulary"] * columns["width"] + attention_size(columns),
    formula="C = 6 (N_ne + V d + l s d) D",
    words="nonembedding + vocabulary width + layers context width",
    source=PORIAN,
    needs=("nonembedding", "vocabulary", "layers", "width", "context"),
    tag="refit",
)
ACTIVE = by_size(
    "active",
    lambda columns: columns["active"],
    formula="C = 6 N_act D",
    words="active",
    source="as of 6 N D, over the params that a token passes",
    needs=("active",),
    tag="second-hand",
    note="routing is not counted: see expert_flops",
)

CONVENTIONS = (
    *(MEASURED, SIX, MEASURED_TOKENS, MEASURED_PARAMS, INFERENCE, PRECISION),
    *(TOTAL, NONEMBEDDING, WITH_HEAD, WITH_ATTENTION, ACTIVE),
)

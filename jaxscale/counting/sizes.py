"""What counts as a parameter: all of them, none of the embedding, the head besides, or those that a token passes."""

from __future__ import annotations

from jaxscale.costs.spec import Numbers
from jaxscale.counting.columns import attention_size
from jaxscale.counting.spec import by_size

KAPLAN = "Kaplan et al. 2020, arXiv 2001.08361, table 1"
HOFFMANN = "Hoffmann et al. 2022, arXiv 2203.15556"
PORIAN = "Porian et al. 2024, arXiv 2406.19146"


def layer_params(layers: Numbers, width: Numbers) -> Numbers:
    """Return N = 12 l d^2 (convention `nonembedding`), params of layers with kH = d and d_ff = 4 d.

    Source: Kaplan et al. 2020, table 1.
    """
    return 12.0 * layers * width**2


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
    source=KAPLAN,
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

CONVENTIONS = (TOTAL, NONEMBEDDING, WITH_HEAD, WITH_ATTENTION, ACTIVE)

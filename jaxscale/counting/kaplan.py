"""Kaplan's count: what the layers cost by their params, and attention over the context besides."""

from __future__ import annotations

from jaxscale.costs.spec import Numbers
from jaxscale.counting.architecture import Architecture
from jaxscale.counting.columns import attention_size
from jaxscale.counting.spec import by_size

SOURCE = "Kaplan et al. 2020, arXiv 2001.08361, table 1 and §2.1"


def kaplan_forward(architecture: Architecture) -> Numbers:
    """Return 2 N_ne + 2 l s d (convention `kaplan`), FLOP of a token's forward pass; the second term for attention.

    Source: Kaplan et al. 2020, table 1.
    """
    network = architecture
    attention = 2.0 * network.layers * network.known("context") * network.attention_width
    return 2.0 * network.active_params() + attention


def kaplan_flops(architecture: Architecture, tokens: Numbers) -> Numbers:
    """Return three times the forward FLOP of `kaplan_forward` per token: the backward pass costs twice as much."""
    return 3.0 * kaplan_forward(architecture) * tokens


CONVENTIONS = (
    by_size(
        "kaplan",
        lambda columns: columns["nonembedding"] + attention_size(columns),
        formula="C = 3 (2 N_ne + 2 l s d) D",
        words="nonembedding + layers context width",
        source=SOURCE,
        needs=("nonembedding", "layers", "width", "context"),
    ),
)

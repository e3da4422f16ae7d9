"""Chinchilla's itemised count: every matrix product of a sequence, with or without embedding and head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jaxscale.costs.spec import Numbers
from jaxscale.counting.architecture import Architecture
from jaxscale.counting.columns import architecture_of
from jaxscale.counting.spec import by_size

SOURCE = "Hoffmann et al. 2022, arXiv 2203.15556, appendix F"
NOTE = "table A4's ratios to 6 N D come out only without embedding and head, against the text of appendix F"


@dataclass(frozen=True, eq=False)
class Itemised:
    """FLOP of the forward pass of one sequence, item by item over all layers; zero for what is left out.

    embedding, head: at the ends.   qkv, out: the projections.   logits, softmax, reduce: over pairs of tokens.   dense:
    the feed-forward networks.   tokens: in the sequence.
    """

    embedding: Numbers
    qkv: Numbers
    logits: Numbers
    softmax: Numbers
    reduce: Numbers
    out: Numbers
    dense: Numbers
    head: Numbers
    tokens: Numbers

    @property
    def forward(self) -> Numbers:
        """The sum of the items."""
        attention = self.qkv + self.logits + self.softmax + self.reduce + self.out
        return self.embedding + attention + self.dense + self.head

    @property
    def training(self) -> Numbers:
        """Forward and backward, which costs twice as much."""
        return 3.0 * self.forward

    @property
    def per_token(self) -> Numbers:
        """Training FLOP per token."""
        return self.training / self.tokens

    def ratio(self, params: Numbers) -> Numbers:
        """Return training FLOP over 6 N D, as table A4 prints it."""
        return self.per_token / (6.0 * params)


def chinchilla_sequence(
    architecture: Architecture, *, embedding: bool = True, head: bool = True, causal_factor: float = 1.0
) -> Itemised:
    """Return the FLOP of one sequence of `context` tokens, item by item (convention `chinchilla`).

    embedding, head: whether they are counted; the text of appendix F does, and table A4's ratios come out only
    without both (convention `chinchilla-layers`).   causal_factor: share of the pairs of tokens that are counted, 1 as
    in the paper or 0.5.   Needs heads and context, and the vocabulary where an end is counted; UsageError without.
    Source: Hoffmann et al. 2022, appendix F.
    """
    network, s = architecture, architecture.known("context")
    layers, inner, heads = network.layers, network.attention_width, network.known("heads")
    pairs = causal_factor * s**2
    end = 2.0 * s * network.embedding if embedding or head else 0.0
    return Itemised(
        embedding=end if embedding else 0.0,
        qkv=layers * 6.0 * s * network.width * inner,
        logits=layers * 2.0 * pairs * inner,
        softmax=layers * 3.0 * heads * pairs,
        reduce=layers * 2.0 * pairs * inner,
        out=layers * 2.0 * s * inner * network.width,
        dense=layers * 2.0 * s * network.active_experts * network.matrices * network.width * network.dense_width,
        head=end if head else 0.0,
        tokens=s,
    )


def chinchilla_flops(
    architecture: Architecture,
    tokens: Numbers,
    *,
    embedding: bool = True,
    head: bool = True,
    causal_factor: float = 1.0,
) -> Numbers:
    """Return the training FLOP of D tokens, whole sequences of `context` each; switches as in `chinchilla_sequence`."""
    one = chinchilla_sequence(architecture, embedding=embedding, head=head, causal_factor=causal_factor)
    return one.per_token * tokens


def _size(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.asarray(chinchilla_sequence(architecture_of(columns)).per_token / 6.0)


def _size_of_layers(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.asarray(chinchilla_sequence(architecture_of(columns), embedding=False, head=False).per_token / 6.0)


CONVENTIONS = (
    by_size(
        "chinchilla",
        _size,
        formula="C = 3 D/s [4 s V d + l (8 s d kH + (4 kH + 3 H) s^2 + 4 s d d_ff)]",
        words="training FLOP per token / 6, itemised, with embedding and head",
        source=SOURCE,
        needs=("layers", "width", "heads", "context", "vocabulary"),
    ),
    by_size(
        "chinchilla-layers",
        _size_of_layers,
        formula="C = 3 D/s l [8 s d kH + (4 kH + 3 H) s^2 + 4 s d d_ff]",
        words="training FLOP per token / 6, itemised, layers alone",
        source=SOURCE,
        needs=("layers", "width", "heads", "context"),
        note=NOTE,
    ),
)

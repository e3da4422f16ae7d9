"""Counts of a network's parts: the FLOP of its matrix products per token, with attention over the context."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jaxscale.costs.spec import Numbers
from jaxscale.costs.training import FLOPS_PER_PARAM_TOKEN
from jaxscale.counting.architecture import Architecture, architecture_of, attention_size
from jaxscale.counting.conventions import Convention, by_size, layer_params
from jaxscale.precision import as_arrays

KAPLAN = "Kaplan et al. 2020, arXiv 2001.08361, table 1 and §2.1"
HOFFMANN = "Hoffmann et al. 2022, arXiv 2203.15556, appendix F"
WITHOUT_ENDS = "table A4's ratios to 6 N D come out only without embedding and head, against the text of appendix F"
PALM = "Chowdhery et al. 2022, arXiv 2204.02311, appendix B"
DEEPSEEK = "Bi et al. 2024, arXiv 2401.02954"
HOLDS_SIX = "M holds the 6 already: C = M D"
OPTIMAL_SCALE, OPTIMAL_TOKENS = (0.1715, 0.5243), (5.8316, 0.4757)
"""Factor and exponent of compute.   Source: Bi et al. 2024, arXiv 2401.02954 (second-hand)."""


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
        return self.per_token / (FLOPS_PER_PARAM_TOKEN * params)


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


def palm_flops_per_token(params: Numbers, architecture: Architecture) -> Numbers:
    """Return 6 N + 12 L H Q T (convention `palm`), training FLOP per token; Q is the key size, T the context.

    Source: Chowdhery et al. 2022, appendix B.
    """
    return 6.0 * params + 12.0 * _attention(architecture)


def palm_hardware_flops_per_token(params: Numbers, architecture: Architecture) -> Numbers:
    """Return 8 N + 16 L H Q T (convention `palm-hardware`): rematerialisation runs the forward pass a second time.

    Source: Chowdhery et al. 2022, appendix B.
    """
    return 8.0 * params + 16.0 * _attention(architecture)


def utilisation(tokens_per_second: Numbers, flops_per_token: Numbers, *, peak: Numbers) -> Numbers:
    """Return FLOP per second over the peak: MFU for `palm_flops_per_token`, HFU for the hardware's.

    peak: FLOP per second of all devices together.   Source: Chowdhery et al. 2022, appendix B.
    """
    return tokens_per_second * flops_per_token / peak


def deepseek_scale(architecture: Architecture) -> Numbers:
    """Return M = 72 l d^2 + 12 l d s (convention `deepseek`), training FLOP per token; s is the context.

    Source: Bi et al. 2024, arXiv 2401.02954 (second-hand).
    """
    network = architecture
    return FLOPS_PER_PARAM_TOKEN * layer_params(network.layers, network.width) + (
        12.0 * network.layers * network.width * network.known("context")
    )


def deepseek_flops(architecture: Architecture, tokens: Numbers) -> Numbers:
    """Return C = M D: M holds the 6 already."""
    return deepseek_scale(architecture) * tokens


def deepseek_ratios(architecture: Architecture) -> tuple[Numbers, Numbers]:
    """Return 6 N_1 / M and 6 N_2 / M, with N_1 = 12 l d^2 and N_2 = N_1 + V d.

    Source: Bi et al. 2024, arXiv 2401.02954 (second-hand).
    """
    scale, layers = deepseek_scale(architecture), layer_params(architecture.layers, architecture.width)
    return FLOPS_PER_PARAM_TOKEN * layers / scale, FLOPS_PER_PARAM_TOKEN * (layers + architecture.embedding) / scale


@as_arrays
def deepseek_optimum(flops: Numbers) -> tuple[Numbers, Numbers]:
    """Return M = 0.1715 C^0.5243, FLOP per token, and D = 5.8316 C^0.4757, tokens, best for a budget in FLOP.

    M D = C to 2e-4, the rounding of the constants.   Source: Bi et al. 2024, arXiv 2401.02954 (second-hand).
    """
    (scale, of_scale), (tokens, of_tokens) = OPTIMAL_SCALE, OPTIMAL_TOKENS
    return scale * flops**of_scale, tokens * flops**of_tokens


def _attention(architecture: Architecture) -> Numbers:
    return architecture.layers * architecture.attention_width * architecture.known("context")


def _layers_alone(architecture: Architecture) -> Itemised:
    return chinchilla_sequence(architecture, embedding=False, head=False)


def _size(flops_per_token: Numbers) -> np.ndarray:
    """Return the params N of which these FLOP are the 6 N."""
    return np.asarray(flops_per_token / FLOPS_PER_PARAM_TOKEN)


CONVENTIONS = (
    by_size(
        "kaplan",
        lambda columns: columns["nonembedding"] + attention_size(columns),
        formula="C = 3 (2 N_ne + 2 l s d) D",
        words="nonembedding + layers context width",
        source=KAPLAN,
        needs=("nonembedding", "layers", "width", "context"),
    ),
    by_size(
        "chinchilla",
        lambda columns: _size(chinchilla_sequence(architecture_of(columns)).per_token),
        formula="C = 3 D/s [4 s V d + l (8 s d kH + (4 kH + 3 H) s^2 + 4 s d d_ff)]",
        words="training FLOP per token / 6, itemised, with embedding and head",
        source=HOFFMANN,
        needs=("layers", "width", "heads", "context", "vocabulary"),
    ),
    by_size(
        "chinchilla-layers",
        lambda columns: _size(_layers_alone(architecture_of(columns)).per_token),
        formula="C = 3 D/s l [8 s d kH + (4 kH + 3 H) s^2 + 4 s d d_ff]",
        words="training FLOP per token / 6, itemised, layers alone",
        source=HOFFMANN,
        needs=("layers", "width", "heads", "context"),
        note=WITHOUT_ENDS,
    ),
    by_size(
        "palm",
        lambda columns: _size(palm_flops_per_token(columns["params"], architecture_of(columns))),
        formula="C = (6 N + 12 l kH s) D",
        words="params + 2 layers (key_size heads) context",
        source=PALM,
        needs=("params", "layers", "width", "context"),
    ),
    Convention("palm-hardware", "(8 N + 16 l kH s) D, rematerialised", PALM),
    by_size(
        "deepseek",
        lambda columns: (
            layer_params(columns["layers"], columns["width"])
            + 2.0 * columns["layers"] * columns["width"] * columns["context"]
        ),
        formula="C = M D, M = 72 l d^2 + 12 l d s",
        words="12 layers width^2 + 2 layers width context",
        source=DEEPSEEK,
        needs=("layers", "width", "context"),
        tag="second-hand",
        note=HOLDS_SIX,
    ),
)

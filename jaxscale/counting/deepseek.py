"""DeepSeek's scale: FLOP per token outside the embedding, in place of a number of parameters."""

from __future__ import annotations

from jaxscale.costs.spec import Numbers
from jaxscale.counting.architecture import Architecture
from jaxscale.counting.sizes import layer_params
from jaxscale.counting.spec import by_size
from jaxscale.precision import as_arrays

SOURCE = "Bi et al. 2024, arXiv 2401.02954"
NOTE = "M holds the 6 already: C = M D"
OPTIMAL_SCALE, OPTIMAL_TOKENS = (0.1715, 0.5243), (5.8316, 0.4757)
"""Factor and exponent of compute.   Source: Bi et al. 2024, arXiv 2401.02954 (second-hand)."""


def deepseek_scale(architecture: Architecture) -> Numbers:
    """Return M = 72 l d^2 + 12 l d s (convention `deepseek`), training FLOP per token; s is the context.

    Source: Bi et al. 2024, arXiv 2401.02954 (second-hand).
    """
    network = architecture
    return 6.0 * layer_params(network.layers, network.width) + (
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
    return 6.0 * layers / scale, 6.0 * (layers + architecture.embedding) / scale


@as_arrays
def deepseek_optimum(flops: Numbers) -> tuple[Numbers, Numbers]:
    """Return M = 0.1715 C^0.5243, FLOP per token, and D = 5.8316 C^0.4757, tokens, best for a budget in FLOP.

    M D = C to 2e-4, the rounding of the constants.   Source: Bi et al. 2024, arXiv 2401.02954 (second-hand).
    """
    (scale, of_scale), (tokens, of_tokens) = OPTIMAL_SCALE, OPTIMAL_TOKENS
    return scale * flops**of_scale, tokens * flops**of_tokens


CONVENTIONS = (
    by_size(
        "deepseek",
        lambda columns: (
            layer_params(columns["layers"], columns["width"])
            + 2.0 * columns["layers"] * columns["width"] * columns["context"]
        ),
        formula="C = M D, M = 72 l d^2 + 12 l d s",
        words="12 layers width^2 + 2 layers width context",
        source=SOURCE,
        needs=("layers", "width", "context"),
        tag="second-hand",
        note=NOTE,
    ),
)

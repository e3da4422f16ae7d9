"""The rules of thumb in params and tokens alone: 6 N D to train, 2 N a token to use, and what fewer bits save."""

from __future__ import annotations

from jaxscale.costs.spec import Numbers
from jaxscale.costs.training import KAPLAN, training_flops
from jaxscale.counting.spec import SIX_ND, Convention

FULL_BITS = 16.0
"""Bits of the numbers that a FLOP is counted in where nothing is said."""


def inference_flops(params: Numbers, tokens: Numbers = 1.0) -> Numbers:
    """Return 2 N per token (convention `inference`), FLOP of the forward pass.   Source: as of 6 N D."""
    return 2.0 * params * tokens


def precision_flops(params: Numbers, tokens: Numbers, *, bits: Numbers) -> Numbers:
    """Return C = (6/16) N D P (convention `precision`), FLOP worth of 16 bits where numbers have P bits.

    Source: Kumar et al. 2024, arXiv 2411.04330 (second-hand).
    """
    return 6.0 / FULL_BITS * params * tokens * bits


MEASURED = Convention("measured", "N, D and C as the table has them", "the table itself", counted=lambda columns: {})
SIX = Convention(
    "6nd",
    "C = 6 N D",
    KAPLAN,
    ("params", "tokens"),
    (("flops", SIX_ND),),
    lambda columns: {"flops": training_flops(columns["params"], columns["tokens"])},
)
MEASURED_TOKENS = Convention(
    "measured-tokens",
    "D = C / (6 N)",
    KAPLAN,
    ("params", "flops"),
    (("tokens", "flops / (6 params)"),),
    lambda columns: {"tokens": columns["flops"] / (6.0 * columns["params"])},
)
MEASURED_PARAMS = Convention(
    "measured-params",
    "N = C / (6 D)",
    "Porian et al. 2024, arXiv 2406.19146: FLOP per token over 6",
    ("tokens", "flops"),
    (("params", "flops / (6 tokens)"),),
    lambda columns: {"params": columns["flops"] / (6.0 * columns["tokens"])},
)
INFERENCE = Convention("inference", "2 N per token", KAPLAN)
PRECISION = Convention("precision", "C = 6/16 N D P", "Kumar et al. 2024, arXiv 2411.04330", tag="second-hand")

CONVENTIONS = (MEASURED, SIX, MEASURED_TOKENS, MEASURED_PARAMS, INFERENCE, PRECISION)

"""The FLOP of inference: of all tokens that a model will serve, together with its training, and of one query."""

from __future__ import annotations

from jaxscale.costs.spec import Amounts, Cost
from jaxscale.costs.training import KAPLAN, training_flops

FLOPS_PER_SERVED_TOKEN = 2.0
"""Of a param, on a token that goes through the model once: a multiplication and an addition."""
SARDANA = "Sardana et al. 2024, arXiv 2401.00448"


def serving_flops(params: Amounts, tokens: Amounts, *, inference_tokens: Amounts) -> Amounts:
    """Return 2 N T, FLOP, of the T tokens that a model reads and writes once it is trained; tokens play no part."""
    return FLOPS_PER_SERVED_TOKEN * params * inference_tokens + 0.0 * tokens


def lifetime_flops(params: Amounts, tokens: Amounts, *, inference_tokens: Amounts) -> Amounts:
    """Return 6 N D + 2 N T, FLOP: training, and the T tokens served afterwards.   Source: Sardana et al. 2024."""
    return training_flops(params, tokens) + FLOPS_PER_SERVED_TOKEN * params * inference_tokens


def query_flops(params: Amounts, tokens: Amounts, *, samples: Amounts, sample_tokens: Amounts) -> Amounts:
    """Return 2 N k T, FLOP, of a query answered by k samples of T tokens each; tokens play no part."""
    return FLOPS_PER_SERVED_TOKEN * params * samples * sample_tokens + 0.0 * tokens


SERVING = Cost("serving", serving_flops, source=KAPLAN, inputs=("inference_tokens",))
LIFETIME = Cost("lifetime", lifetime_flops, source=SARDANA, inputs=("inference_tokens",))
QUERY = Cost("query", query_flops, source=KAPLAN, inputs=("samples", "sample_tokens"))

"""Mixtures of experts: compute follows the params that a token passes, and the router's own."""

from __future__ import annotations

from jaxscale.costs.spec import Numbers
from jaxscale.counting.architecture import Architecture


def expert_flops(active_params: Numbers, tokens: Numbers, *, routing: Numbers = 0.0) -> Numbers:
    """Return C = (6 N_act + routing) D (convention `active`), training FLOP.

    routing: FLOP per token, as of `routing_flops_per_token`.   Source: Krajewski et al. 2024, arXiv 2402.07871
    (second-hand).
    """
    return (6.0 * active_params + routing) * tokens


def routing_flops_per_token(
    architecture: Architecture, *, granularity: Numbers = 1.0, flops_per_route: Numbers
) -> Numbers:
    """Return l d E G c_r, training FLOP per token of a router over E G experts in every layer.

    granularity: G = d_ff / d_expert.   flops_per_route: c_r, FLOP per weight of the router; no value of it is verified
    here, so that it has no default.   Source: Krajewski et al. 2024, arXiv 2402.07871 (second-hand).
    """
    network = architecture
    return network.layers * network.width * network.experts * granularity * flops_per_route

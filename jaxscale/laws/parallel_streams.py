"""Parallel streams: passes of the same weights count as more params, by a logarithm."""

from __future__ import annotations

from functools import partial

import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxscale.laws import power as line
from jaxscale.laws.inputs import Input
from jaxscale.laws.spec import Coef, Law
from jaxscale.laws.starts import projected
from jaxscale.numerics.powers import power
from jaxscale.precision import plainly

SOURCE = "Chen et al. 2025 (ParScale), arXiv 2505.10475"
STREAMS = Input("streams", "P", "streams", "parallel passes of every token through the network", 1.0, 8.0, least=1.0)


@plainly
def effective_params(params: ArrayLike, streams: ArrayLike, *, k: ArrayLike):
    """Return N (k ln P + 1), the size of the network of one stream with the same loss; elementwise."""
    return jnp.asarray(params) * (jnp.asarray(k) * jnp.log(jnp.asarray(streams)) + 1.0)


def loss(params, streams, *, E, A, k, alpha):
    """L(N, P) = E + (A/(N (k ln P + 1)))^alpha, in nats per token; elementwise."""
    return line.loss_of_params(effective_params(params, streams, k=k), E=E, A=power(A, alpha), alpha=alpha)


def _scale_of(*, scale, alpha, **others):
    """Return the coefs of a loss whose second term is `scale` at one effective parameter: A = scale^(1/alpha)."""
    return {"A": scale ** (1.0 / alpha), "alpha": alpha, **others}


RANGES = {"k": (0.02, 5.0), "alpha": (0.03, 1.0)}

PARALLEL = Law(
    name="parallel-streams",
    loss=loss,
    inputs=("params", "streams"),
    coefs=(
        Coef("E", starts=(1.0,), meaning="irreducible loss", unit="nats/token", span=(0.3, 2.0)),
        Coef("A", starts=(1e8,), meaning="scale of params", unit="params", span=(1e6, 1e9)),
        Coef("k", starts=(0.1, 0.3, 1.0), meaning="what a stream is worth", span=(0.1, 1.0)),
        Coef("alpha", starts=(0.1, 0.3), meaning="exponent of params", span=(0.1, 0.4)),
    ),
    equation="L = E + (A/(N*(k*ln(P) + 1)))^alpha",
    source=SOURCE,
    starts=partial(projected, loss, ("E", "scale"), RANGES, coefs=_scale_of, keep=12),
    domain=(STREAMS,),
    frontier="none: tokens are no input, so a budget is not split",
    notes=("No constants are verified here, so none ship.", "A stream costs compute as parameters do, but no memory."),
)

LAWS = (PARALLEL,)

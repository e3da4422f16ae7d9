"""Parallel streams: running the same weights several times over acts like more parameters, by a logarithm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxscale.laws import power as line
from jaxscale.laws.inputs import Input
from jaxscale.laws.projection import projected_starts
from jaxscale.laws.spec import Coef, Law
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


def starts(columns: Mapping[str, np.ndarray], target: np.ndarray) -> Sequence[Mapping[str, float]]:
    """Return 12 start points: k and the exponent searched, the floor and the scale solved for."""
    params, streams = columns["params"], columns["streams"]

    def terms(setting: Mapping[str, np.ndarray]) -> tuple[np.ndarray, ...]:
        size = (params * (setting["k"] * np.log(streams) + 1.0)) ** -setting["alpha"]
        return np.ones_like(size), size

    found = projected_starts(target, terms, {"k": (0.02, 5.0), "alpha": (0.03, 1.0)}, ("E", "scale"), keep=12)
    return [{"A": start.pop("scale") ** (1.0 / start["alpha"]), **start} for start in found]


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
    starts=starts,
    domain=(STREAMS,),
    frontier="none: tokens are no input, so a budget is not split",
    notes=("No constants are verified here, so none ship.", "A stream costs compute as parameters do, but no memory."),
)

LAWS = (PARALLEL,)

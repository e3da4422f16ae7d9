"""Sparse weights: a weight that remains after pruning counts for more than one of a dense network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxscale.laws import chinchilla
from jaxscale.laws.inputs import PARAMS, Input
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.laws.starts import projected
from jaxscale.numerics.powers import power
from jaxscale.precision import plainly

SOURCE = "Frantar et al. 2023, arXiv 2309.08520"
SPARSITY = Input("sparsity", "S", "share", "share of the weights that are zero", 0.0, 0.875, is_open=True)


def loss(params, tokens, sparsity, *, a_S, b_S, c_S, b_N, a_D, b_D, c):
    """L(N, D, S) = (a_S (1-S)^b_S + c_S) N^-b_N + (a_D/D)^b_D + c, N the weights that are not zero; elementwise."""
    scale = a_S * power(1.0 - sparsity, b_S) + c_S
    return chinchilla.loss(params, tokens, E=c, A=scale, B=power(a_D, b_D), alpha=b_N, beta=b_D)


def flops_per_param_token(*, sparsity):
    """Return 6/(1 - S), FLOP per weight that is not zero and token: training costs what the dense network costs."""
    return 6.0 / (1.0 - sparsity)


@plainly
def optimal_sparsity(params: ArrayLike, flops: ArrayLike, coefs: Mapping[str, ArrayLike]):
    """Return the S that minimises the loss of N non-zero weights on D = C (1-S)/(6 N) tokens, 0 at least; elementwise.

    1 - S = [b_D a_D^b_D N^b_N / (a_S b_S)]^(1/(b_D+b_S)) (C/6N)^(-b_D/(b_D+b_S)), from dL/dS = 0.   coefs: those of
    the law.   Source: the law itself; Frantar et al. 2023 has the same shape with a factor for the schedule.
    """
    a_S, b_S, b_N, a_D, b_D = (jnp.asarray(coefs[name]) for name in ("a_S", "b_S", "b_N", "a_D", "b_D"))
    dense_tokens = jnp.asarray(flops) / (6.0 * jnp.asarray(params))
    ratio = b_D * power(a_D / dense_tokens, b_D) * power(params, b_N) / (a_S * b_S)
    return jnp.maximum(0.0, 1.0 - power(ratio, 1.0 / (b_D + b_S)))


@plainly
def size_multiplier(sparsity: ArrayLike, coefs: Mapping[str, ArrayLike]):
    """Return how many times its non-zero weights a dense network needs for the same loss at equal tokens."""
    a_S, b_S, c_S, b_N = (jnp.asarray(coefs[name]) for name in ("a_S", "b_S", "c_S", "b_N"))
    return power((a_S + c_S) / (a_S * power(1.0 - jnp.asarray(sparsity), b_S) + c_S), 1.0 / b_N)


def _scale_of(*, scale, b_D, **others):
    """Return the coefs of a loss whose data term is `scale` at one token: a_D = scale^(1/b_D)."""
    return {"a_D": scale ** (1.0 / b_D), "b_D": b_D, **others}


RANGES = {"b_N": (0.1, 1.0), "b_D": (0.1, 1.2), "b_S": (0.2, 2.0)}

SPARSE = Law(
    name="sparsity",
    loss=loss,
    inputs=("params", "tokens", "sparsity"),
    coefs=(
        Coef(
            "a_S",
            starts=(10.0, 300.0),
            meaning="what dense weights add to c_S",
            unit="nats/token · params^b_N",
            span=(10.0, 300.0),
        ),
        Coef("b_S", starts=(0.5, 0.8), meaning="exponent of the share that is left", span=(0.4, 1.2)),
        Coef(
            "c_S",
            starts=(50.0, 500.0),
            meaning="scale of the size term, all but empty",
            unit="nats/token · params^b_N",
            span=(30.0, 500.0),
        ),
        Coef("b_N", starts=(0.2, 0.5), meaning="exponent of params", span=(0.2, 0.4)),
        Coef("a_D", starts=(1e8,), meaning="scale of tokens", unit="tokens", span=(1e7, 1e9)),
        Coef("b_D", starts=(0.2, 0.5, 0.8), meaning="exponent of tokens", span=(0.2, 0.9)),
        Coef("c", starts=(0.5,), meaning="irreducible loss", unit="nats/token", span=(0.5, 5.0)),
    ),
    equation="L = (a_S*(1 - S)^b_S + c_S)/N^b_N + (a_D/D)^b_D + c",
    source=SOURCE,
    starts=partial(projected, loss, ("c", "c_S", "a_S", "scale"), RANGES, coefs=_scale_of),
    published=(
        Published("frantar2023-t5", (1.68e1, 0.722, 4.50e1, 0.245, 6.90e8, 0.203, 0.651), SOURCE, "second-hand"),
        Published("frantar2023-vit", (2.94e2, 0.821, 4.68e2, 0.392, 2.37e8, 0.890, 4.517), SOURCE, "second-hand"),
    ),
    domain=(replace(PARAMS, meaning="weights that are not zero"), SPARSITY),
    flops_per_param_token=flops_per_param_token,
    frontier=(
        "it is the separable law's with A = a_S (1-S)^b_S + c_S, on C = 6 N D/(1-S); the best "
        "sparsity of a given size by laws.sparsity.optimal_sparsity"
    ),
    notes=(
        "N counts the weights that remain, not those of the dense network.",
        "a_D carries the papers' own unit of data: tokens for T5 on C4, images for ViT on JFT.",
        "The price is that of training the dense network; the paper's factor for a gradual schedule is left out.",
    ),
)

LAWS = (SPARSE,)

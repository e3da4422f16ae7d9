"""Effective size: weights left by pruning, and parallel passes of the same weights, count for more params."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxscale.laws import chinchilla
from jaxscale.laws import power as line
from jaxscale.laws.inputs import PARAMS, Input
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.laws.starts import projected
from jaxscale.numerics.powers import power
from jaxscale.precision import plainly

FRANTAR = "Frantar et al. 2023, arXiv 2309.08520"
SPARSITY = Input("sparsity", "S", "share", "share of the weights that are zero", 0.0, 0.875, is_open=True)

CHEN = "Chen et al. 2025 (ParScale), arXiv 2505.10475"
STREAMS = Input("streams", "P", "streams", "parallel passes of every token through the network", 1.0, 8.0, least=1.0)


def sparse_loss(params, tokens, sparsity, *, a_S, b_S, c_S, b_N, a_D, b_D, c):
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


def _sparse_scale_of(*, scale, b_D, **others):
    """Return the coefs of a loss whose data term is `scale` at one token: a_D = scale^(1/b_D)."""
    return {"a_D": scale ** (1.0 / b_D), "b_D": b_D, **others}


SPARSE_RANGES = {"b_N": (0.1, 1.0), "b_D": (0.1, 1.2), "b_S": (0.2, 2.0)}

SPARSE = Law(
    name="sparsity",
    loss=sparse_loss,
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
    source=FRANTAR,
    starts=partial(projected, sparse_loss, ("c", "c_S", "a_S", "scale"), SPARSE_RANGES, coefs=_sparse_scale_of),
    published=(
        Published("frantar2023-t5", (1.68e1, 0.722, 4.50e1, 0.245, 6.90e8, 0.203, 0.651), FRANTAR, "second-hand"),
        Published("frantar2023-vit", (2.94e2, 0.821, 4.68e2, 0.392, 2.37e8, 0.890, 4.517), FRANTAR, "second-hand"),
    ),
    domain=(replace(PARAMS, meaning="weights that are not zero"), SPARSITY),
    flops_per_param_token=flops_per_param_token,
    frontier=(
        "it is the separable law's with A = a_S (1-S)^b_S + c_S, on C = 6 N D/(1-S); the best "
        "sparsity of a given size by laws.effective_size.optimal_sparsity"
    ),
    notes=(
        "N counts the weights that remain, not those of the dense network.",
        "a_D carries the papers' own unit of data: tokens for T5 on C4, images for ViT on JFT.",
        "The price is that of training the dense network; the paper's factor for a gradual schedule is left out.",
    ),
)


@plainly
def effective_params(params: ArrayLike, streams: ArrayLike, *, k: ArrayLike):
    """Return N (k ln P + 1), the size of the network of one stream with the same loss; elementwise."""
    return jnp.asarray(params) * (jnp.asarray(k) * jnp.log(jnp.asarray(streams)) + 1.0)


def parallel_loss(params, streams, *, E, A, k, alpha):
    """L(N, P) = E + (A/(N (k ln P + 1)))^alpha, in nats per token; elementwise."""
    return line.loss_of_params(effective_params(params, streams, k=k), E=E, A=power(A, alpha), alpha=alpha)


def _parallel_scale_of(*, scale, alpha, **others):
    """Return the coefs of a loss whose second term is `scale` at one effective parameter: A = scale^(1/alpha)."""
    return {"A": scale ** (1.0 / alpha), "alpha": alpha, **others}


PARALLEL_RANGES = {"k": (0.02, 5.0), "alpha": (0.03, 1.0)}

PARALLEL = Law(
    name="parallel-streams",
    loss=parallel_loss,
    inputs=("params", "streams"),
    coefs=(
        Coef("E", starts=(1.0,), meaning="irreducible loss", unit="nats/token", span=(0.3, 2.0)),
        Coef("A", starts=(1e8,), meaning="scale of params", unit="params", span=(1e6, 1e9)),
        Coef("k", starts=(0.1, 0.3, 1.0), meaning="what a stream is worth", span=(0.1, 1.0)),
        Coef("alpha", starts=(0.1, 0.3), meaning="exponent of params", span=(0.1, 0.4)),
    ),
    equation="L = E + (A/(N*(k*ln(P) + 1)))^alpha",
    source=CHEN,
    starts=partial(projected, parallel_loss, ("E", "scale"), PARALLEL_RANGES, coefs=_parallel_scale_of, keep=12),
    domain=(STREAMS,),
    frontier="none: tokens are no input, so a budget is not split",
    notes=("No constants are verified here, so none ship.", "A stream costs compute as parameters do, but no memory."),
)

LAWS = (SPARSE, PARALLEL)

"""Pearce & Song's map between params with and without embeddings, and the separable law in the latter."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxscale.laws import chinchilla
from jaxscale.laws.inputs import PARAMS, TOKENS
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.laws.starts import gridded
from jaxscale.numerics.powers import power
from jaxscale.precision import plainly

PEARCE = "Pearce & Song 2024, arXiv 2406.12907"
OMEGA = 47491.0
"""Embedding params per cube root of non-embedding ones: 32,000 words, a width of 39.2 per layer."""


@plainly
def total_params(params: ArrayLike, omega: ArrayLike = OMEGA):
    """Return N_T = N + omega N^(1/3), the params with their embeddings, of non-embedding params N > 0; elementwise.

    omega: params^(2/3), for models whose width grows with their depth.   Source: Pearce & Song 2024, eq. 5.
    """
    return jnp.asarray(params) + omega * power(params, 1.0 / 3.0)


@plainly
def non_embedding_params(total: ArrayLike, omega: ArrayLike = OMEGA):
    """Return the non-embedding params N with N + omega N^(1/3) = total; elementwise, omega > 0; NaN unless total > 0.

    The real root of the cubic in N^(1/3), by hyperbolic sines, followed by one step of Newton's method.
    """
    half = jnp.sqrt(jnp.asarray(omega) / 3.0)
    total = jnp.where(jnp.asarray(total) > 0, total, jnp.nan)
    root = 2.0 * half * jnp.sinh(jnp.arcsinh(total / (2.0 * half**3)) / 3.0)
    return (root - (root**3 + omega * root - total) / (3.0 * root**2 + omega)) ** 3


def loss(params, tokens, *, E, A, B, alpha, beta, omega):
    """L(N, D) = E + A N_T^-alpha + B D^-beta with N_T = N + omega N^(1/3), in nats per token; elementwise."""
    return chinchilla.loss(total_params(params, omega), tokens, E=E, A=A, B=B, alpha=alpha, beta=beta)


EXPONENTS = (0.1, 0.2, 0.3, 0.4, 0.55, 0.8)
GRID = {"alpha": EXPONENTS, "beta": EXPONENTS, "omega": (5e3, 2e4, 5e4, 1.5e5, 6e5)}

PEARCE_SONG = Law(
    name="pearce",
    loss=loss,
    inputs=("params", "tokens"),
    coefs=(
        *chinchilla.CHINCHILLA.coefs,
        Coef(
            "omega",
            "positive",
            (5e3, 5e4, 5e5),
            "embedding params per cube root of the others",
            "params^(2/3)",
            span=(1e4, 2e5),
        ),
    ),
    equation="L = E + A/N_T^alpha + B/D^beta; N_T = N + omega*N^(1/3)",
    source=PEARCE + ", eqs. 5 and 6",
    starts=partial(gridded, loss, ("E", "A", "B"), GRID, keep=24),
    published=tuple(
        Published(
            f"pearce2024-{of}",
            (*chinchilla.CHINCHILLA.constants(base).values(), OMEGA),
            f"{PEARCE}: omega from the authors' code; the others those of {base} in law 'chinchilla'",
            tag,
        )
        for of, base, tag in (("besiroglu", "besiroglu2024", "second-hand"), ("hoffmann", "hoffmann2022-tex", "code"))
    ),
    domain=(
        replace(PARAMS, meaning="params without embeddings", low=1e4, high=1e10),
        replace(TOKENS, low=1e8, high=1e12),
    ),
    frontier="N are the params without embeddings, as Kaplan et al. count compute",
    notes=(
        "params are those without embeddings here; total_params and non_embedding_params in jaxscale.laws.embeddings "
        "convert.",
        "The exponent of the optimum is local: beta/(alpha/3 + beta) for tiny models, beta/(alpha + beta) for large "
        "ones, with the transition near omega^(3/2), 1e7 params.",
        "omega belongs to a vocabulary and a ratio of width to depth; models above 1e8 params hardly show it.",
    ),
)

LAWS = (PEARCE_SONG,)

"""Embeddings: params with and without them by Pearce & Song, and a vocabulary with an exponent of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxscale.errors import UsageError
from jaxscale.laws import chinchilla
from jaxscale.laws.inputs import PARAMS, TOKENS, Input
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.laws.starts import gridded, projected
from jaxscale.numerics.powers import power
from jaxscale.precision import plainly

PEARCE = "Pearce & Song 2024, arXiv 2406.12907"
OMEGA = 47491.0
"""Embedding params per cube root of non-embedding ones: 32,000 words, a width of 39.2 per layer."""

TAO = "Tao et al. 2024, arXiv 2407.13623"
SMALLEST, LARGEST = 1.0, 1e9
"""Vocabularies between which the optimum is looked for, tokens."""

NOT_POSITIVE = "{name} = {value!r} is not a positive, finite number"
NO_OPTIMUM = "no vocabulary between {low:g} and {high:g} tokens is best for {flops:g} FLOP and these coefs"

PARAMS_NON_VOCABULARY = Input(
    "params_non_vocabulary", "N_nv", "params", "parameters outside the embeddings and the head", 3e7, 3e9
)
VOCABULARY = Input("vocabulary", "V", "tokens", "size of the vocabulary", 4e3, 2e5)
WIDTH = Input("width", "d", "units", "width of the embeddings, so that they hold V d parameters", 512.0, 4096.0)


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


def pearce_loss(params, tokens, *, E, A, B, alpha, beta, omega):
    """L(N, D) = E + A N_T^-alpha + B D^-beta with N_T = N + omega N^(1/3), in nats per token; elementwise."""
    return chinchilla.loss(total_params(params, omega), tokens, E=E, A=A, B=B, alpha=alpha, beta=beta)


EXPONENTS = (0.1, 0.2, 0.3, 0.4, 0.55, 0.8)
PEARCE_GRID = {"alpha": EXPONENTS, "beta": EXPONENTS, "omega": (5e3, 2e4, 5e4, 1.5e5, 6e5)}

PEARCE_SONG = Law(
    name="pearce",
    loss=pearce_loss,
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
    starts=partial(gridded, pearce_loss, ("E", "A", "B"), PEARCE_GRID, keep=24),
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


def vocabulary_loss(params_non_vocabulary, vocabulary, width, tokens, *, E, A1, A2, B, a1, a2, beta):
    """L_u = -E + A1 N_nv^-a1 + A2 (V d)^-a2 + B D^-beta, nats per token below the unigram loss; elementwise."""
    rest = chinchilla.loss(params_non_vocabulary, tokens, E=-E, A=A1, B=B, alpha=a1, beta=beta)
    return rest + A2 * power(vocabulary * width, -a2)


def optimal_vocabulary(params_non_vocabulary: float, width: float, flops: float, coefs: Mapping[str, float]) -> float:
    """Return the V that minimises the loss at C = 6 (N_nv + V d) D: a larger one leaves fewer tokens to train on.

    coefs: those of the law.   The root in V of -a2 A2 d (V d)^(-a2-1) + beta B (6/C)^beta d (N_nv + V d)^(beta-1), of
    which there is one.   Raises UsageError for invalid sizes, and where no vocabulary is best.   Source:
    Tao et al. 2024, approach 3.
    """
    from scipy.optimize import brentq  # slow to import

    for name, value in (("params_non_vocabulary", params_non_vocabulary), ("width", width), ("flops", flops)):
        if not (np.isfinite(value) and value > 0):
            raise UsageError(NOT_POSITIVE.format(name=name, value=value))
    A2, B, a2, beta = (float(coefs[name]) for name in ("A2", "B", "a2", "beta"))
    gain, cost = np.log(a2 * A2), np.log(beta * B) + beta * np.log(6.0 / flops)

    def excess_cost(log_size: float) -> float:
        embedded = np.exp(log_size) * width
        return float(
            cost + (beta - 1.0) * np.log(params_non_vocabulary + embedded) - gain + (a2 + 1.0) * np.log(embedded)
        )

    low, high = float(np.log(SMALLEST)), float(np.log(LARGEST))
    if excess_cost(low) > 0 or not excess_cost(high) > 0:
        raise UsageError(NO_OPTIMUM.format(low=SMALLEST, high=LARGEST, flops=flops))
    return float(np.exp(brentq(excess_cost, low, high, xtol=1e-15)))


def tokens_per_character(vocabulary: float) -> float:
    """Return f(V) = 0.00639222 ln² V - 0.15811069 ln V + 1.20470122, V at most 2e5: tokens D = f(V) characters.

    Raises UsageError for a vocabulary that is not positive.   Source: the code of Tao et al. 2024.
    """
    if not (np.isfinite(vocabulary) and vocabulary > 0):
        raise UsageError(NOT_POSITIVE.format(name="vocabulary", value=vocabulary))
    size = np.log(min(vocabulary, 2e5))
    return float(0.00639222 * size**2 - 0.15811069 * size + 1.20470122)


VOCABULARY_RANGES = {"a1": (0.1, 1.5), "a2": (0.1, 1.5), "beta": (0.1, 1.5)}

VOCABULARY_LAW = Law(
    name="vocabulary",
    loss=vocabulary_loss,
    inputs=("params_non_vocabulary", "vocabulary", "width", "tokens"),
    coefs=(
        Coef("E", "real", (5.0,), "the lowest loss, nats below the unigram loss", "nats/token", span=(4.0, 7.0)),
        Coef("A1", "positive", (1e3,), "scale of the size term", "nats/token · params^a1", span=(200.0, 2000.0)),
        Coef("A2", "positive", (2e3,), "scale of the vocabulary term", "nats/token · params^a2", span=(300.0, 5000.0)),
        Coef("B", starts=(2e4,), meaning="scale of the data term", unit="nats/token · tokens^beta", span=(3e3, 5e4)),
        Coef("a1", starts=(0.3, 0.6), meaning="exponent of the other params", span=(0.3, 0.6)),
        Coef("a2", starts=(0.4, 0.8), meaning="exponent of the vocabulary's params", span=(0.4, 0.8)),
        Coef("beta", starts=(0.3, 0.6), meaning="exponent of tokens", span=(0.3, 0.6)),
    ),
    equation="L = -E + A1/N_nv^a1 + A2/(V*d)^a2 + B/D^beta",
    source=TAO + ", approach 3",
    starts=partial(projected, vocabulary_loss, ("E", "A1", "A2", "B"), VOCABULARY_RANGES, real=("E",), relative=False),
    published=(
        Published(
            "tao2024",
            (5.5369, 828.48, 2.8997e5, 12089.0, 0.43980, 1.0588, 0.43980),
            TAO + ", approach 3, refitted to the 1,054 rows of its authors: their own constants count "
            "f(V/1000) tokens in place of f(V), and lie 0.46 nats above the rows",
            "refit",
        ),
    ),
    domain=(PARAMS_NON_VOCABULARY, VOCABULARY, WIDTH),
    frontier="the best vocabulary of a size and budget, not a split: laws.embeddings.optimal_vocabulary",
    notes=(
        "The loss is what is gained over a unigram model, so that vocabularies can be compared, and it is negative: "
        "fit it with an objective in linear space, squared(space='linear').",
        "Tokens depend on the vocabulary for the same text: D = f(V) characters, laws.embeddings.tokens_per_character.",
        "The constants in the authors' script (A1 1.83, A2 0.196, B 2.12, E 5.53) belong to f(V/1000) tokens: "
        "no change of units makes them predict their rows, so that the set here is a refit.",
        "C = 6 (N_nv + V d) D: embeddings and head are counted once.",
    ),
    space="linear",
)

LAWS = (PEARCE_SONG, VOCABULARY_LAW)

"""Vocabulary: the embeddings' parameters have an exponent of their own, and their compute is taken from training."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.laws import chinchilla
from jaxscale.laws.inputs import Input
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.laws.starts import projected
from jaxscale.numerics.powers import power

SOURCE = "Tao et al. 2024, arXiv 2407.13623"
SMALLEST, LARGEST = 1.0, 1e9
"""Vocabularies between which the optimum is looked for, tokens."""

NOT_POSITIVE = "{name} = {value!r} is not a positive, finite number"
NO_OPTIMUM = "no vocabulary between {low:g} and {high:g} tokens is best for {flops:g} FLOP and these coefs"

PARAMS_NON_VOCABULARY = Input(
    "params_non_vocabulary", "N_nv", "params", "parameters outside the embeddings and the head", 3e7, 3e9
)
VOCABULARY = Input("vocabulary", "V", "tokens", "size of the vocabulary", 4e3, 2e5)
WIDTH = Input("width", "d", "units", "width of the embeddings, so that they hold V d parameters", 512.0, 4096.0)


def loss(params_non_vocabulary, vocabulary, width, tokens, *, E, A1, A2, B, a1, a2, beta):
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


RANGES = {"a1": (0.1, 1.5), "a2": (0.1, 1.5), "beta": (0.1, 1.5)}

VOCABULARY_LAW = Law(
    name="vocabulary",
    loss=loss,
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
    source=SOURCE + ", approach 3",
    starts=partial(projected, loss, ("E", "A1", "A2", "B"), RANGES, real=("E",), relative=False),
    published=(
        Published(
            "tao2024",
            (5.5369, 828.48, 2.8997e5, 12089.0, 0.43980, 1.0588, 0.43980),
            SOURCE + ", approach 3, refitted to the 1,054 rows of its authors: their own constants count "
            "f(V/1000) tokens in place of f(V), and lie 0.46 nats above the rows",
            "refit",
        ),
    ),
    domain=(PARAMS_NON_VOCABULARY, VOCABULARY, WIDTH),
    frontier="the best vocabulary of a size and budget, not a split: laws.vocabulary.optimal_vocabulary",
    notes=(
        "The loss is what is gained over a unigram model, so that vocabularies can be compared, and it is negative: "
        "fit it with an objective in linear space, squared(space='linear').",
        "Tokens depend on the vocabulary for the same text: D = f(V) characters, laws.vocabulary.tokens_per_character.",
        "The constants in the authors' script (A1 1.83, A2 0.196, B 2.12, E 5.53) belong to f(V/1000) tokens: "
        "no change of units makes them predict their rows, so that the set here is a refit.",
        "C = 6 (N_nv + V d) D: embeddings and head are counted once.",
    ),
    space="linear",
)

LAWS = (VOCABULARY_LAW,)

"""The separable law of Hoffmann et al.: an irreducible loss, a power of size and a power of data, added."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import numpy as np

from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.laws.starts import Columns, floor_and_rest
from jaxscale.numerics.powers import power

HOFFMANN = "Hoffmann et al. 2022, arXiv 2203.15556"
BESIROGLU = "Besiroglu et al. 2024, arXiv 2404.10102"
MUENNIGHOFF = "Muennighoff et al. 2023, arXiv 2305.16264"
SARDANA = "Sardana et al. 2024, arXiv 2401.00448"
EXPONENTS = (0.1, 0.3, 0.6, 1.2)
FLOORS = (0.1, 0.5, 0.8, 0.95)
"""Shares of the smallest loss tried as the irreducible part."""


def loss(params, tokens, *, E, A, B, alpha, beta):
    """L(N, D) = E + A N^-alpha + B D^-beta, in nats per token; elementwise in N and D."""
    return E + A * power(params, -alpha) + B * power(tokens, -beta)


def tied_loss(params, tokens, *, E, A, B, alpha):
    """L(N, D) = E + A N^-alpha + B D^-alpha, in nats per token; elementwise in N and D."""
    return loss(params, tokens, E=E, A=A, B=B, alpha=alpha, beta=alpha)


def starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 64 start points: four exponents each way, four floors, the rest of the loss shared equally."""
    return _balanced(columns, target, product(EXPONENTS, EXPONENTS))


def tied_starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 28 start points: seven exponents, four floors, the rest of the loss shared equally."""
    found = _balanced(columns, target, ((alpha, alpha) for alpha in (0.05, 0.1, 0.2, 0.35, 0.6, 0.9, 1.3)))
    return [{name: start[name] for name in ("E", "A", "B", "alpha")} for start in found]


def _balanced(columns: Columns, target: np.ndarray, pairs: Iterable[tuple[float, float]]) -> list[dict[str, float]]:
    """Return a start per pair of exponents and floor, through the median loss at the geometric mean of the table.

    Both terms are equal there.
    """
    params, tokens = (float(np.exp(np.mean(np.log(columns[name])))) for name in ("params", "tokens"))
    levels = [floor_and_rest(target, share) for share in FLOORS]
    return [
        {"E": E, "A": 0.5 * rest * params**alpha, "B": 0.5 * rest * tokens**beta, "alpha": alpha, "beta": beta}
        for (alpha, beta), (E, rest) in product(pairs, levels)
    ]


FLOOR = Coef("E", "positive", (0.5, 1.0, 2.0), "irreducible loss", "nats/token", span=(0.3, 3.0))
SIZE = Coef(
    "A", "positive", (10.0, 300.0, 10000.0), "scale of the size term", "nats/token · params^alpha", span=(20.0, 5000.0)
)
DATA = Coef(
    "B", "positive", (10.0, 300.0, 10000.0), "scale of the data term", "nats/token · tokens^beta", span=(20.0, 20000.0)
)
ALPHA = Coef("alpha", "positive", EXPONENTS, "exponent of params", span=(0.15, 0.6))
BETA = Coef("beta", "positive", EXPONENTS, "exponent of tokens", span=(0.15, 0.6))

CHINCHILLA = Law(
    name="chinchilla",
    loss=loss,
    inputs=("params", "tokens"),
    coefs=(FLOOR, SIZE, DATA, ALPHA, BETA),
    equation="L = E + A/N^alpha + B/D^beta",
    source=HOFFMANN + ", eq. 2",
    starts=starts,
    published=(
        Published("hoffmann2022", (1.69, 406.4, 410.7, 0.34, 0.28), HOFFMANN + ", eq. 10, rounded"),
        Published(
            "hoffmann2022-tex",
            (float(np.exp(0.5267228)), float(np.exp(6.0073404)), float(np.exp(6.0179186)), 0.33917084, 0.2849083),
            HOFFMANN + ", unrounded, from the paper's TeX source",
            "code",
        ),
        Published("besiroglu2024", (1.8172, 482.01, 2085.43, 0.3478, 0.3658), BESIROGLU, "second-hand"),
        Published(
            "besiroglu2024-outliers",
            (1.89, 463.3, 12530.0, 0.345, 0.452),
            BESIROGLU + ", with the five outliers, rounded",
            "second-hand",
        ),
        Published(
            "muennighoff2023-untied",
            (float(np.exp(0.63032365)), float(np.exp(5.9577184)), float(np.exp(7.9145365)), 0.33480313, 0.38289225),
            MUENNIGHOFF + ", exponents apart, from the authors' notebook",
            "code",
        ),
        Published(
            "sardana2024-to-100",
            (0.17, 7.199, 25.97, 0.08, 0.13),
            SARDANA + ", table 1, up to 100 tokens per param, rounded",
            "second-hand",
        ),
        Published(
            "sardana2024-all",
            (1.45, 33.66, 138.9, 0.18, 0.24),
            SARDANA + ", table 1, all ratios of tokens to params, rounded",
            "second-hand",
        ),
        Published(
            "krajewski2024-dense",
            (0.47, 16.3, 26.7, 0.126, 0.127),
            "Krajewski et al. 2024, arXiv 2402.07871, the dense law, rounded",
            "second-hand",
        ),
    ),
    notes=(
        "N counts all parameters, embeddings included; krajewski2024-dense leaves them out.",
        "Every set belongs to its own tokenizer and corpus; coefs of different papers must not be mixed.",
        "hoffmann2022 is rounded: the exponent 0.28 for 0.2849 alone moves the best size at 5.76e23 FLOP by 20 %.",
        "besiroglu2024 is close to an absolute-deviations fit; the Huber(1e-3) optimum has A 477.8, B 2143, a 0.514.",
        "sardana2024-to-100 and -all differ by the range of tokens per param alone: a law holds where it was fitted.",
        "besiroglu2024-outliers gives the exponent a = 0.567, where its paper is quoted with 0.512.",
    ),
)

CHINCHILLA_TIED = Law(
    name="chinchilla-tied",
    loss=tied_loss,
    inputs=("params", "tokens"),
    coefs=(FLOOR, SIZE, DATA, ALPHA),
    equation="L = E + A/N^alpha + B/D^alpha",
    source=HOFFMANN + ", eq. 2, with beta = alpha; Muennighoff et al. 2023, arXiv 2305.16264, appendix A",
    starts=tied_starts,
    published=(
        Published(
            "muennighoff2023",
            (float(np.exp(0.6254804)), float(np.exp(6.255414)), float(np.exp(7.3049974)), 0.3526596),
            MUENNIGHOFF + ", appendix A",
        ),
    ),
)

LAWS = (CHINCHILLA, CHINCHILLA_TIED)

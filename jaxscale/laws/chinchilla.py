"""The separable law of Hoffmann et al., its form for over-training, and its envelope at the loss of chance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from itertools import product

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxscale.laws.inputs import PARAMS, TOKENS
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.laws.starts import Columns, floor_and_rest, gridded
from jaxscale.numerics.powers import power
from jaxscale.precision import plainly

HOFFMANN = "Hoffmann et al. 2022, arXiv 2203.15556"
BESIROGLU = "Besiroglu et al. 2024, arXiv 2404.10102"
MUENNIGHOFF = "Muennighoff et al. 2023, arXiv 2305.16264"
SARDANA = "Sardana et al. 2024, arXiv 2401.00448"
EXPONENTS = (0.1, 0.3, 0.6, 1.2)
FLOORS = (0.1, 0.5, 0.8, 0.95)
"""Shares of the smallest loss tried as the irreducible part."""

GADRE = "Gadre et al. 2024, arXiv 2403.08540"
RECIPE = "refit of the authors' data by their recipe: five runs, least squares of the loss"

ROSENFELD = "Rosenfeld et al. 2020, arXiv 1909.12673"


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


def overtrained_loss(flops, tokens_per_param, *, E, a, b, eta):
    """L(C, M) = E + (a M^eta + b M^-eta) C^-eta, in nats per token; elementwise in C and M.

    Chinchilla's law with both exponents 2 eta on C = 6 N D, where N² = C/(6M) and D² = CM/6.
    """
    compute, ratio = (
        jnp.log(flops),
        jnp.log(tokens_per_param),
    )  # the derivative of C/M has M², which float32 cannot hold
    return E + a * jnp.exp(-eta * (compute - ratio)) + b * jnp.exp(-eta * (compute + ratio))


@plainly
def optimal_tokens_per_param(*, a: ArrayLike, b: ArrayLike, eta: ArrayLike):
    """Return M* = (b/a)^(1/(2 eta)), the tokens per param of least loss, the same at every compute.

    Elementwise; NaN where a or b is not positive.
    """
    ratio = jnp.where((jnp.asarray(a) > 0) & (jnp.asarray(b) > 0), jnp.asarray(b) / a, jnp.nan)
    return power(ratio, 1.0 / (2.0 * jnp.asarray(eta)))


OVERTRAINING = Law(
    name="overtraining",
    loss=overtrained_loss,
    inputs=("flops", "tokens_per_param"),
    coefs=(
        Coef("E", "positive", (0.5, 1.0, 2.0), "irreducible loss", "nats/token", span=(0.3, 3.0)),
        Coef("a", "positive", (10.0, 100.0, 1000.0), "scale of the size term", "nats/token · FLOP^eta", span=(20, 1e3)),
        Coef("b", "positive", (10.0, 100.0, 1000.0), "scale of the data term", "nats/token · FLOP^eta", span=(20, 1e3)),
        Coef("eta", "positive", (0.05, 0.12, 0.3), "exponent of compute, half of that of params", span=(0.08, 0.25)),
    ),
    equation="L = E + (a*M^eta + b*M^-eta)/C^eta",
    source=GADRE + ", eq. 4",
    starts=partial(gridded, overtrained_loss, ("E", "a", "b"), {"eta": np.geomspace(0.02, 0.8, 24)}),
    published=tuple(
        Published(f"gadre2024-{corpus}", values, f"{GADRE}, runs on {name}, C4 validation loss; {RECIPE}", "refit")
        for corpus, name, values in (
            ("c4", "C4", (1.50826054172, 141.277254781, 189.515520432, 0.121236119499)),
            ("redpajama", "RedPajama", (1.83664837845, 212.236110248, 366.687173791, 0.136425351255)),
            ("refinedweb", "RefinedWeb", (1.73446208959, 157.116284132, 246.206686533, 0.127197422332)),
        )
    ),
    frontier="in closed form M* = (b/a)^(1/(2 eta)), optimal_tokens_per_param in jaxscale.laws.chinchilla",
    notes=(
        "It is chinchilla-tied with alpha = 2 eta, A = a 6^-eta and B = b 6^-eta on C = 6 N D.",
        "The authors fit four coefs to five runs: one residual degree of freedom, and errors up to 4.3 % on what "
        "was held out.",
        "M is tokens per param, D/N; it is derived where a table has both.",
    ),
)


@plainly
def under_chance(loss, chance):
    """Return e c / sqrt(e² + c²) of a loss e and that of chance c: the smaller one, smoothly; elementwise."""
    return loss / jnp.sqrt(1.0 + (loss / chance) ** 2)


def envelope_loss(params, tokens, *, E, A, B, alpha, beta, chance):
    """L(N, D) = e c/sqrt(e² + c²) with e = E + A N^-alpha + B D^-beta, in nats per token; elementwise in N and D."""
    return under_chance(loss(params, tokens, E=E, A=A, B=B, alpha=alpha, beta=beta), chance)


def envelope_starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 20 start points: chance a little above the largest loss, exponents from a grid, the rest by projection."""
    found: list[dict[str, float]] = []
    for factor in (1.002, 1.02, 1.1, 1.4, 3.0):
        chance = factor * float(np.max(target))
        inner = target / np.sqrt(1.0 - (target / chance) ** 2)
        best = gridded(loss, ("E", "A", "B"), ENVELOPE_GRID, columns, inner, keep=4)
        found += [{**start, "chance": chance} for start in best]
    return found


ENVELOPE_GRID = {"alpha": (0.15, 0.25, 0.35, 0.5), "beta": (0.15, 0.25, 0.35, 0.5)}

ENVELOPE = Law(
    name="rosenfeld",
    loss=envelope_loss,
    inputs=("params", "tokens"),
    coefs=(
        *CHINCHILLA.coefs,
        Coef("chance", "positive", (5.0, 10.0, 15.0), "loss of a random guess", "nats/token", span=(5.0, 12.0)),
    ),
    equation="L = e*chance/sqrt(e^2 + chance^2); e = E + A/N^alpha + B/D^beta",
    source=ROSENFELD + ", eq. 5",
    starts=envelope_starts,
    domain=(replace(PARAMS, low=1e4, high=1e10), replace(TOKENS, low=1e6, high=1e12)),
    frontier="the split of a budget is chinchilla's, since the envelope rises with what it holds",
    notes=(
        "The paper's eta is set to the loss of chance: only the ratio of the inner loss to eta would be identified.",
        "With that the floor of the loss is E chance/sqrt(E² + chance²), a little below E.",
        "chance is identified by runs that have hardly learned; elsewhere fix it, at ln of the vocabulary for one.",
    ),
)

LAWS = (CHINCHILLA, CHINCHILLA_TIED, OVERTRAINING, ENVELOPE)

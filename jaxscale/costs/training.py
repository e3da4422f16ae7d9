"""The FLOP of training, C = 6 N D or at another price, and the sizes that any two of them decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.costs.spec import SIZES, Amounts, Cost, Numbers

KAPLAN = "Kaplan et al. 2020, arXiv 2001.08361, §2.1"
FLOPS_PER_PARAM_TOKEN = 6.0
"""C = 6 N D: two for the forward pass and four for the backward one.   Source: Kaplan et al. 2020, §2.1."""
ROUNDED = -3.0 * np.log(0.995)
"""How far ln C/(6 N D) may be from zero by rounding: 3 significant digits may be cut off each of three columns."""


class Price(NamedTuple):
    """What N params on D tokens cost, C = k N^u D^v, in FLOP."""

    k: Numbers = FLOPS_PER_PARAM_TOKEN
    u: Numbers = 1.0
    v: Numbers = 1.0


SIX = Price()
"""C = 6 N D."""


class Priced(Protocol):
    """A law, as far as costs know it."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of its inputs, in order."""
        ...

    @property
    def flops_per_param_token(self) -> Callable[..., Amounts] | None:
        """What a param costs per token, in FLOP, of the inputs that are no sizes, by name; None where it is 6."""
        ...


def training_flops(params: Numbers, tokens: Numbers) -> Numbers:
    """Return C = 6 N D (convention `6nd`), FLOP: two per param and token forward, four backward.

    Source: Kaplan et al. 2020, §2.1.
    """
    return FLOPS_PER_PARAM_TOKEN * params * tokens


TRAINING = Cost("6nd", training_flops, source=KAPLAN)


def fixed_inputs(law: Priced) -> tuple[str, ...]:
    """Return the law's inputs that a budget does not decide, in order."""
    return tuple(name for name in law.inputs if name not in SIZES)


def cost_under(law: Priced) -> Cost:
    """Return what a run costs under a law: C = 6 N D, or its own price of a param per token times both."""
    price = law.flops_per_param_token
    if price is None:
        return TRAINING

    def amount(params: Amounts, tokens: Amounts, **inputs: Amounts) -> Amounts:
        return price(**inputs) * params * tokens

    return Cost(law.name, amount, source=f"law {law.name}", inputs=fixed_inputs(law))


def price_through(params: np.ndarray, tokens: np.ndarray, flops: np.ndarray, weight: np.ndarray) -> Price:
    """Return the price C = k N^u D nearest, in ln C, to the FLOP (n,) of runs; 6 N D where they are it, rounded.

    A size has a price of its own per token: 6 per parameter, and what attention and the head add.   weight: (n,); runs
    of weight zero or without a number do not count. Runs of one size leave u at 1.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        log_params = np.log(params)
        cost = np.log(flops) - log_params - np.log(tokens)
    is_known = np.isfinite(cost) & np.isfinite(log_params) & (weight > 0)
    log_params, cost, weight = log_params[is_known], cost[is_known], weight[is_known]
    if (np.abs(cost - np.log(FLOPS_PER_PARAM_TOKEN)) <= ROUNDED).all():
        return SIX
    middle = log_params - np.average(log_params, weights=weight)
    spread = np.sum(weight * middle**2)
    slope = float(np.sum(weight * middle * cost) / spread) if spread > 0 else 0.0
    level = np.average(cost - slope * log_params, weights=weight)
    return Price(k=float(np.exp(level)), u=1.0 + slope)


Rule = Callable[[Price, np.ndarray, np.ndarray], np.ndarray]

RULES: tuple[tuple[str, tuple[str, str], Rule], ...] = (
    ("params", ("tokens", "flops"), lambda p, tokens, flops: (flops / (p.k * tokens**p.v)) ** (1.0 / p.u)),
    ("params", ("tokens", "tokens_per_param"), lambda p, tokens, ratio: tokens / ratio),
    (
        "params",
        ("flops", "tokens_per_param"),
        lambda p, flops, ratio: (flops / (p.k * ratio**p.v)) ** (1.0 / (p.u + p.v)),
    ),
    ("tokens", ("params", "flops"), lambda p, params, flops: (flops / (p.k * params**p.u)) ** (1.0 / p.v)),
    ("tokens", ("params", "tokens_per_param"), lambda p, params, ratio: params * ratio),
    ("flops", ("params", "tokens"), lambda p, params, tokens: p.k * params**p.u * tokens**p.v),
    ("tokens_per_param", ("tokens", "params"), lambda p, tokens, params: tokens / params),
)
"""What is made of which two others, in this order."""

SOURCES = {name: next(sources for made, sources, _ in RULES if made == name) for name in SIZES}
"""The two others of which a table's column is made."""
FORMULAS = {
    "params": "flops / (6 tokens)",
    "tokens": "flops / (6 params)",
    "flops": "6 params tokens",
    "tokens_per_param": "tokens / params",
}
"""The same in words, for C = 6 N D."""


def decided(given: Mapping[str, ArrayLike], price: Price | None = SIX) -> dict[str, np.ndarray]:
    """Return the sizes that are given, and those that any two of them decide, float64; columns broadcast.

    price: None where it is not known; what rests on it is then absent.   Overflow and division by zero are not checked.
    """
    known = {name: np.asarray(given[name], dtype=np.float64) for name in SIZES if name in given}
    for name, sources, rule in RULES:
        is_priced = name == "flops" or "flops" in sources
        if name not in known and all(source in known for source in sources) and not (is_priced and price is None):
            with np.errstate(all="ignore"):
                known[name] = rule(price or SIX, *(known[source] for source in sources))
    return known


def params_alone(params: Amounts, tokens: Amounts) -> Amounts:
    """Return N, as a cost: what a team can serve."""
    return params + 0.0 * tokens


def tokens_alone(params: Amounts, tokens: Amounts) -> Amounts:
    """Return D, as a cost: what there is to train on."""
    return tokens + 0.0 * params


def ratio_of(params: Amounts, tokens: Amounts) -> Amounts:
    """Return D/N."""
    return tokens / params


PARAMS = Cost("params", params_alone, "params", "a size")
TOKENS = Cost("tokens", tokens_alone, "tokens", "a size")
TOKENS_PER_PARAM = Cost("tokens_per_param", ratio_of, "tokens per param", "two sizes")

"""One straight line in logarithms, with or without a floor: loss against compute, size or data alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jaxscale.laws.spec import Coef, Law
from jaxscale.laws.starts import Columns, floor_and_rest
from jaxscale.numerics import powers

HENIGHAN = "Henighan et al. 2020, arXiv 2010.14701, eq. 1.1"
KAPLAN = "Kaplan et al. 2020, arXiv 2001.08361, eqs. 1.1 to 1.3"
EXPONENTS = (0.03, 0.1, 0.3, 0.6, 1.2)


def loss_of_flops(flops, *, E, A, alpha):
    """L(C) = E + A C^-alpha, in nats per token; elementwise in C."""
    return E + A * powers.power(flops, -alpha)


def loss_of_params(params, *, E, A, alpha):
    """L(N) = E + A N^-alpha, in nats per token; elementwise in N."""
    return E + A * powers.power(params, -alpha)


def loss_of_tokens(tokens, *, E, A, alpha):
    """L(D) = E + A D^-alpha, in nats per token; elementwise in D."""
    return E + A * powers.power(tokens, -alpha)


def pure_loss_of_flops(flops, *, A, alpha):
    """L(C) = A C^-alpha, in nats per token; elementwise in C."""
    return A * powers.power(flops, -alpha)


def pure_loss_of_params(params, *, A, alpha):
    """L(N) = A N^-alpha, in nats per token; elementwise in N."""
    return A * powers.power(params, -alpha)


def pure_loss_of_tokens(tokens, *, A, alpha):
    """L(D) = A D^-alpha, in nats per token; elementwise in D."""
    return A * powers.power(tokens, -alpha)


def starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 25 start points through the median loss at the centre: five exponents, five floors."""
    return [
        {"E": floor, "A": rest * _centre(columns) ** alpha, "alpha": alpha}
        for alpha in EXPONENTS
        for floor, rest in (floor_and_rest(target, share) for share in (0.01, 0.3, 0.6, 0.85, 0.97))
    ]


def pure_starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 5 start points through the median loss at the centre, one per exponent."""
    level = float(np.median(target))
    return [{"A": level * _centre(columns) ** alpha, "alpha": alpha} for alpha in EXPONENTS]


def _centre(columns: Mapping[str, np.ndarray]) -> float:
    (column,) = columns.values()
    return float(np.exp(np.mean(np.log(column))))


def _coefs(letter: str, of: str) -> tuple[Coef, Coef, Coef]:
    return (
        Coef("E", "positive", (0.5, 1.0, 2.0), "irreducible loss", "nats/token", span=(0.3, 3.0)),
        Coef(
            "A",
            "positive",
            (1.0, 100.0, 10000.0),
            f"scale of the {of} term",
            f"nats/token · {of}^alpha",
            span=(5.0, 1000.0),
        ),
        Coef("alpha", "positive", EXPONENTS, f"exponent of {letter}", span=(0.04, 0.3)),
    )


POWER = Law("power", loss_of_flops, ("flops",), _coefs("C", "flops"), "L = E + A/C^alpha", HENIGHAN, starts)
POWER_PARAMS = Law(
    "power-params", loss_of_params, ("params",), _coefs("N", "params"), "L = E + A/N^alpha", HENIGHAN, starts
)
POWER_TOKENS = Law(
    "power-tokens", loss_of_tokens, ("tokens",), _coefs("D", "tokens"), "L = E + A/D^alpha", HENIGHAN, starts
)
PURE_POWER = Law(
    "pure-power", pure_loss_of_flops, ("flops",), _coefs("C", "flops")[1:], "L = A/C^alpha", KAPLAN, pure_starts
)
PURE_POWER_PARAMS = Law(
    "pure-power-params",
    pure_loss_of_params,
    ("params",),
    _coefs("N", "params")[1:],
    "L = A/N^alpha",
    KAPLAN,
    pure_starts,
)
PURE_POWER_TOKENS = Law(
    "pure-power-tokens",
    pure_loss_of_tokens,
    ("tokens",),
    _coefs("D", "tokens")[1:],
    "L = A/D^alpha",
    KAPLAN,
    pure_starts,
)

LAWS = (POWER, POWER_PARAMS, POWER_TOKENS, PURE_POWER, PURE_POWER_PARAMS, PURE_POWER_TOKENS)

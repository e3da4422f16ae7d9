"""Power laws in one variable, with or without an irreducible loss, a shift in compute, or data learned before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import jax
import numpy as np

from jaxscale.laws.inputs import TOKENS
from jaxscale.laws.spec import Coef, Law
from jaxscale.laws.starts import Columns, floor_and_rest, gridded
from jaxscale.numerics.powers import power

HENIGHAN = "Henighan et al. 2020, arXiv 2010.14701, eq. 1.1"
KAPLAN = "Kaplan et al. 2020, arXiv 2001.08361, eqs. 1.1 to 1.3"
EXPONENTS = (0.03, 0.1, 0.3, 0.6, 1.2)


def loss_of_flops(flops, *, E, A, alpha):
    """L(C) = E + A C^-alpha, in nats per token; elementwise in C."""
    return E + A * power(flops, -alpha)


def loss_of_params(params, *, E, A, alpha):
    """L(N) = E + A N^-alpha, in nats per token; elementwise in N."""
    return E + A * power(params, -alpha)


def loss_of_tokens(tokens, *, E, A, alpha):
    """L(D) = E + A D^-alpha, in nats per token; elementwise in D."""
    return E + A * power(tokens, -alpha)


def pure_loss_of_flops(flops, *, A, alpha):
    """L(C) = A C^-alpha, in nats per token; elementwise in C."""
    return A * power(flops, -alpha)


def pure_loss_of_params(params, *, A, alpha):
    """L(N) = A N^-alpha, in nats per token; elementwise in N."""
    return A * power(params, -alpha)


def pure_loss_of_tokens(tokens, *, A, alpha):
    """L(D) = A D^-alpha, in nats per token; elementwise in D."""
    return A * power(tokens, -alpha)


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
            "A", "positive", (1.0, 100.0, 1e4), f"scale of the {of} term", f"nats/token · {of}^alpha", span=(5.0, 1e3)
        ),
        Coef("alpha", "positive", EXPONENTS, f"exponent of {letter}", span=(0.04, 0.3)),
    )


def _line(name: str, loss: Callable[..., jax.Array], letter: str, of: str) -> Law:
    return Law(name, loss, (of,), _coefs(letter, of), f"L = E + A/{letter}^alpha", HENIGHAN, starts)


def _pure(name: str, loss: Callable[..., jax.Array], letter: str, of: str) -> Law:
    return Law(name, loss, (of,), _coefs(letter, of)[1:], f"L = A/{letter}^alpha", KAPLAN, pure_starts)


POWER = _line("power", loss_of_flops, "C", "flops")
POWER_PARAMS = _line("power-params", loss_of_params, "N", "params")
POWER_TOKENS = _line("power-tokens", loss_of_tokens, "D", "tokens")
PURE_POWER = _pure("pure-power", pure_loss_of_flops, "C", "flops")
PURE_POWER_PARAMS = _pure("pure-power-params", pure_loss_of_params, "N", "params")
PURE_POWER_TOKENS = _pure("pure-power-tokens", pure_loss_of_tokens, "D", "tokens")

NEZHURINA = "Nezhurina et al. 2025, arXiv 2506.04598"


def shifted_loss(flops, *, E, A, alpha, C_1):
    """L(C) = E + A (C + C_1)^-alpha, in nats per token; elementwise in C."""
    return E + A * power(flops + C_1, -alpha)


def shifted_starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 16 start points: exponent and shift from a grid over the table's compute, E and A by projection."""
    flops = columns["flops"]
    shifts = np.geomspace(0.1 * float(np.min(flops)), float(np.max(flops)), 16)
    return gridded(shifted_loss, ("E", "A"), {"alpha": np.geomspace(0.03, 0.8, 12), "C_1": shifts}, columns, target)


POWER_SHIFTED = Law(
    name="power-shifted",
    loss=shifted_loss,
    inputs=("flops",),
    coefs=(
        Coef("E", "positive", (0.5, 1.0, 2.0), "irreducible loss", "nats/token", span=(0.3, 3.0)),
        Coef("A", "positive", (10.0, 1e3, 1e5), "scale of the flops term", "nats/token · FLOP^alpha", span=(50.0, 5e4)),
        Coef("alpha", "positive", (0.05, 0.1, 0.3), "exponent of C", span=(0.08, 0.3)),
        Coef("C_1", "positive", (1e17, 1e18, 1e19), "compute below which the law is flat", "FLOP", span=(1e17, 1e20)),
    ),
    equation="L = E + A/(C + C_1)^alpha",
    source=NEZHURINA,
    starts=shifted_starts,
    frontier="loss alone: the law knows compute and no split of it",
    notes=("Without runs near C_1 the shift is not identified, and with few of them it trades off with alpha.",),
)


LIN = "Lin et al. 2024, arXiv 2402.02314"


def rectified_loss(tokens, *, E, B, beta, D_l):
    """L(D) = E + B/(D_l + D^beta), in nats per token; elementwise in D."""
    return E + B / (D_l + power(tokens, beta))


def rectified_starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 16 start points: beta and the size of D_l from a grid over the table's data, E and B by projection."""
    tokens = columns["tokens"]
    knees = np.geomspace(0.1 * float(np.min(tokens)), float(np.max(tokens)), 12)
    grid = {"beta": np.geomspace(0.1, 1.5, 14), "knee": knees}
    return gridded(rectified_loss, ("E", "B"), grid, columns, target, coefs=_knee_of)


def _knee_of(*, knee, beta, **others):
    """Return the coefs of a law whose flat phase ends near D = knee."""
    return {"D_l": knee**beta, "beta": beta, **others}


RECTIFIED = Law(
    name="rectified",
    loss=rectified_loss,
    inputs=("tokens",),
    coefs=(
        Coef("E", "positive", (0.5, 1.0, 2.0), "irreducible loss", "nats/token", span=(0.3, 3.0)),
        Coef("B", "positive", (10.0, 100.0, 1e3), "scale of the term", "nats/token · tokens^beta", span=(50.0, 1e3)),
        Coef("beta", "positive", (0.2, 0.4, 0.8), "exponent of tokens", span=(0.3, 0.7)),
        Coef(
            "D_l", "positive", (10.0, 100.0, 1e3), "data learned before, as D^beta", "tokens^beta", span=(30.0, 500.0)
        ),
    ),
    equation="L = E + B/(D_l + D^beta)",
    source=LIN + ", eq. 4",
    starts=rectified_starts,
    domain=(replace(TOKENS, meaning="tokens, or examples, fine-tuned on", low=1e4, high=1e9),),
    frontier="none: it knows the data of a fine-tuning alone",
    notes=(
        "D_l is in units of D^beta: the flat phase ends near D = D_l^(1/beta).",
        "Where no run lies in the flat phase D_l is not identified, and power-tokens says as much.",
    ),
)

LAWS = (POWER, POWER_PARAMS, POWER_TOKENS, PURE_POWER, PURE_POWER_PARAMS, PURE_POWER_TOKENS, POWER_SHIFTED, RECTIFIED)

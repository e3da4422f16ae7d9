"""Optimal learning rate and batch size as power laws of size, data or compute."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from jaxscale.laws.inputs import PARAMS
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.laws.starts import Columns, log_line
from jaxscale.numerics.powers import power

STEPLAW = "Li et al. 2025 (StepLaw), arXiv 2503.04715"
DEEPSEEK = "Bi et al. 2024 (DeepSeek LLM), arXiv 2401.02954"
PORIAN = "Porian et al. 2024, arXiv 2406.19146"
SEQUENCE = 2048
"""Tokens per sequence in Porian et al. 2024, which counts batches in sequences."""


def optimum_of_params_tokens(params, tokens, *, scale, a, b):
    """h(N, D) = scale N^a D^b, in the unit of scale; elementwise."""
    return scale * power(params, a) * power(tokens, b)


def optimum_of_tokens(tokens, *, scale, b):
    """h(D) = scale D^b, in the unit of scale; elementwise."""
    return scale * power(tokens, b)


def optimum_of_params(params, *, scale, a):
    """h(N) = scale N^a, in the unit of scale; elementwise."""
    return scale * power(params, a)


def optimum_of_flops(flops, *, scale, c):
    """h(C) = scale C^c, in the unit of scale; elementwise."""
    return scale * power(flops, c)


def starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return the one start point that least squares in logarithms gives, which is the optimum without outliers."""
    level, *slopes = log_line(tuple(columns.values()), target)
    return [{"scale": math.exp(level), **dict(zip([EXPONENT[name] for name in columns], slopes, strict=True))}]


EXPONENT = {"params": "a", "tokens": "b", "flops": "c"}
MAPPED = "The target is the best setting found in a sweep, not a loss: read it with --map loss=lr (or your header)."
FRONTIER = "none: the law gives a setting, not a loss; put the frontier's params, tokens and flops of a loss law in"


def _scale(meaning: str, low: float, high: float) -> Coef:
    return Coef("scale", starts=(1.0,), meaning=meaning, unit="the setting's", span=(low, high))


def _exponent(name: str, of: str) -> Coef:
    return Coef(name, "real", (-0.5, 0.5), f"exponent of {of}", span=(-0.9, 0.9))


STEPLAW_LR = Law(
    name="steplaw-lr",
    loss=optimum_of_params_tokens,
    inputs=("params", "tokens"),
    coefs=(_scale("the learning rate at N = D = 1", 1e-2, 1e2), _exponent("a", "params"), _exponent("b", "tokens")),
    equation="L = scale*N^a*D^b",
    source=STEPLAW,
    starts=starts,
    published=(Published("steplaw2025", (1.79, -0.713, 0.307), STEPLAW, "second-hand"),),
    domain=(replace(PARAMS, meaning="non-embedding parameters"),),
    frontier=FRONTIER,
    notes=(
        MAPPED,
        "Bjorck et al. 2024, arXiv 2409.19913, find the opposite sign of the exponent of tokens: -0.32, with -0.23 of "
        "params. The units of their scale, 1.55e-3, are not verified, so it is no set of this law.",
    ),
    target="learning rate",
)

STEPLAW_BATCH = Law(
    name="steplaw-batch",
    loss=optimum_of_tokens,
    inputs=("tokens",),
    coefs=(_scale("the batch size at D = 1", 1e-2, 1e2), _exponent("b", "tokens")),
    equation="L = scale*D^b",
    source=STEPLAW,
    starts=starts,
    published=(Published("steplaw2025", (0.58, 0.571), STEPLAW + "; batch size in tokens", "second-hand"),),
    frontier=FRONTIER,
    notes=(MAPPED, "Kaplan's critical batch size depends on the loss alone, DeepSeek's best one on compute."),
    target="batch size",
)

OPTIMUM_FLOPS = Law(
    name="optimum-flops",
    loss=optimum_of_flops,
    inputs=("flops",),
    coefs=(_scale("the setting at C = 1", 1e-2, 1e2), _exponent("c", "compute")),
    equation="L = scale*C^c",
    source=DEEPSEEK,
    starts=starts,
    published=(
        Published("deepseek2024-lr", (0.3118, -0.1250), DEEPSEEK + "; learning rate", "second-hand"),
        Published("deepseek2024-batch", (0.2920, 0.3271), DEEPSEEK + "; batch size in tokens", "second-hand"),
    ),
    frontier=FRONTIER,
    notes=(MAPPED, "DeepSeek's compute is M D with M non-embedding FLOP per token, fitted from 1e17 to 2e19 FLOP."),
    target="learning rate or batch size",
)

OPTIMUM_PARAMS = Law(
    name="optimum-params",
    loss=optimum_of_params,
    inputs=("params",),
    coefs=(_scale("the setting at N = 1", 1e-2, 1e2), _exponent("a", "params")),
    equation="L = scale*N^a",
    source=PORIAN,
    starts=starts,
    published=(
        Published("porian2024-lr", (3.7, -0.36), PORIAN + "; learning rate", "second-hand"),
        Published(
            "porian2024-batch",
            (0.00037 * SEQUENCE, 0.703),
            PORIAN + "; batch size in tokens, 0.00037 N^0.703 sequences of 2048 there",
            "second-hand",
        ),
    ),
    domain=(replace(PARAMS, meaning="parameters with the head and without embeddings"),),
    frontier=FRONTIER,
    notes=(MAPPED, "Porian et al. count batches in sequences of 2048 tokens; here they are in tokens."),
    target="learning rate or batch size",
)

LAWS = (STEPLAW_LR, STEPLAW_BATCH, OPTIMUM_FLOPS, OPTIMUM_PARAMS)

"""The rectified law of fine-tuning: data that pre-training has taught already comes first, and flattens the start."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jaxscale.laws.inputs import TOKENS
from jaxscale.laws.spec import Coef, Law
from jaxscale.laws.starts import Columns, gridded
from jaxscale.numerics.powers import power

LIN = "Lin et al. 2024, arXiv 2402.02314"


def loss(tokens, *, E, B, beta, D_l):
    """L(D) = E + B/(D_l + D^beta), in nats per token; elementwise in D."""
    return E + B / (D_l + power(tokens, beta))


def starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 16 start points: beta and the size of D_l from a grid over the table's data, E and B by projection."""
    tokens = columns["tokens"]
    knees = np.geomspace(0.1 * float(np.min(tokens)), float(np.max(tokens)), 12)
    grid = {"beta": np.geomspace(0.1, 1.5, 14), "knee": knees}
    return gridded(loss, ("E", "B"), grid, columns, target, coefs=_knee_of)


def _knee_of(*, knee, beta, **others):
    """Return the coefs of a law whose flat phase ends near D = knee."""
    return {"D_l": knee**beta, "beta": beta, **others}


RECTIFIED = Law(
    name="rectified",
    loss=loss,
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
    starts=starts,
    domain=(replace(TOKENS, meaning="tokens, or examples, fine-tuned on", low=1e4, high=1e9),),
    frontier="none: it knows the data of a fine-tuning alone",
    notes=(
        "D_l is in units of D^beta: the flat phase ends near D = D_l^(1/beta).",
        "Where no run lies in the flat phase D_l is not identified, and power-tokens says as much.",
    ),
)

LAWS = (RECTIFIED,)

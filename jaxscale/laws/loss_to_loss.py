"""Loss to loss: what the same model loses on other data, as a power of what it loses here above both floors."""

from __future__ import annotations

import numpy as np

from jaxscale.laws.inputs import Input
from jaxscale.laws.spec import Coef, Law
from jaxscale.laws.starts import Columns, gridded
from jaxscale.numerics.powers import power

BRANDFONBRENER = "Brandfonbrener et al. 2024, arXiv 2411.12925"
SOURCE_LOSS = Input("source_loss", "L_0", "nats/token", "loss on the data that the law starts from", 2.0, 6.0)


def loss(source_loss, *, K, kappa, E_0, E_1):
    """L_1(L_0) = E_1 + K (L_0 - E_0)^kappa, in nats per token; elementwise in L_0, NaN for L_0 < E_0."""
    return E_1 + K * power(source_loss - E_0, kappa)


def starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 16 start points: E_0 below the smallest source loss and kappa from a grid, K and E_1 by projection."""
    floors = np.min(columns["source_loss"]) * np.array((0.1, 0.3, 0.5, 0.65, 0.8, 0.9, 0.97))
    grid = {"E_0": floors, "kappa": (0.4, 0.6, 0.8, 0.95, 1.05, 1.2, 1.5, 2.0)}
    return gridded(loss, ("E_1", "K"), grid, columns, target)


LOSS_TO_LOSS = Law(
    name="loss-to-loss",
    loss=loss,
    inputs=("source_loss",),
    coefs=(
        Coef("K", "positive", (0.5, 1.0, 2.0), "scale", "(nats/token)^(1 - kappa)", span=(0.5, 2.0)),
        Coef("kappa", "positive", (0.8, 1.1, 1.3), "exponent", span=(1.05, 1.5)),
        Coef("E_0", "positive", (0.5, 1.0, 1.5), "irreducible loss on the source", "nats/token", span=(0.8, 1.9)),
        Coef("E_1", "positive", (0.5, 1.0, 1.5), "irreducible loss on the target", "nats/token", span=(0.5, 2.0)),
    ),
    equation="L = E_1 + K*(L_0 - E_0)^kappa",
    source=BRANDFONBRENER,
    starts=starts,
    domain=(SOURCE_LOSS,),
    frontier="none of its own: it keeps the order of losses, so the optimal split of a budget is the source's",
    notes=(
        "At kappa = 1 it is a straight line, and E_0 and E_1 are not identified one by one: fix E_0 to the source's.",
        "E_0 lies below the smallest source loss; fix it where the source has a fitted law of its own.",
        "About eight pairs of losses carry a law to a new tokenizer or validation set.",
    ),
)

LAWS = (LOSS_TO_LOSS,)

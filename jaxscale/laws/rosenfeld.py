"""Rosenfeld's envelope: the loss of a random guess bounds the separable law from above, smoothly."""

from __future__ import annotations

from dataclasses import replace

import jax.numpy as jnp
import numpy as np

from jaxscale.laws import chinchilla
from jaxscale.laws.inputs import PARAMS, TOKENS
from jaxscale.laws.spec import Coef, Law
from jaxscale.laws.starts import Columns, gridded
from jaxscale.precision import plainly

ROSENFELD = "Rosenfeld et al. 2020, arXiv 1909.12673"


@plainly
def under_chance(loss, chance):
    """Return e c / sqrt(e² + c²) of a loss e and that of chance c: the smaller one, smoothly; elementwise."""
    return loss / jnp.sqrt(1.0 + (loss / chance) ** 2)


def loss(params, tokens, *, E, A, B, alpha, beta, chance):
    """L(N, D) = e c/sqrt(e² + c²) with e = E + A N^-alpha + B D^-beta, in nats per token; elementwise in N and D."""
    return under_chance(chinchilla.loss(params, tokens, E=E, A=A, B=B, alpha=alpha, beta=beta), chance)


def starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 20 start points: chance a little above the largest loss, exponents from a grid, the rest by projection."""
    found: list[dict[str, float]] = []
    for factor in (1.002, 1.02, 1.1, 1.4, 3.0):
        chance = factor * float(np.max(target))
        inner = target / np.sqrt(1.0 - (target / chance) ** 2)
        best = gridded(chinchilla.loss, ("E", "A", "B"), GRID, columns, inner, keep=4)
        found += [{**start, "chance": chance} for start in best]
    return found


GRID = {"alpha": (0.15, 0.25, 0.35, 0.5), "beta": (0.15, 0.25, 0.35, 0.5)}

ENVELOPE = Law(
    name="rosenfeld",
    loss=loss,
    inputs=("params", "tokens"),
    coefs=(
        *chinchilla.CHINCHILLA.coefs,
        Coef("chance", "positive", (5.0, 10.0, 15.0), "loss of a random guess", "nats/token", span=(5.0, 12.0)),
    ),
    equation="L = e*chance/sqrt(e^2 + chance^2); e = E + A/N^alpha + B/D^beta",
    source=ROSENFELD + ", eq. 5",
    starts=starts,
    domain=(replace(PARAMS, low=1e4, high=1e10), replace(TOKENS, low=1e6, high=1e12)),
    frontier="the split of a budget is chinchilla's, since the envelope rises with what it holds",
    notes=(
        "The paper's eta is set to the loss of chance: only the ratio of the inner loss to eta would be identified.",
        "With that the floor of the loss is E chance/sqrt(E² + chance²), a little below E.",
        "chance is identified by runs that have hardly learned; elsewhere fix it, at ln of the vocabulary for one.",
    ),
)

LAWS = (ENVELOPE,)

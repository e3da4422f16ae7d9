"""Families with Chinchilla's and Kaplan's laws as members: one more exponent says how both terms add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxscale.laws import chinchilla
from jaxscale.laws.spec import Coef, Law
from jaxscale.laws.starts import Columns, projected

KAPLAN = "Kaplan et al. 2020, arXiv 2001.08361, eq. 1.5"
HOFFMANN = "Hoffmann et al. 2022, arXiv 2203.15556, eq. 2"
BUSBRIDGE = "Busbridge et al. 2025, arXiv 2502.08606"
SHOWN = (
    "Both terms must show in the runs: where one is below 1e-12 of the other throughout, its coefs are chance, though "
    "a fit of runs without noise may converge."
)
BENDS = (0.2, 0.35, 0.6, 1.0, 1.6)


def bracket(log_size: ArrayLike, log_data: ArrayLike, bend: ArrayLike):
    """Return (e^(x/q) + e^(y/q))^q for x = log_size, y = log_data, q = bend > 0; the larger of both as q → 0."""
    return jnp.exp(bend * jnp.logaddexp(log_size / bend, log_data / bend))


def loss_of_q(params, tokens, *, E, A, B, alpha, beta, q):
    """L(N, D) = E + [(A N^-alpha)^(1/q) + (B D^-beta)^(1/q)]^q, in nats per token; elementwise in N and D."""
    return E + bracket(jnp.log(A) - alpha * jnp.log(params), jnp.log(B) - beta * jnp.log(tokens), q)


def loss_of_gamma(params, tokens, *, E, A, B, alpha, beta, gamma):
    """L(N, D) = E + (A N^-alpha + B D^-beta)^gamma, in nats per token; elementwise in N and D."""
    log_size, log_data = jnp.log(A) - alpha * jnp.log(params), jnp.log(B) - beta * jnp.log(tokens)
    return E + bracket(gamma * log_size, gamma * log_data, gamma)


def _inside(params, tokens, *, A, B, size, data, gamma, rest):
    """Return what the bracket of nested-gamma holds: it has the loss's exponents, size and data, over gamma."""
    return chinchilla.loss(params, tokens, E=0.0, A=A, B=B, alpha=size / gamma, beta=data / gamma)


def starts_of_gamma(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 24 start points: floor, exponents and gamma searched, A and B solved for in (L - E)^(1/gamma).

    The exponents are searched as those of the loss itself, gamma times those inside the bracket.
    """
    least = float(np.min(target))

    def linearised(setting: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        above, gamma = target - least * (1.0 - setting["rest"]), setting["gamma"]
        found = above ** (1.0 / gamma)
        return found, gamma * above / (found * target)

    ranges = {"rest": (0.01, 0.95), "size": (0.05, 1.0), "data": (0.05, 1.0), "gamma": (0.15, 2.0)}
    found = projected(_inside, ("A", "B"), ranges, columns, target, linearised=linearised, keep=24)
    for start in found:
        start["E"] = least * (1.0 - start.pop("rest"))
        start["alpha"], start["beta"] = (start.pop(name) / start["gamma"] for name in ("size", "data"))
    return found


def starts_of_q(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return the start points of the other family in these coefs: q = gamma, A^gamma, B^gamma, and the slopes."""
    found = []
    for start in starts_of_gamma(columns, target):
        q = start["gamma"]
        scales = {name: start[name] ** q for name in ("A", "B")}
        found.append({"E": start["E"], **scales, "alpha": start["alpha"] * q, "beta": start["beta"] * q, "q": q})
    return found


NESTED_Q = Law(
    name="nested-q",
    loss=loss_of_q,
    inputs=("params", "tokens"),
    coefs=(
        chinchilla.FLOOR,
        replace(chinchilla.SIZE, span=(100.0, 1e3)),
        replace(chinchilla.DATA, span=(300.0, 3e3)),
        replace(chinchilla.ALPHA, span=(0.25, 0.4)),
        replace(chinchilla.BETA, span=(0.25, 0.4)),
        Coef("q", "positive", BENDS, "how shortages add up: 1 a sum, near 0 the larger one", span=(0.35, 1.5)),
    ),
    equation="L = E + [(A/N^alpha)^(1/q) + (B/D^beta)^(1/q)]^q",
    source=f"{HOFFMANN}, and {KAPLAN}, as members of one family",
    starts=starts_of_q,
    frontier="the exponents of the optimum are Chinchilla's, only its scale depends on q",
    notes=(
        "q = 1 is chinchilla; E = 0 with q = beta = alpha_D, A = N_c^alpha_N and B = D_c^alpha_D is kaplan.",
        SHOWN,
        "To choose between them compare held-out losses: near q = 1 the floor and q trade off.",
    ),
)

NESTED_GAMMA = Law(
    name="nested-gamma",
    loss=loss_of_gamma,
    inputs=("params", "tokens"),
    coefs=(
        chinchilla.FLOOR,
        Coef("A", "positive", (10.0, 3e3, 1e6), "scale of the size term", "params^alpha", span=(1e3, 1e4)),
        Coef("B", "positive", (10.0, 3e3, 1e6), "scale of the data term", "tokens^beta", span=(5e3, 5e4)),
        Coef("alpha", "positive", (0.1, 0.4, 1.0), "exponent of params inside the bracket", span=(0.35, 0.47)),
        Coef("beta", "positive", (0.1, 0.4, 1.0), "exponent of tokens inside the bracket", span=(0.37, 0.48)),
        Coef("gamma", "positive", BENDS, "exponent of the bracket", span=(0.35, 1.5)),
    ),
    equation="L = E + (A/N^alpha + B/D^beta)^gamma",
    source=f"{BUSBRIDGE}, the law of supervised models",
    starts=starts_of_gamma,
    frontier="the split of a budget is that of chinchilla with the same A, B, alpha and beta",
    notes=(SHOWN, "It is nested-q with q = gamma, A^gamma, B^gamma, gamma alpha and gamma beta."),
)

LAWS = (NESTED_Q, NESTED_GAMMA)

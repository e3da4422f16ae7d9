"""Experts, size and data at once: the number of experts moves the scale and the exponent of both terms."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import jax.numpy as jnp

from jaxscale.laws import chinchilla
from jaxscale.laws.inputs import PARAMS
from jaxscale.laws.routed import EXPERTS, saturated_experts, with_ceiling
from jaxscale.laws.spec import Coef, Law
from jaxscale.laws.starts import projected
from jaxscale.numerics.powers import power

SOURCE = "Ludziejewski et al. 2025, arXiv 2502.05172"


def loss(params, tokens, experts, *, a, alpha, delta, gamma, b, beta, omega, zeta, c, E_start, E_max):
    """L = a Ê^delta N^(alpha + gamma ln Ê) + b Ê^omega D^(beta + zeta ln Ê) + c, N active params; elementwise."""
    routed = saturated_experts(experts, E_start, E_max)
    core = {"A": a * power(routed, delta), "B": b * power(routed, omega)}
    slopes = {"alpha": -alpha - gamma * jnp.log(routed), "beta": -beta - zeta * jnp.log(routed)}
    return chinchilla.loss(params, tokens, E=c, **core, **slopes)


RANGES = {
    "alpha": (-0.4, -0.1), "delta": (-0.5, -0.05), "gamma": (0.002, 0.03), "beta": (-0.4, -0.1),
    "omega": (0.1, 0.9), "zeta": (-0.05, -0.005), "E_start": (1.2, 5.0), "ceiling": (30.0, 400.0),
}  # fmt: skip

EXPERTS_JOINT = Law(
    name="experts-joint",
    loss=loss,
    inputs=("params", "tokens", "experts"),
    ordered=(("E_start", "E_max"),),
    coefs=(
        Coef("a", starts=(30.0,), meaning="scale of the size term", unit="nats/token/params^alpha", span=(15.0, 80.0)),
        Coef("alpha", "real", (-0.2,), "exponent of active params, negative", span=(-0.3, -0.15)),
        Coef("delta", "real", (-0.2,), "exponent of Ê in the size term", span=(-0.35, -0.15)),
        Coef("gamma", "real", (0.01,), "what experts add to the exponent of params", span=(0.006, 0.015)),
        Coef("b", starts=(30.0,), meaning="scale of the data term", unit="nats/token/tokens^beta", span=(15.0, 80.0)),
        Coef("beta", "real", (-0.2,), "exponent of tokens, negative", span=(-0.3, -0.15)),
        Coef("omega", "real", (0.5,), "exponent of Ê in the data term", span=(0.3, 0.7)),
        Coef("zeta", "real", (-0.025,), "what experts add to the exponent of tokens", span=(-0.035, -0.015)),
        Coef("c", starts=(1.0,), meaning="irreducible loss", unit="nats/token", span=(0.5, 2.0)),
        Coef("E_start", starts=(2.0,), meaning="Ê of a dense network", unit="experts", span=(1.5, 4.0)),
        Coef("E_max", starts=(300.0,), meaning="Ê at most", unit="experts", span=(100.0, 500.0)),
    ),
    equation=(
        "L = a*E_hat^delta*N^(alpha + gamma*ln(E_hat)) + b*E_hat^omega*D^(beta + zeta*ln(E_hat)) + c; "
        "E_hat = 1/(1/(E - 1 + 1/(1/E_start - 1/E_max)) + 1/E_max)"
    ),
    source=SOURCE,
    starts=partial(projected, loss, ("a", "b", "c"), RANGES, coefs=with_ceiling, keep=48),
    domain=(replace(PARAMS, meaning="active parameters, those that a token passes"), replace(EXPERTS, high=128.0)),
    frontier="it is the separable law's with A = a Ê^delta and so on; N are the active params",
    notes=(
        "N is active parameters; the memory that all experts need is not in the budget.",
        "No constants ship: the magnitudes known second-hand come without sure signs. Of the patterns tried only "
        "alpha, beta, delta and zeta negative, gamma and omega positive give a loss that falls with experts.",
    ),
)

LAWS = (EXPERTS_JOINT,)

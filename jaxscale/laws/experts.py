"""Mixtures of experts: number of experts, share of idle ones and granularity, beside size and data."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import jax.numpy as jnp

from jaxscale.laws import chinchilla
from jaxscale.laws.chinchilla import DATA, SIZE
from jaxscale.laws.inputs import PARAMS, Input
from jaxscale.laws.routed import EXPERTS, saturated_experts, with_ceiling
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.laws.starts import projected
from jaxscale.numerics.powers import power

LUDZIEJEWSKI = "Ludziejewski et al. 2025, arXiv 2502.05172"


def joint_loss(params, tokens, experts, *, a, alpha, delta, gamma, b, beta, omega, zeta, c, E_start, E_max):
    """L = a Ê^delta N^(alpha + gamma ln Ê) + b Ê^omega D^(beta + zeta ln Ê) + c, N active params; elementwise."""
    routed = saturated_experts(experts, E_start, E_max)
    core = {"A": a * power(routed, delta), "B": b * power(routed, omega)}
    slopes = {"alpha": -alpha - gamma * jnp.log(routed), "beta": -beta - zeta * jnp.log(routed)}
    return chinchilla.loss(params, tokens, E=c, **core, **slopes)


JOINT_RANGES = {
    "alpha": (-0.4, -0.1), "delta": (-0.5, -0.05), "gamma": (0.002, 0.03), "beta": (-0.4, -0.1),
    "omega": (0.1, 0.9), "zeta": (-0.05, -0.005), "E_start": (1.2, 5.0), "ceiling": (30.0, 400.0),
}  # fmt: skip

EXPERTS_JOINT = Law(
    name="experts-joint",
    loss=joint_loss,
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
    source=LUDZIEJEWSKI,
    starts=partial(projected, joint_loss, ("a", "b", "c"), JOINT_RANGES, coefs=with_ceiling, keep=48),
    domain=(replace(PARAMS, meaning="active parameters, those that a token passes"), replace(EXPERTS, high=128.0)),
    frontier="it is the separable law's with A = a Ê^delta and so on; N are the active params",
    notes=(
        "N is active parameters; the memory that all experts need is not in the budget.",
        "No constants ship: the magnitudes known second-hand come without sure signs. Of the patterns tried only "
        "alpha, beta, delta and zeta negative, gamma and omega positive give a loss that falls with experts.",
    ),
)


ABNAR = "Abnar et al. 2025, arXiv 2501.12370"
IDLE = Input(
    "idle_experts", "S", "share", "share of the experts that a token does not pass, (E - K)/E", 0.0, 0.98, is_open=True
)


def sparsity_loss(params, tokens, idle_experts, *, a, b, c, d, e, alpha, beta, lambda_, delta, gamma):
    """L(N, D, S) = a N^-alpha + b D^-beta + c (1-S)^-lambda + d (1-S)^-delta N^-gamma + e; elementwise."""
    active = 1.0 - idle_experts
    separable = chinchilla.loss(params, tokens, E=e, A=a, B=b, alpha=alpha, beta=beta)
    return separable + c * power(active, -lambda_) + d * power(active, -delta) * power(params, -gamma)


def flops_per_param_token(*, idle_experts):
    """Return 6 (1 - S), FLOP per total parameter and token: idle experts cost nothing, all else is neglected."""
    return 6.0 * (1.0 - idle_experts)


SPARSITY_RANGES = {
    "alpha": (0.3, 1.0), "beta": (0.1, 0.8), "lambda_": (-0.8, -0.05), "delta": (0.05, 0.6), "gamma": (0.05, 0.4),
}  # fmt: skip

EXPERTS_SPARSITY = Law(
    name="experts-sparsity",
    loss=sparsity_loss,
    inputs=("params", "tokens", "idle_experts"),
    coefs=(
        Coef("a", starts=(1e4,), meaning="scale of the size term", unit=SIZE.unit, span=(3e3, 3e4)),
        Coef("b", starts=(5e3,), meaning="scale of the data term", unit=DATA.unit, span=(1e3, 1e4)),
        Coef("c", starts=(0.5,), meaning="scale of the sparsity term", unit="nats/token", span=(0.3, 1.0)),
        Coef("d", "positive", (20.0,), "scale of the joint term", "nats/token · params^gamma", span=(5.0, 40.0)),
        Coef("e", starts=(1.0,), meaning="irreducible loss", unit="nats/token", span=(0.5, 1.5)),
        Coef("alpha", starts=(0.6,), meaning="exponent of params", span=(0.5, 0.7)),
        Coef("beta", starts=(0.4,), meaning="exponent of tokens", span=(0.3, 0.5)),
        Coef("lambda_", "real", (-0.2,), "exponent of the active share", span=(-0.4, -0.15)),
        Coef("delta", starts=(0.2,), meaning="exponent of the active share in the joint term", span=(0.1, 0.3)),
        Coef("gamma", starts=(0.2,), meaning="exponent of params in the joint term", span=(0.12, 0.25)),
    ),
    equation="L = a/N^alpha + b/D^beta + c/(1 - S)^lambda_ + d/(1 - S)^delta/N^gamma + e",
    source=ABNAR + ", eq. 6",
    starts=partial(projected, sparsity_loss, ("a", "b", "c", "d", "e"), SPARSITY_RANGES, keep=32),
    published=(
        Published(
            "abnar2025",
            (16612.50, 5455.67, 0.4598, 17.26, 0.94, 0.5962, 0.3954, -0.1666, 0.1603, 0.1595),
            ABNAR,
            "second-hand",
        ),
    ),
    domain=(replace(PARAMS, meaning="total parameters, active or not"), IDLE),
    flops_per_param_token=flops_per_param_token,
    frontier="C = 6 N (1-S) D",
    notes=(
        "The exponent lambda is negative as printed: its term falls with sparsity.",
        "The paper reports that the law explains 68 % of the variance of held-out losses.",
        "The price counts a share 1 - S of all parameters as active, though only experts are ever idle.",
    ),
)


KRAJEWSKI = "Krajewski et al. 2024, arXiv 2402.07871"
GRANULARITY = Input(
    "granularity", "G", "ratio", "width of a dense feed-forward layer over that of an expert, d_ff/d_expert", 1.0, 64.0
)


def granularity_loss(params, tokens, granularity, *, a, alpha, b, beta, g, gamma, c):
    """L(N, D, G) = c + (g/G^gamma + a) N^-alpha + b D^-beta, in nats per token; elementwise."""
    scale = a + g * power(granularity, -gamma)
    return chinchilla.loss(params, tokens, E=c, A=scale, B=b, alpha=alpha, beta=beta)


GRANULARITY_RANGES = {"alpha": (0.05, 0.6), "beta": (0.05, 0.6), "gamma": (0.1, 2.0)}

GRANULAR = Law(
    name="granularity",
    loss=granularity_loss,
    inputs=("params", "tokens", "granularity"),
    coefs=(
        Coef("a", starts=(18.0,), meaning="scale of the finest size term", unit=SIZE.unit, span=(5.0, 50.0)),
        Coef("alpha", starts=(0.1, 0.3), meaning="exponent of params", span=(0.1, 0.3)),
        Coef("b", starts=(30.0,), meaning="scale of the data term", unit=DATA.unit, span=(10.0, 100.0)),
        Coef("beta", starts=(0.1, 0.3), meaning="exponent of tokens", span=(0.1, 0.3)),
        Coef("g", starts=(2.0,), meaning="what coarse experts add to a", unit=SIZE.unit, span=(0.5, 10.0)),
        Coef("gamma", starts=(0.5,), meaning="exponent of granularity", span=(0.3, 1.2)),
        Coef("c", starts=(0.5,), meaning="irreducible loss", unit="nats/token", span=(0.3, 2.0)),
    ),
    equation="L = c + (g/G^gamma + a)/N^alpha + b/D^beta",
    source=KRAJEWSKI,
    starts=partial(projected, granularity_loss, ("c", "a", "g", "b"), GRANULARITY_RANGES),
    published=(Published("krajewski2024", (18.1, 0.115, 30.8, 0.147, 2.1, 0.58, 0.47), KRAJEWSKI, "second-hand"),),
    domain=(replace(PARAMS, meaning="total non-embedding parameters, expansion rate 64"), GRANULARITY),
    frontier="it is the separable law's with A = a + g/G^gamma",
    notes=(
        "N is total non-embedding parameters at 64 times as many experts as a dense layer has; it is not active ones.",
        "C = 6 N D leaves the cost of routing out, so that at a given budget finer experts always look better here.",
        "A secondary source groups the equation wrongly, as g/G^gamma + a (1/b + N^alpha/D^beta).",
    ),
)

LAWS = (EXPERTS_JOINT, EXPERTS_SPARSITY, GRANULAR)

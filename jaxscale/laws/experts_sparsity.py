"""Sparsity of expert networks: the share of idle parameters moves both the floor and the worth of size."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from jaxscale.laws import chinchilla
from jaxscale.laws.chinchilla import DATA, SIZE
from jaxscale.laws.inputs import PARAMS, Input
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.laws.starts import projected
from jaxscale.numerics.powers import power

SOURCE = "Abnar et al. 2025, arXiv 2501.12370"
IDLE = Input(
    "idle_experts", "S", "share", "share of the experts that a token does not pass, (E - K)/E", 0.0, 0.98, is_open=True
)


def loss(params, tokens, idle_experts, *, a, b, c, d, e, alpha, beta, lambda_, delta, gamma):
    """L(N, D, S) = a N^-alpha + b D^-beta + c (1-S)^-lambda + d (1-S)^-delta N^-gamma + e; elementwise."""
    active = 1.0 - idle_experts
    separable = chinchilla.loss(params, tokens, E=e, A=a, B=b, alpha=alpha, beta=beta)
    return separable + c * power(active, -lambda_) + d * power(active, -delta) * power(params, -gamma)


def flops_per_param_token(*, idle_experts):
    """Return 6 (1 - S), FLOP per total parameter and token: idle experts cost nothing, all else is neglected."""
    return 6.0 * (1.0 - idle_experts)


RANGES = {
    "alpha": (0.3, 1.0), "beta": (0.1, 0.8), "lambda_": (-0.8, -0.05), "delta": (0.05, 0.6), "gamma": (0.05, 0.4),
}  # fmt: skip

EXPERTS_SPARSITY = Law(
    name="experts-sparsity",
    loss=loss,
    inputs=("params", "tokens", "idle_experts"),
    coefs=(
        Coef("a", starts=(1e4,), meaning="scale of the size term", unit=SIZE.unit, span=(3e3, 3e4)),
        Coef("b", starts=(5e3,), meaning="scale of the data term", unit=DATA.unit, span=(1e3, 1e4)),
        Coef("c", starts=(0.5,), meaning="scale of the sparsity term", unit="nats/token", span=(0.3, 1.0)),
        Coef(
            "d", starts=(20.0,), meaning="scale of the joint term", unit="nats/token · params^gamma", span=(5.0, 40.0)
        ),
        Coef("e", starts=(1.0,), meaning="irreducible loss", unit="nats/token", span=(0.5, 1.5)),
        Coef("alpha", starts=(0.6,), meaning="exponent of params", span=(0.5, 0.7)),
        Coef("beta", starts=(0.4,), meaning="exponent of tokens", span=(0.3, 0.5)),
        Coef("lambda_", "real", (-0.2,), "exponent of the active share", span=(-0.4, -0.15)),
        Coef("delta", starts=(0.2,), meaning="exponent of the active share in the joint term", span=(0.1, 0.3)),
        Coef("gamma", starts=(0.2,), meaning="exponent of params in the joint term", span=(0.12, 0.25)),
    ),
    equation="L = a/N^alpha + b/D^beta + c/(1 - S)^lambda_ + d/(1 - S)^delta/N^gamma + e",
    source=SOURCE + ", eq. 6",
    starts=partial(projected, loss, ("a", "b", "c", "d", "e"), RANGES, keep=32),
    published=(
        Published(
            "abnar2025",
            (16612.50, 5455.67, 0.4598, 17.26, 0.94, 0.5962, 0.3954, -0.1666, 0.1603, 0.1595),
            SOURCE,
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

LAWS = (EXPERTS_SPARSITY,)

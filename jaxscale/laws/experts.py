"""Mixtures of experts: their number at fixed tokens, and number, idle share and granularity beside size and data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxscale.laws import chinchilla
from jaxscale.laws.chinchilla import DATA, SIZE
from jaxscale.laws.inputs import PARAMS, ROUNDING, Input
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.laws.starts import Columns, projected
from jaxscale.numerics.powers import power
from jaxscale.precision import plainly

CLARK = "Clark et al. 2022, arXiv 2202.01169"
EXPERTS = Input("experts", "E", "experts", "experts per routed layer, 1 for a dense network", 1.0, 512.0, least=1.0)
LN_10 = float(np.log(10.0))

LUDZIEJEWSKI = "Ludziejewski et al. 2025, arXiv 2502.05172"


def routed_loss(params, experts, *, a, b, c, d, E_start, E_max):
    """L(N, E) = 10^(a log10 N + b log10 Ê + c log10 N log10 Ê + d), in nats per token; elementwise in N and E."""
    return power(10.0, log10_routed_loss(params, experts, a=a, b=b, c=c, d=d, E_start=E_start, E_max=E_max))


def log10_routed_loss(params, experts, *, a, b, c, d, E_start, E_max):
    """log10 L(N, E) = a log10 N + b log10 Ê + c log10 N log10 Ê + d; elementwise."""
    size, routed = jnp.log(params) / LN_10, jnp.log(saturated_experts(experts, E_start, E_max)) / LN_10
    return a * size + b * routed + c * size * routed + d


@plainly
def saturated_experts(experts: ArrayLike, E_start: ArrayLike, E_max: ArrayLike):
    """Return Ê, with 1/Ê = 1/(E - 1 + (1/E_start - 1/E_max)^-1) + 1/E_max: E_start at one expert, E_max at most.

    NaN unless 0 < E_start < E_max and experts ≥ 1; elementwise.   Source: Clark et al. 2022.
    """
    low, high, count = jnp.asarray(E_start), jnp.asarray(E_max), jnp.asarray(experts)
    offset = 1.0 / (1.0 / low - 1.0 / high)
    found = 1.0 / (1.0 / (count - 1.0 + offset) + 1.0 / high)
    return jnp.where((low > 0) & (low < high) & (count >= 1.0 - ROUNDING), found, jnp.nan)


@plainly
def effective_params(params: ArrayLike, experts: ArrayLike, coefs: Mapping[str, ArrayLike]):
    """Return the size of the dense network with the same loss, the effective parameter count; elementwise.

    N_eff = N^(s(Ê)/s(E_start)) (Ê/E_start)^(b/s(E_start)) with s(Ê) = a + c log10 Ê.   coefs: those of the law.
    Source: Clark et al. 2022, the definition of the EPC.
    """
    routed = saturated_experts(experts, coefs["E_start"], coefs["E_max"])

    def slope(count: ArrayLike):
        return jnp.asarray(coefs["a"]) + jnp.asarray(coefs["c"]) * jnp.log10(jnp.asarray(count))

    dense = slope(coefs["E_start"])
    return power(params, slope(routed) / dense) * power(routed / jnp.asarray(coefs["E_start"]), coefs["b"] / dense)


def cutoff_params(coefs: Mapping[str, float]) -> float:
    """Return the size 10^(-b/c) at which more experts no longer help; infinite where they always do, NaN where never.

    They help below it where b < 0 < c.
    """
    if coefs["c"] > 0:
        return float(10.0 ** (-coefs["b"] / coefs["c"]))
    return float("inf") if coefs["b"] < 0 else float("nan")


def routed_starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 12 start points: the two ends of Ê searched, the four others solved for in log10 L."""
    ranges, linear = {"E_start": (1.0, 10.0), "ceiling": (5.0, 1000.0)}, ("a", "b", "c", "d")
    log_target = np.log10(target)
    return projected(
        log10_routed_loss, linear, ranges, columns, log_target, coefs=with_ceiling, real=linear, relative=False, keep=12
    )


def with_ceiling(*, E_start, ceiling, **others):
    """Return the coefs of a law in which E_max is `ceiling` times E_start."""
    return {"E_start": E_start, "E_max": E_start * ceiling, **others}


ROUTED_NAMES = ("a", "b", "c", "d", "E_start", "E_max")
CLARK_SETS = (
    Published("clark2022-sbase", (-0.082, -0.108, 0.009, 1.104, 1.847, 314.478), CLARK, "second-hand"),
    Published("clark2022-rlr", (-0.083, -0.126, 0.012, 1.111, 1.880, 469.982), CLARK, "second-hand"),
    Published("clark2022-hash", (-0.087, -0.136, 0.012, 1.157, 4.175, 477.741), CLARK, "second-hand"),
)
CUTOFFS = ", ".join(
    f"{cutoff_params(dict(zip(ROUTED_NAMES, one.values, strict=True))):.1e} for {one.name}" for one in CLARK_SETS
)

ROUTED = Law(
    name="routed",
    loss=routed_loss,
    inputs=("params", "experts"),
    coefs=(
        Coef("a", "real", (-0.08,), "slope in log10 N of a network without routing", span=(-0.12, -0.05)),
        Coef("b", "real", (-0.1,), "slope in log10 Ê", span=(-0.2, -0.08)),
        Coef("c", "real", (0.0, 0.01), "how much less experts help in a larger network", span=(0.004, 0.015)),
        Coef("d", "real", (1.1,), "level, log10 of nats/token", span=(0.9, 1.3)),
        Coef("E_start", "positive", (2.0,), "Ê of a dense network", "experts", span=(1.5, 5.0)),
        Coef("E_max", "positive", (300.0,), "Ê at most", "experts", span=(200.0, 600.0)),
    ),
    equation=(
        "L = 10^(a*log10(N) + b*log10(E_hat) + c*log10(N)*log10(E_hat) + d); "
        "E_hat = 1/(1/(E - 1 + 1/(1/E_start - 1/E_max)) + 1/E_max)"
    ),
    source=CLARK,
    starts=routed_starts,
    published=CLARK_SETS,
    ordered=(("E_start", "E_max"),),
    domain=(
        Input(PARAMS.name, PARAMS.symbol, PARAMS.unit, "size of the network without routing", 1.5e7, 1.3e9),
        EXPERTS,
    ),
    frontier="none: every run had 130e9 tokens, so a budget is not split; laws.experts.effective_params compares sizes",
    notes=(
        "Logarithms are to base 10; natural ones give absurd losses.",
        "The number of tokens is no input: that routing stops helping at some size belongs to 130e9 tokens and was "
        "later reversed (Krajewski et al. 2024, law 'granularity').",
        f"That size is 10^(-b/c): {CUTOFFS} params.",
    ),
)


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

LAWS = (ROUTED, EXPERTS_JOINT, EXPERTS_SPARSITY, GRANULAR)

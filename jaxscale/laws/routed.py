"""Routed networks at a fixed number of tokens: experts count as params, up to a limit."""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxscale.laws.inputs import PARAMS, ROUNDING, Input
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.laws.starts import Columns, projected
from jaxscale.numerics.powers import power
from jaxscale.precision import plainly

SOURCE = "Clark et al. 2022, arXiv 2202.01169"
EXPERTS = Input("experts", "E", "experts", "experts per routed layer, 1 for a dense network", 1.0, 512.0, least=1.0)
LN_10 = float(np.log(10.0))


def loss(params, experts, *, a, b, c, d, E_start, E_max):
    """L(N, E) = 10^(a log10 N + b log10 Ê + c log10 N log10 Ê + d), in nats per token; elementwise in N and E."""
    return power(10.0, log10_loss(params, experts, a=a, b=b, c=c, d=d, E_start=E_start, E_max=E_max))


def log10_loss(params, experts, *, a, b, c, d, E_start, E_max):
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


def starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 12 start points: the two ends of Ê searched, the four others solved for in log10 L."""
    ranges, linear = {"E_start": (1.0, 10.0), "ceiling": (5.0, 1000.0)}, ("a", "b", "c", "d")
    log_target = np.log10(target)
    return projected(
        log10_loss, linear, ranges, columns, log_target, coefs=with_ceiling, real=linear, relative=False, keep=12
    )


def with_ceiling(*, E_start, ceiling, **others):
    """Return the coefs of a law in which E_max is `ceiling` times E_start."""
    return {"E_start": E_start, "E_max": E_start * ceiling, **others}


NAMES = ("a", "b", "c", "d", "E_start", "E_max")
SETS = (
    Published("clark2022-sbase", (-0.082, -0.108, 0.009, 1.104, 1.847, 314.478), SOURCE, "second-hand"),
    Published("clark2022-rlr", (-0.083, -0.126, 0.012, 1.111, 1.880, 469.982), SOURCE, "second-hand"),
    Published("clark2022-hash", (-0.087, -0.136, 0.012, 1.157, 4.175, 477.741), SOURCE, "second-hand"),
)
CUTOFFS = ", ".join(f"{cutoff_params(dict(zip(NAMES, one.values, strict=True))):.1e} for {one.name}" for one in SETS)

ROUTED = Law(
    name="routed",
    loss=loss,
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
    source=SOURCE,
    starts=starts,
    published=SETS,
    ordered=(("E_start", "E_max"),),
    domain=(
        Input(PARAMS.name, PARAMS.symbol, PARAMS.unit, "size of the network without routing", 1.5e7, 1.3e9),
        EXPERTS,
    ),
    frontier="none: every run had 130e9 tokens, so a budget is not split; laws.routed.effective_params compares sizes",
    notes=(
        "Logarithms are to base 10; natural ones give absurd losses.",
        "The number of tokens is no input: that routing stops helping at some size belongs to 130e9 tokens and was "
        "later reversed (Krajewski et al. 2024, law 'granularity').",
        f"That size is 10^(-b/c): {CUTOFFS} params.",
    ),
)

LAWS = (ROUTED,)

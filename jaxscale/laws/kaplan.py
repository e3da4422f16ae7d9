"""Kaplan's power laws in one size, and their joint law in params and tokens; none has an irreducible loss."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxscale.counting.units import PF_DAY
from jaxscale.laws.inputs import FLOPS, PARAMS, TOKENS
from jaxscale.laws.spec import Coef, Law, Published, Starts
from jaxscale.laws.starts import Columns
from jaxscale.numerics.made import made_of
from jaxscale.numerics.powers import power

PAPER = "Kaplan et al. 2020, arXiv 2001.08361"
TABLE_5 = PAPER + ", table 5"
JOINT_EXPONENTS = (0.03, 0.1, 0.3, 0.6)

NON_EMBEDDING = replace(PARAMS, meaning="parameters without the embeddings")
DATASET = replace(TOKENS, meaning="size of the dataset, however often it is read")
FLOPS_MIN = replace(FLOPS, symbol="C_min", meaning="training compute at a batch far below the critical one")

NO_FLOOR = "There is no floor: the exponent is the slope of the whole loss and no match for Chinchilla's alpha or beta."
TOKENIZER = "The scale depends on the tokenizer; the exponent hardly does."
PF_DAYS = "The scale is printed in PF-days; here it is in FLOP, 8.64e19 to the PF-day."


def scaled_power(size, scale: ArrayLike, exponent: ArrayLike):
    """Return (scale/size)^exponent, elementwise; a quotient's derivatives have squares, too large for float32."""
    return jnp.exp(exponent * (jnp.log(scale) - jnp.log(size)))


def loss_of_params(params, *, N_c, alpha_N):
    """L(N) = (N_c/N)^alpha_N, in nats per token; elementwise in N."""
    return scaled_power(params, N_c, alpha_N)


def loss_of_tokens(tokens, *, D_c, alpha_D):
    """L(D) = (D_c/D)^alpha_D, in nats per token; elementwise in D."""
    return scaled_power(tokens, D_c, alpha_D)


def loss_of_flops(flops, *, C_c, alpha_C):
    """L(C) = (C_c/C)^alpha_C, in nats per token; elementwise in C."""
    return scaled_power(flops, C_c, alpha_C)


def line(sizes: np.ndarray, target: np.ndarray) -> tuple[float, float, float]:
    """Return the centre of the sizes (n,), the target there, and how fast it falls: a straight line in logarithms."""
    x, y = np.log(sizes), np.log(target)
    away = x - x.mean()
    spread = float(away @ away)
    slope = float(away @ (y - y.mean())) / spread if spread > 0 else 0.0
    return float(np.exp(x.mean())), float(np.exp(y.mean())), float(np.clip(-slope, 1e-3, 10.0))


def starts_of(size: str, scale: str, exponent: str) -> Starts:
    """Return start points on the straight line of least squares in logarithms, and at half and twice its slope."""

    def starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
        centre, level, slope = line(columns[size], target)
        slopes = [factor * slope for factor in (0.5, 1.0, 2.0)]
        return [{scale: float(centre * np.exp(np.log(level) / alpha)), exponent: alpha} for alpha in slopes]

    return made_of(starts, size, scale, exponent)


def _coefs(letter: str, size: str, unit: str, span: tuple[float, float]) -> tuple[Coef, Coef]:
    low, high = span
    return (
        Coef(f"{letter}_c", starts=(low, (low * high) ** 0.5, high), meaning=f"scale of {size}", unit=unit, span=span),
        Coef(f"alpha_{letter}", starts=(0.03, 0.1, 0.3), meaning=f"exponent of {size}", span=(0.03, 0.3)),
    )


COMPUTE = _coefs("C", "flops", "FLOP", (1e22, 1e31))

KAPLAN_PARAMS = Law(
    name="kaplan-params",
    loss=loss_of_params,
    inputs=("params",),
    coefs=_coefs("N", "params", "params", (1e10, 1e16)),
    equation="L = (N_c/N)^alpha_N",
    source=PAPER + ", eq. 1.1",
    starts=starts_of("params", "N_c", "alpha_N"),
    published=(Published("kaplan2020", (8.8e13, 0.076), TABLE_5),),
    domain=(NON_EMBEDDING,),
    notes=(
        NO_FLOOR,
        TOKENIZER,
        "Models trained to convergence on ample data; counted with embeddings, small models leave the line.",
    ),
)

KAPLAN_TOKENS = Law(
    name="kaplan-tokens",
    loss=loss_of_tokens,
    inputs=("tokens",),
    coefs=_coefs("D", "tokens", "tokens", (1e10, 1e16)),
    equation="L = (D_c/D)^alpha_D",
    source=PAPER + ", eq. 1.2",
    starts=starts_of("tokens", "D_c", "alpha_D"),
    published=(Published("kaplan2020", (5.4e13, 0.095), TABLE_5),),
    domain=(DATASET,),
    notes=(
        NO_FLOOR,
        "D is the size of a dataset read until the test loss stops falling, not tokens processed: keep it out of 6ND.",
    ),
)

KAPLAN_FLOPS = Law(
    name="kaplan-flops",
    loss=loss_of_flops,
    inputs=("flops",),
    coefs=COMPUTE,
    equation="L = (C_c/C)^alpha_C",
    source=PAPER + ", eq. 3.3",
    starts=starts_of("flops", "C_c", "alpha_C"),
    published=(Published("kaplan2020", (1.6e7 * PF_DAY, 0.057), TABLE_5),),
    frontier="its own loss, without a split into params and tokens",
    notes=(
        NO_FLOOR,
        PF_DAYS,
        "The best loss at a fixed batch of 2^19 tokens: the paper asks to predict with kaplan-flops-min instead.",
    ),
)

KAPLAN_FLOPS_MIN = Law(
    name="kaplan-flops-min",
    loss=loss_of_flops,
    inputs=("flops",),
    coefs=COMPUTE,
    equation="L = (C_c/C_min)^alpha_C",
    source=PAPER + ", eq. 1.3",
    starts=starts_of("flops", "C_c", "alpha_C"),
    published=(Published("kaplan2020", (3.1e8 * PF_DAY, 0.050), TABLE_5),),
    domain=(FLOPS_MIN,),
    frontier="its own loss, without a split into params and tokens",
    notes=(
        NO_FLOOR,
        PF_DAYS,
        "flops must hold C_min, compute at a batch far below the critical one: training at that batch costs 2 C_min.",
        "Eq. 6.4 predicts the exponent as about 0.054; the published exponents give 0.0520 (alpha_N 0.076) or 0.0525.",
    ),
)


def joint_loss(params, tokens, *, N_c, D_c, alpha_N, alpha_D):
    """L(N, D) = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D, in nats per token; elementwise in N and D."""
    return power(scaled_power(params, N_c, alpha_N / alpha_D) + scaled_power(tokens, D_c, 1.0), alpha_D)


def joint_starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 48 start points through the median loss at the centre, with the bracket shared in three ways."""
    params, tokens = (float(np.exp(np.mean(np.log(columns[name])))) for name in ("params", "tokens"))
    centre, grid = float(np.median(target)), []
    for alpha_n, alpha_d, share in product(JOINT_EXPONENTS, JOINT_EXPONENTS, (0.1, 0.5, 0.9)):
        bracket = centre ** (1.0 / alpha_d)
        scales = {"N_c": params * (share * bracket) ** (alpha_d / alpha_n), "D_c": tokens * (1.0 - share) * bracket}
        grid.append({**scales, "alpha_N": alpha_n, "alpha_D": alpha_d})
    return [start for start in grid if all(np.isfinite(value) and value > 0 for value in start.values())]


KAPLAN = Law(
    name="kaplan",
    loss=joint_loss,
    inputs=("params", "tokens"),
    coefs=(
        Coef("N_c", starts=(1e10, 1e13, 1e16), meaning="scale of params", unit="params", span=(1e12, 1e15)),
        Coef("D_c", starts=(1e10, 1e13, 1e16), meaning="scale of tokens", unit="tokens", span=(1e11, 1e15)),
        Coef("alpha_N", starts=(0.03, 0.1, 0.3), meaning="exponent of params", span=(0.05, 0.12)),
        Coef("alpha_D", starts=(0.03, 0.1, 0.3), meaning="exponent of tokens", span=(0.07, 0.2)),
    ),
    equation="L = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D",
    source=PAPER + ", eq. 1.5",
    starts=joint_starts,
    published=(Published("kaplan2020", (6.4e13, 1.8e13, 0.076, 0.103), PAPER + ", table 2"),),
    domain=(NON_EMBEDDING, DATASET),
    frontier="D is taken for tokens processed: N grows as C^(1/(1 + alpha_N/alpha_D))",
    notes=(
        NO_FLOOR,
        "The constants are those of the joint fit, and not those of kaplan-params and kaplan-tokens.",
        "D is the size of a dataset read until the test loss stops falling: a budget of 6ND is not what it describes.",
        "The paper's N of C^0.73 is no result of this law, whose own is C^0.575: see kaplan-compute.",
        "Where D_c/D is a small share of the bracket in every run, data leave no trace and D_c cannot be known.",
    ),
)

LAWS = (KAPLAN_PARAMS, KAPLAN_TOKENS, KAPLAN_FLOPS, KAPLAN_FLOPS_MIN, KAPLAN)

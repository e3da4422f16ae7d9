"""Kaplan's joint law: size and data as one bottleneck inside a bracket, without a floor."""

from __future__ import annotations

import numpy as np

from jaxscale.laws.kaplan_single import DATASET, NO_FLOOR, NON_EMBEDDING
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.laws.starts import Columns
from jaxscale.numerics.powers import power

SOURCE = "Kaplan et al. 2020, arXiv 2001.08361, eq. 1.5"


def loss(params, tokens, *, N_c, D_c, alpha_N, alpha_D):
    """L(N, D) = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D, in nats per token; elementwise in N and D."""
    return power(power(N_c / params, alpha_N / alpha_D) + D_c / tokens, alpha_D)


def starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 48 start points through the median loss at the centre, with the bracket shared in three ways."""
    params, tokens = (float(np.exp(np.mean(np.log(columns[name])))) for name in ("params", "tokens"))
    centre = float(np.median(target))
    grid = []
    for alpha_n in (0.03, 0.1, 0.3, 0.6):
        for alpha_d in (0.03, 0.1, 0.3, 0.6):
            for share in (0.1, 0.5, 0.9):
                bracket = centre ** (1.0 / alpha_d)
                scale_n = params * (share * bracket) ** (alpha_d / alpha_n)
                scale_d = tokens * (1.0 - share) * bracket
                grid.append({"N_c": scale_n, "D_c": scale_d, "alpha_N": alpha_n, "alpha_D": alpha_d})
    return [start for start in grid if all(np.isfinite(value) and value > 0 for value in start.values())]


KAPLAN = Law(
    name="kaplan",
    loss=loss,
    inputs=("params", "tokens"),
    coefs=(
        Coef("N_c", starts=(1e10, 1e13, 1e16), meaning="scale of params", unit="params", span=(1e12, 1e15)),
        Coef("D_c", starts=(1e10, 1e13, 1e16), meaning="scale of tokens", unit="tokens", span=(1e11, 1e15)),
        Coef("alpha_N", starts=(0.03, 0.1, 0.3), meaning="exponent of params", span=(0.05, 0.12)),
        Coef("alpha_D", starts=(0.03, 0.1, 0.3), meaning="exponent of tokens", span=(0.07, 0.2)),
    ),
    equation="L = [(N_c/N)^(alpha_N/alpha_D) + D_c/D]^alpha_D",
    source=SOURCE,
    starts=starts,
    published=(
        Published("kaplan2020", (6.4e13, 1.8e13, 0.076, 0.103), "Kaplan et al. 2020, arXiv 2001.08361, table 2"),
    ),
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

LAWS = (KAPLAN,)

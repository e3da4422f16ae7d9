"""Kaplan's learning curve: what size and what the steps so far still leave to learn, added without a floor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from jaxscale.laws.inputs import Input
from jaxscale.laws.kaplan_single import KAPLAN, NO_FLOOR, NON_EMBEDDING, scaled
from jaxscale.laws.spec import Coef, Law, Published

STEPS_MIN = Input("steps_min", "S_min", "steps", "steps at a batch far above the critical one", 1e3, 3e5)
EXPONENTS = ((0.05, 0.08, 0.13, 0.2), (0.3, 0.55, 0.8, 1.1))
LEAST = 1e-3
"""Share of the loss that a start leaves to each term at the centre of the table."""


def loss(params, steps_min, *, N_c, S_c, alpha_N, alpha_S):
    """L(N, S_min) = (N_c/N)^alpha_N + (S_c/S_min)^alpha_S, in nats per token; elementwise in N and S_min."""
    return scaled(params, N_c, alpha_N) + scaled(steps_min, S_c, alpha_S)


def starts(columns: Mapping[str, np.ndarray], target: np.ndarray) -> Sequence[Mapping[str, float]]:
    """Return 16 start points: four exponents each way, and the scales that then miss the losses least, relatively."""
    sizes, steps = columns["params"], columns["steps_min"]
    centre_n, centre_s = (float(np.exp(np.mean(np.log(column)))) for column in (sizes, steps))
    level = float(np.median(target))
    grid = []
    for alpha_n, alpha_s in product(*EXPONENTS):
        terms = np.stack([(sizes / centre_n) ** -alpha_n, (steps / centre_s) ** -alpha_s], axis=1)
        shares = np.linalg.lstsq(terms / target[:, None], np.ones(len(target)), rcond=None)[0]
        at_n, at_s = np.clip(shares, LEAST * level, None)
        scale_n, scale_s = centre_n * at_n ** (1.0 / alpha_n), centre_s * at_s ** (1.0 / alpha_s)
        grid.append({"N_c": float(scale_n), "S_c": float(scale_s), "alpha_N": alpha_n, "alpha_S": alpha_s})
    return grid


SIZE = Coef("N_c", starts=(1e11, 1e13, 1e15), meaning="scale of params", unit="params", span=(1e11, 1e15))
STEPS = Coef("S_c", starts=(1e2, 1e3, 1e4), meaning="scale of steps", unit="steps", span=(2e2, 2e4))
ALPHA_N = Coef("alpha_N", starts=(0.05, 0.1, 0.2), meaning="exponent of params", span=(0.04, 0.2))
ALPHA_S = Coef("alpha_S", starts=(0.5, 0.8, 1.0), meaning="exponent of steps", span=(0.3, 1.2))

KAPLAN_STEPS = Law(
    name="kaplan-steps",
    loss=loss,
    inputs=("params", "steps_min"),
    coefs=(SIZE, STEPS, ALPHA_N, ALPHA_S),
    equation="L = (N_c/N)^alpha_N + (S_c/S_min)^alpha_S",
    source=KAPLAN + ", eq. 1.6",
    starts=starts,
    published=(Published("kaplan2020", (6.5e13, 2.1e3, 0.077, 0.76), KAPLAN + ", table 3"),),
    domain=(NON_EMBEDDING, STEPS_MIN),
    frontier="with a critical batch it is the law kaplan-compute, which splits a budget",
    notes=(
        NO_FLOOR,
        "steps_min is no column of a log: jaxscale.allocation.kaplan.steps_min converts steps by batch and loss.",
        "For data without end and after the warm-up; very early in training it breaks down.",
    ),
)

LAWS = (KAPLAN_STEPS,)

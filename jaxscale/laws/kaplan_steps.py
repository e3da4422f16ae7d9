"""Kaplan's learning curve: what size and what the steps so far still leave to learn, added without a floor."""

from __future__ import annotations

from functools import partial

from jaxscale.laws.inputs import Input
from jaxscale.laws.kaplan_single import KAPLAN, NO_FLOOR, NON_EMBEDDING, scaled
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.laws.starts import gridded

STEPS_MIN = Input("steps_min", "S_min", "steps", "steps at a batch far above the critical one", 1e3, 3e5)
EXPONENTS = {"alpha_N": (0.05, 0.08, 0.13, 0.2), "alpha_S": (0.3, 0.55, 0.8, 1.1)}


def loss(params, steps_min, *, N_c, S_c, alpha_N, alpha_S):
    """L(N, S_min) = (N_c/N)^alpha_N + (S_c/S_min)^alpha_S, in nats per token; elementwise in N and S_min."""
    return scaled(params, N_c, alpha_N) + scaled(steps_min, S_c, alpha_S)


def _scales_of(*, size, steps, alpha_N, alpha_S):
    """Return the coefs of a loss size N^-alpha_N + steps S_min^-alpha_S."""
    return {"N_c": size ** (1.0 / alpha_N), "S_c": steps ** (1.0 / alpha_S), "alpha_N": alpha_N, "alpha_S": alpha_S}


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
    starts=partial(gridded, loss, ("size", "steps"), EXPONENTS, coefs=_scales_of),
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

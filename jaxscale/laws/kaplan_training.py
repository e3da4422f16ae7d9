"""Kaplan's learning curve in params and steps, and its form at a given compute and critical batch size."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.laws.critical_batch import ALPHA_B
from jaxscale.laws.inputs import FLOPS, Input
from jaxscale.laws.kaplan import NO_FLOOR, NON_EMBEDDING, PAPER, scaled_power
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.laws.starts import Columns, gridded

STEPS_MIN = Input("steps_min", "S_min", "steps", "steps at a batch far above the critical one", 1e3, 3e5)
EXPONENTS = {"alpha_N": (0.05, 0.08, 0.13, 0.2), "alpha_S": (0.3, 0.55, 0.8, 1.1)}


def loss_of_steps(params, steps_min, *, N_c, S_c, alpha_N, alpha_S):
    """L(N, S_min) = (N_c/N)^alpha_N + (S_c/S_min)^alpha_S, in nats per token; elementwise in N and S_min."""
    return scaled_power(params, N_c, alpha_N) + scaled_power(steps_min, S_c, alpha_S)


def _scales_of(*, size, steps, alpha_N, alpha_S):
    """Return the coefs of a loss size N^-alpha_N + steps S_min^-alpha_S."""
    return {"N_c": size ** (1.0 / alpha_N), "S_c": steps ** (1.0 / alpha_S), "alpha_N": alpha_N, "alpha_S": alpha_S}


SIZE = Coef("N_c", starts=(1e11, 1e13, 1e15), meaning="scale of params", unit="params", span=(1e11, 1e15))
STEPS = Coef("S_c", starts=(1e2, 1e3, 1e4), meaning="scale of steps", unit="steps", span=(2e2, 2e4))
ALPHA_N = Coef("alpha_N", starts=(0.05, 0.1, 0.2), meaning="exponent of params", span=(0.04, 0.2))
ALPHA_S = Coef("alpha_S", starts=(0.5, 0.8, 1.0), meaning="exponent of steps", span=(0.3, 1.2))

KAPLAN_STEPS = Law(
    name="kaplan-steps",
    loss=loss_of_steps,
    inputs=("params", "steps_min"),
    coefs=(SIZE, STEPS, ALPHA_N, ALPHA_S),
    equation="L = (N_c/N)^alpha_N + (S_c/S_min)^alpha_S",
    source=PAPER + ", eq. 1.6",
    starts=partial(gridded, loss_of_steps, ("size", "steps"), EXPONENTS, coefs=_scales_of),
    published=(Published("kaplan2020", (6.5e13, 2.1e3, 0.077, 0.76), PAPER + ", table 3"),),
    domain=(NON_EMBEDDING, STEPS_MIN),
    frontier="with a critical batch it is the law kaplan-compute, which splits a budget",
    notes=(
        NO_FLOOR,
        "steps_min is no column of a log: jaxscale.allocation.kaplan_training.steps_min converts steps by batch and "
        "loss.",
        "For data without end and after the warm-up; very early in training it breaks down.",
    ),
)


SEARCH = 6
"""Newton steps to the root: from within ln 2 of it, each doubles the digits."""
POLISH = 2
"""Newton steps that carry derivatives: each doubles the order to which they are exact, so two give the first three."""


def loss_of_compute(params, flops, *, N_c, D_c, alpha_N, alpha_S, alpha_B):
    """L = (N_c/N)^alpha_N + (6 D_c N / (L^(1/alpha_B) C))^alpha_S, in nats per token; elementwise in N and C."""
    size = alpha_N * jnp.log(N_c / params)
    steps = alpha_S * (jnp.log(6.0 * D_c / flops) + jnp.log(params))
    return jnp.exp(log_root(size, steps, alpha_S / alpha_B))


def log_root(size, steps, rate):
    """Return the y with exp(y) = exp(size) + exp(steps - rate y), for rate > 0; elementwise.

    y - ln(exp(size) + exp(steps - rate y)) rises in y and is concave, so Newton's steps from below never overshoot.
    """
    fixed = jax.tree.map(jax.lax.stop_gradient, (size, steps, rate))
    root = jnp.maximum(fixed[0], fixed[1] / (1.0 + fixed[2]))
    for _ in range(SEARCH):
        root = _step(root, *fixed)
    root = jax.lax.stop_gradient(root)
    for _ in range(POLISH):
        root = _step(root, size, steps, rate)
    return root


def _step(root, size, steps, rate):
    """Return the root of the tangent at `root`, written as an average: nothing cancels and nothing overflows."""
    excess = steps - rate * root - size
    share = jax.nn.sigmoid(excess)  # of the term of the steps in the loss
    total = size + jnp.logaddexp(0.0, excess)
    return root + (total - root) / (1.0 + rate * share)


def compute_starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return up to 30 start points: six exponents and five sizes of the first term; the rest is linear in logarithms.

    ln(L - first term) = alpha_S (ln D_c - ln D) - (alpha_S/alpha_B) ln L with the loss as measured and D = C/(6N).
    """
    sizes = columns["params"]
    log_tokens = np.log(columns["flops"] / (6.0 * sizes))
    centre = float(np.mean(log_tokens))
    regressors = np.stack([np.ones(len(target)), centre - log_tokens, -np.log(target)], axis=1)
    grid = []
    for alpha_n in (0.03, 0.05, 0.08, 0.12, 0.17, 0.25):
        reach = float(np.min(target * sizes**alpha_n))  # no first term may exceed a loss
        for share in (0.5, 0.8, 0.95, 0.99, 0.999):
            left = np.log(target - share * reach * sizes**-alpha_n)
            level, alpha_s, rate = np.linalg.lstsq(regressors, left, rcond=None)[0]
            alpha_s, rate = float(np.clip(alpha_s, 0.1, 3.0)), float(np.clip(rate, 0.3, 20.0))
            level = float(np.mean(left - regressors[:, 1:] @ np.array([alpha_s, rate])))
            scale = np.exp(level / alpha_s + centre)
            first = (share * reach) ** (1.0 / alpha_n)
            start = {"N_c": first, "D_c": float(scale), "alpha_N": alpha_n, "alpha_S": alpha_s}
            grid.append({**start, "alpha_B": alpha_s / rate})
    return grid


TOKENS = Coef(
    "D_c", "positive", (1e10, 1e11, 1e12), "scale of tokens, B_star S_c", "tokens · nats^(1/alpha_B)", span=(1e10, 1e13)
)

KAPLAN_COMPUTE = Law(
    name="kaplan-compute",
    loss=loss_of_compute,
    inputs=("params", "flops"),
    coefs=(SIZE, TOKENS, ALPHA_N, ALPHA_S, ALPHA_B),
    equation="L = (N_c/N)^alpha_N + (6*D_c*N/(L^(1/alpha_B)*C))^alpha_S",
    source=PAPER + ", appendix B",
    starts=compute_starts,
    published=(
        Published(
            "kaplan2020",
            (6.5e13, 2.1e8 * 2.1e3, 0.077, 0.76, 0.21),
            PAPER + ", table 3, and B_* and alpha_B of table 5: D_c = B_* S_c",
        ),
    ),
    domain=(NON_EMBEDDING, FLOPS),
    frontier="in closed form by jaxscale.allocation.kaplan.efficient_run",
    notes=(
        NO_FLOOR,
        "Implicit in L: the loss reached sets the critical batch B_star/L^(1/alpha_B) at which the budget is spent.",
        "Only the product B_star S_c can be known from params, flops and loss; it is the coef D_c.",
        "The frontier of table 6, fitted, is N = 1.3e9 C_min^0.73, B = 2.0e6 C_min^0.24 and S = 5.4e3 C_min^0.03, in "
        "PF-days; this law has exponents 0.68, 0.25 and 0.07 and prefactors that differ by about two.",
        "Eq. 6.4 prints 0.054 as the exponent of compute that follows from the others; it is 0.0520 with alpha_N = "
        "0.076 and 0.0525 with 0.077.",
    ),
)

LAWS = (KAPLAN_STEPS, KAPLAN_COMPUTE)

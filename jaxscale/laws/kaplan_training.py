"""Kaplan's training: critical batch sizes, steps against batch, and the learning curve in steps or compute."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.laws.inputs import FLOPS, Input
from jaxscale.laws.kaplan import NO_FLOOR, NON_EMBEDDING, PAPER, line, scaled_power
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.laws.starts import Columns, gridded

LOSS_REACHED = Input("loss_reached", "L", "nats/token", "loss that the run has reached", 1.8, 8.0)
SHARES = (0.01, 0.3, 0.6, 0.8, 0.9, 0.96, 0.99)
"""Shares of the smallest loss tried as the offset."""

IN_TOKENS = (
    "The column loss holds the critical batch size, in tokens per step; the loss reached stands in loss_reached."
)

STEPS_MIN = Input("steps_min", "S_min", "steps", "steps at a batch far above the critical one", 1e3, 3e5)
EXPONENTS = {"alpha_N": (0.05, 0.08, 0.13, 0.2), "alpha_S": (0.3, 0.55, 0.8, 1.1)}


def batch(loss_reached, *, B_star, alpha_B):
    """B_crit(L) = B_star / L^(1/alpha_B), in tokens; elementwise in L."""
    return B_star * scaled_power(loss_reached, 1.0, 1.0 / alpha_B)


def batch_above(loss_reached, *, B_star, alpha_B, L_inf):
    """B_crit(L) = B_star / (L - L_inf)^(1/alpha_B), in tokens; elementwise in L, NaN where L is below L_inf."""
    return batch(loss_reached - L_inf, B_star=B_star, alpha_B=alpha_B)


def starts_at_zero(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 3 start points: the straight line of least squares in logarithms, and half and twice its slope."""
    return [_on_line(columns["loss_reached"], target, factor) for factor in (0.5, 1.0, 2.0)]


def starts_above(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 7 start points: seven offsets below the smallest loss, each with its straight line in logarithms."""
    reached = columns["loss_reached"]
    offsets = [share * float(np.min(reached)) for share in SHARES]
    return [{**_on_line(reached - offset, target, 1.0), "L_inf": offset} for offset in offsets]


def _on_line(reached: np.ndarray, target: np.ndarray, factor: float) -> dict[str, float]:
    centre, level, slope = line(reached, target)
    return {"B_star": float(level * centre ** (factor * slope)), "alpha_B": 1.0 / (factor * slope)}


SCALE = Coef(
    "B_star",
    starts=(1e7, 1e8, 1e9),
    meaning="critical batch at a loss of one nat",
    unit="tokens · nats^(1/alpha_B)",
    span=(1e6, 1e10),
)
ALPHA_B = Coef("alpha_B", starts=(0.1, 0.2, 0.5), meaning="inverse exponent of the loss", span=(0.1, 0.6))
OFFSET = Coef(
    "L_inf", "positive", (0.5, 1.0, 1.5), "loss at which the critical batch diverges", "nats/token", span=(0.2, 1.6)
)

CRITICAL_BATCH = Law(
    name="critical-batch",
    loss=batch,
    inputs=("loss_reached",),
    coefs=(SCALE, ALPHA_B),
    equation="B_crit = B_star/L^(1/alpha_B)",
    source=PAPER + ", eq. 1.4",
    starts=starts_at_zero,
    published=(Published("kaplan2020", (2.1e8, 0.21), PAPER + ", table 5"),),
    domain=(LOSS_REACHED,),
    notes=(
        IN_TOKENS,
        "The text at eq. 1.4 rounds B_star to 2e8.",
        "It diverges at zero loss by choice, as the entropy of text is unknown: critical-batch-offset fits that too.",
        "It depends on the loss alone and not on the size of the model.",
    ),
    target="batch size",
)

CRITICAL_BATCH_OFFSET = Law(
    name="critical-batch-offset",
    loss=batch_above,
    inputs=("loss_reached",),
    coefs=(SCALE, ALPHA_B, OFFSET),
    equation="B_crit = B_star/(L - L_inf)^(1/alpha_B)",
    source=PAPER + ", eq. 1.4, with the offset that §5.1 leaves out",
    starts=starts_above,
    domain=(LOSS_REACHED,),
    ordered=(("L_inf", "loss_reached"),),
    notes=(IN_TOKENS, "It says nothing of losses at or below L_inf."),
    target="batch size",
)


BATCH = Input("batch", "B", "tokens/step", "tokens per optimiser step", 1e4, 1e7)
BEYOND = 30.0
"""Factor beyond the measured batches up to which starts place the critical one."""

FEWEST_STEPS = Coef(
    "S_min", starts=(1e3, 1e4, 1e5), meaning="fewest steps, at a batch without bound", unit="steps", span=(3e2, 3e5)
)
FEWEST_TOKENS = Coef(
    "E_min", starts=(1e9, 1e10, 1e11), meaning="fewest tokens, at a batch towards zero", unit="tokens", span=(1e9, 1e11)
)


def steps(batch, *, S_min, E_min):
    """S(B) = S_min + E_min/B, in steps; elementwise in B."""
    return S_min + E_min / batch


def starts_of_steps(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 7 start points: a critical batch from far below to far above those measured, through the median steps."""
    sizes = columns["batch"]
    grid = []
    for critical in np.geomspace(np.min(sizes) / BEYOND, np.max(sizes) * BEYOND, 7):
        fewest = float(np.median(target / (1.0 + critical / sizes)))
        grid.append({"S_min": fewest, "E_min": fewest * float(critical)})
    return grid


STEPS_EXAMPLES = Law(
    name="steps-examples",
    loss=steps,
    inputs=("batch",),
    coefs=(FEWEST_STEPS, FEWEST_TOKENS),
    equation="S = S_min*(1 + B_crit/B); B_crit = E_min/S_min",
    source=PAPER + ", eqs. 5.1 and 5.2; McCandlish et al. 2018, arXiv 1812.06162",
    starts=starts_of_steps,
    domain=(BATCH,),
    notes=(
        "The column loss holds the steps of each run; all runs of a table must have reached the same loss.",
        "The critical batch is E_min/S_min; there a run takes 2 S_min steps and 2 E_min tokens.",
        "The same as (S/S_min - 1)*(E/E_min - 1) = 1 with E = B*S tokens processed.",
    ),
    target="steps",
)


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
    params, flops = jnp.log(params), jnp.log(flops)  # the derivative of a quotient has C², which float32 cannot hold
    size = alpha_N * (jnp.log(N_c) - params)
    steps = alpha_S * (jnp.log(6.0 * D_c) - flops + params)
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

LAWS = (CRITICAL_BATCH, CRITICAL_BATCH_OFFSET, STEPS_EXAMPLES, KAPLAN_STEPS, KAPLAN_COMPUTE)

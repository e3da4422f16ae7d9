"""Laws of learning-rate schedules: annealing, and the multi-power law of every change of the rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.laws.inputs import Input
from jaxscale.laws.spec import Coef, Law, Published
from jaxscale.laws.starts import Columns, gridded
from jaxscale.numerics.elementary import expanded, sums
from jaxscale.numerics.powers import power
from jaxscale.schedules import columns_of, constant, cosine, two_stage, wsd

RATE_SUM = Input(
    name="rate_sum",
    symbol="S1",
    unit="learning rate · steps",
    meaning="learning rate summed up to the step",
    low=0.3,
    high=30.0,
    derived_from=("step", "lr"),
)
ANNEALING = replace(
    RATE_SUM, name="annealing", symbol="S2", meaning="momentum of the rate's drops, summed", low=0.0, high=0.3
)
RATE_DROPS = Input(
    name="rate_drops",
    symbol="drop",
    unit="learning rate",
    meaning="how much the rate fell, node by node",
    low=-3e-4,
    high=3e-4,
    is_vector=True,
    derived_from=("step", "lr"),
)
RATES_AFTER = replace(RATE_DROPS, name="rates_after", symbol="eta", meaning="the rate after each drop", low=1e-6)
SUMS_SINCE = replace(
    RATE_SUM, name="sums_since", symbol="S", meaning="learning rate summed since each drop", low=1e-6, is_vector=True
)

PEAK, WARMUP, WIDTH = 3e-4, 500, 56
"""Of the schedules in designs; width: nodes of a row, so that all designs have one shape."""


def random_schedules(random: np.random.Generator, rows: int, inputs: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Return the inputs (rows, …) at as many steps of four schedules: constant, cosine, in two stages, with a decay.

    Lengths, last rates and the step of every row are drawn.
    """
    steps = [int(count) for count in random.integers(6_000, 24_000, 4)]
    low = [float(rate) for rate in np.exp(random.uniform(np.log(2e-5), np.log(1e-4), 3))]
    shapes = [
        constant(steps[0], peak=PEAK, warmup=WARMUP),
        cosine(steps[1], peak=PEAK, end=low[0], warmup=WARMUP),
        two_stage(steps[2], peak=PEAK, second=low[1], drop_at=steps[2] // 2, warmup=WARMUP),
        wsd(steps[3], peak=PEAK, end=low[2], decay_from=int(0.8 * steps[3]), warmup=WARMUP),
    ]
    drawn = [shapes[row % len(shapes)] for row in range(rows)]
    at = [int(random.integers(WARMUP + 100, schedule.steps + 1)) for schedule in drawn]
    columns = columns_of(drawn, at, width=WIDTH)
    return {name: columns[name] for name in inputs}


EXPONENTS = (0.15, 0.3, 0.45, 0.6, 0.9)


def annealing_loss(rate_sum, annealing, *, L0, A, alpha, C):
    """L = L0 + A S1^-alpha - C S2, in nats per token; elementwise in S1 and S2."""
    return L0 + A * power(rate_sum, -alpha) - C * annealing


def annealing_design(random: np.random.Generator, rows: int) -> Mapping[str, np.ndarray]:
    """Return S1 and S2 of runs on four random schedules."""
    return random_schedules(random, rows, ANNEALING_LAW.inputs)


ANNEALING_LAW = Law(
    name="annealing",
    loss=annealing_loss,
    inputs=("rate_sum", "annealing"),
    coefs=(
        Coef("L0", "positive", (1.0, 2.0, 3.0), "irreducible loss at this size", "nats/token", span=(1.5, 4.0)),
        Coef("A", "positive", (0.3, 1.0), "scale of the fall with S1", "nats/token · S1^alpha", span=(0.3, 1.0)),
        Coef("alpha", "positive", EXPONENTS, "exponent of the summed rate", span=(0.3, 0.7)),
        Coef("C", "positive", (0.3, 1.0, 3.0), "gain per unit of annealing", "nats/token per S2", span=(0.2, 3.0)),
    ),
    equation="L = L0 + A/S1^alpha - C*S2",
    source="Tissue et al. 2024, arXiv 2408.11029",
    starts=partial(gridded, annealing_loss, ("L0", "A", "C"), {"alpha": EXPONENTS}),
    domain=(RATE_SUM, ANNEALING),
    design=annealing_design,
    frontier="none: it speaks of one size of network",
    notes=(
        "S2 sums the momentum of the drops of the rate, m = momentum · m + drop, after the warm-up; momentum is fixed,"
        " 0.999 unless told.",
        "C is per unit of learning rate: it holds for the peak it was fitted at.",
        "It rewards extreme annealing too much, and steps at a rate of zero: S2 still grows over what idles after a "
        "decay to zero, so give the run up to its last step of learning.",
    ),
)  # fmt: skip


LUO = "Luo et al. 2025, arXiv 2503.12811"
CODE = LUO + ", the authors' fits to {size} parameters; peak rate 3e-4, warm-up of 2160 steps"
ALPHAS, BETAS, GAMMAS = (0.35, 0.6), (0.2, 0.6), (0.5, 0.9)
STEPS_TO_ONE = (8.0, 60.0)
"""Steps at the peak rate after which C eta^-gamma S is one, in starts."""


def multi_power_loss(
    rate_sum, rate_drops, rates_after, sums_since, *,
    L0, A, alpha, B, C, beta, gamma,
):  # fmt: skip
    """L = L0 + A S1^-alpha - B Σ drop (1 - (1 + C eta^-gamma S)^-beta), in nats per token.

    rate_drops, rates_after, sums_since: (T,), the nodes of one schedule up to now.
    """
    return L0 + A * power(rate_sum, -alpha) - B * gain(rate_drops, rates_after, sums_since, C=C, beta=beta, gamma=gamma)


def gain(drops, rates, since, *, C, beta, gamma):
    """Return Σ drop (1 - q) over the nodes (T,), q = (1 + x)^-beta, x = C eta^-gamma S, with its derivatives in coefs.

    By y = ln x, with s = x/(1 + x): dq/dy = -beta s q, d²q/dy² = beta s q ((1 + beta) s - 1), dq/dbeta = -q ln(1 + x).
    The derivatives in the nodes themselves are not there.
    """
    log_c, power_of_steps, power_of_rate = (jax.lax.stop_gradient(one) for one in (jnp.log(C), beta, gamma))
    rate = jnp.log(rates)
    x = jnp.exp(log_c - power_of_rate * rate + jnp.log(since))
    grown = jnp.log1p(x)
    kept, share = jnp.exp(-power_of_steps * grown), x / (1.0 + x)
    by_y = drops * power_of_steps * share * kept
    by_yy = by_y * (1.0 - (1.0 + power_of_steps) * share)
    by_beta = drops * grown * kept
    by_y_beta = drops * share * kept * (1.0 - power_of_steps * grown)
    total, *parts = sums(
        (
            *(drops * (1.0 - kept), by_y, by_beta, -rate * by_y),
            *(by_yy, by_y_beta, -rate * by_yy, -grown * by_beta, -rate * by_y_beta, rate * rate * by_yy),
        )
    )
    return expanded(total, parts[:3], parts[3:], (jnp.log(C), beta, gamma))


def multi_power_starts(columns: Columns, target: np.ndarray) -> list[dict[str, float]]:
    """Return 16 start points: exponents, and C by the steps in which a drop tells; L0, A, B by projection."""
    peak = [float(np.max(columns["rates_after"]))]
    grid = {"alpha": ALPHAS, "beta": BETAS, "gamma": GAMMAS, "steps": STEPS_TO_ONE, "peak": peak}
    return gridded(multi_power_loss, ("L0", "A", "B"), grid, columns, target, coefs=_pace_of)


def _pace_of(*, steps, peak, gamma, **others):
    """Return the coefs of a law in which a drop to the peak rate has told by half or so after that many steps."""
    return {"C": peak ** (gamma - 1.0) / steps, "gamma": gamma, **others}


def multi_power_design(random: np.random.Generator, rows: int) -> Mapping[str, np.ndarray]:
    """Return the nodes of runs on four random schedules."""
    return random_schedules(random, rows, MULTI_POWER.inputs)


MULTI_POWER = Law(
    name="multi-power",
    loss=multi_power_loss,
    inputs=("rate_sum", "rate_drops", "rates_after", "sums_since"),
    coefs=(
        Coef("L0", "positive", (1.0, 2.0, 3.0), "irreducible loss at this size", "nats/token", span=(1.5, 4.0)),
        Coef("A", "positive", (0.3, 1.0), "scale of the fall with S1", "nats/token · S1^alpha", span=(0.3, 1.0)),
        Coef("alpha", "positive", ALPHAS, "exponent of the summed rate", span=(0.3, 0.7)),
        Coef("B", "positive", (100.0, 1000.0), "gain per unit dropped", "nats/token per rate", span=(200.0, 1000.0)),
        Coef("C", "positive", (0.5, 2.0), "pace at which a drop tells", "rate^(gamma - 1)", span=(0.5, 4.0)),
        Coef("beta", "positive", BETAS, "exponent at which a drop tells", span=(0.25, 0.8)),
        Coef("gamma", "positive", GAMMAS, "exponent of the rate after the drop", span=(0.4, 0.9)),
    ),
    equation="L = L0 + A/S1^alpha - B*sum_k(drop_k*(1 - (1 + C*eta_k^-gamma*S_k)^-beta))",
    source=LUO,
    starts=multi_power_starts,
    published=tuple(
        Published(f"luo2025-{size.lower()}", values, CODE.format(size=size), "code")
        for size, values in (
            ("25M", (3.04045406, 0.52468604, 0.50786857, 363.78751622, 2.06560812, 0.58279013, 0.64142257)),
            ("100M", (2.6514477, 0.60115152, 0.45295811, 437.9464276, 2.13245612, 0.59785199, 0.65523644)),
            ("400M", (2.37474466, 0.65421216, 0.42878731, 523.42464371, 2.02462735, 0.59350493, 0.63472457)),
        )
    ),
    domain=(RATE_SUM, RATE_DROPS, RATES_AFTER, SUMS_SINCE),
    design=multi_power_design,
    frontier="none: it speaks of one size of network",
    notes=(
        "The sum runs over the rises of the warm-up too; without them every prediction is off by about 0.15.",
        "A fall to a rate of zero contributes nothing: the limit of the sum as the rate goes to zero, gamma below 1.",
        "B and C are in units of the learning rate: constants hold for the peak, and the network, they were fitted at.",
        "The published constants are where 200 steps of Adam ended, not a minimum of their objective.",
        "Curves that branch from one run share their first rows: such rows are not independent.",
    ),
)  # fmt: skip

LAWS = (ANNEALING_LAW, MULTI_POWER)

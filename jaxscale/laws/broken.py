"""Broken power laws: straight lines in logarithms, joined smoothly at one or two breaks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise, product

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.errors import UsageError
from jaxscale.laws.inputs import FLOPS, INPUTS, Input
from jaxscale.laws.projection import spread
from jaxscale.laws.spec import Coef, Law

CABALLERO = "Caballero et al. 2023, arXiv 2210.14891"
SHARES = (0.02, 0.2, 0.4, 0.6, 0.75, 0.87, 0.95, 0.99)
"""Floors tried, as shares of the smallest loss."""
BREAKS = "breaks = {breaks!r}: a broken law has 1 or 2; choose between them by held-out runs"
WIDTHS = (0.15, 0.3, 0.6)


def bend(log_ratio: jax.Array, width: jax.Array) -> jax.Array:
    """Return f ln(1 + (x/d)^(1/f)) with ln(x/d) = log_ratio and f = width: zero before the break, ln(x/d) beyond."""
    is_beyond = log_ratio > 0  # there the term is ln(x/d) and a rest: as one logarithm its slope in f would cancel
    rest = width * jax.nn.softplus(jnp.where(is_beyond, -1.0, 1.0) * log_ratio / width)
    return jnp.where(is_beyond, log_ratio, 0.0) + rest


def broken_once(
    x: jax.Array,
    *,
    E: jax.Array,
    A: jax.Array,
    c_0: jax.Array,
    c_1: jax.Array,
    d_1: jax.Array,
    f_1: jax.Array,
) -> jax.Array:
    """L(x) = E + A x^-c_0 (1 + (x/d_1)^(1/f_1))^(-c_1 f_1); elementwise in x > 0."""
    log_x = jnp.log(x)
    return E + A * jnp.exp(-c_0 * log_x - c_1 * bend(log_x - jnp.log(d_1), f_1))


def broken_twice(
    x: jax.Array,
    *,
    E: jax.Array,
    A: jax.Array,
    c_0: jax.Array,
    c_1: jax.Array,
    d_1: jax.Array,
    f_1: jax.Array,
    c_2: jax.Array,
    gap: jax.Array,
    f_2: jax.Array,
) -> jax.Array:
    """L(x) = E + A x^-c_0 ∏ᵢ (1 + (x/d_i)^(1/f_i))^(-c_i f_i), i = 1, 2, with d_2 = d_1 e^gap; elementwise in x > 0."""
    log_x = jnp.log(x)
    first, second = bend(log_x - jnp.log(d_1), f_1), bend(log_x - jnp.log(d_1) - gap, f_2)
    return E + A * jnp.exp(-c_0 * log_x - c_1 * first - c_2 * second)


def loss_with_one_break(
    flops: jax.Array, *, E: jax.Array, A: jax.Array, c_0: jax.Array, c_1: jax.Array, d_1: jax.Array, f_1: jax.Array
) -> jax.Array:
    """`broken_once` in compute, in nats per token; elementwise in C."""
    return broken_once(flops, E=E, A=A, c_0=c_0, c_1=c_1, d_1=d_1, f_1=f_1)


def loss_with_two_breaks(
    flops: jax.Array,
    *,
    E: jax.Array,
    A: jax.Array,
    c_0: jax.Array,
    c_1: jax.Array,
    d_1: jax.Array,
    f_1: jax.Array,
    c_2: jax.Array,
    gap: jax.Array,
    f_2: jax.Array,
) -> jax.Array:
    """`broken_twice` in compute, in nats per token; elementwise in C."""
    return broken_twice(flops, E=E, A=A, c_0=c_0, c_1=c_1, d_1=d_1, f_1=f_1, c_2=c_2, gap=gap, f_2=f_2)


def starts(
    columns: Mapping[str, np.ndarray], target: np.ndarray, breaks: int, keep: int
) -> Sequence[Mapping[str, float]]:
    """Return `keep` start points: floor, breaks and widths from a grid; the rest is linear in ln(L - E).

    Breaks are tried between the table's smallest and largest x, evenly in logarithms.
    """
    (x,) = columns.values()
    log_x = np.log(x)
    places = np.linspace(log_x.min(), log_x.max(), 14 if breaks == 1 else 10)[1:-1]
    found = []
    for share in SHARES:
        floor = share * float(np.min(target))
        reduced = target - floor
        log_reduced, weight = np.log(reduced), reduced / target
        for where in product(places, repeat=breaks):
            for widths in product(WIDTHS, repeat=breaks):
                if any(second <= first for first, second in pairwise(where)):
                    continue
                bends = [f * np.logaddexp(0.0, (log_x - d) / f) for d, f in zip(where, widths, strict=True)]
                matrix = np.stack([np.ones_like(log_x), -log_x, *(-one for one in bends)], axis=1) * weight[:, None]
                solved = np.linalg.lstsq(matrix, log_reduced * weight, rcond=None)[0]
                miss = float(np.sum((matrix @ solved - log_reduced * weight) ** 2))
                start = {"E": floor, "A": float(np.exp(solved[0])), "c_0": float(solved[1]), "c_1": float(solved[2])}
                start |= {"d_1": float(np.exp(where[0])), "f_1": widths[0]}
                if breaks == 2:
                    start |= {"c_2": float(solved[3]), "gap": float(where[1] - where[0]), "f_2": widths[1]}
                found.append((miss, start))
    return spread([start for _, start in sorted(found, key=lambda pair: pair[0])], keep)


starts_with_one_break = partial(starts, breaks=1, keep=24)
starts_with_two_breaks = partial(starts, breaks=2, keep=48)


def even_compute(random: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """Return runs evenly spaced in ln C from 1e17 to 1e23 FLOP: a break between two runs alone is not identified."""
    return {"flops": np.geomspace(FLOPS.low, FLOPS.high, rows)}


def broken(breaks: int, measure: Input | str) -> Law:
    """Return the law `broken-1-NAME` or `broken-2-NAME` of one input of another name than flops.

    measure: the input, or its name; its unit is that of d_1, and its range that in which runs are drawn. The spans of
    the coefs are those in compute, so give starts for recovery elsewhere.   The law's function is made anew with
    every call: keep the law, and nothing compiles twice.   Raises UsageError for another number of breaks.
    """
    if breaks not in (1, 2):
        raise UsageError(BREAKS.format(breaks=breaks))
    known = INPUTS.get(measure, Input(measure, measure)) if isinstance(measure, str) else measure
    base = {1: BROKEN_1, 2: BROKEN_2}[breaks]
    core: Callable[..., jax.Array] = broken_once if breaks == 1 else broken_twice
    return Law(
        name=f"{base.name}-{known.name}",
        loss=_of(core, known.name),
        inputs=(known.name,),
        coefs=base.coefs,
        equation=base.equation.replace("C", known.symbol or known.name),
        source=CABALLERO,
        starts=base.starts,
        domain=(known,),
        notes=base.notes,
    )


def _of(core: Callable[..., jax.Array], name: str) -> Callable[..., jax.Array]:
    """Return the core with its input called by that name, as a law wants it."""

    def loss(x: jax.Array, **coefs: jax.Array) -> jax.Array:
        return core(x, **coefs)

    first, *others = inspect.signature(core).parameters.values()
    loss.__signature__ = inspect.Signature([first.replace(name=name), *others])  # type: ignore[attr-defined]
    return loss


ONE = (
    Coef("E", "positive", (0.5, 1.0, 2.0), "irreducible loss", "nats/token", span=(0.5, 2.0)),
    Coef("A", "positive", (10.0, 100.0, 1e3), "scale", "nats/token · FLOP^c_0", span=(20.0, 200.0)),
    Coef("c_0", "real", (0.03, 0.06, 0.1), "exponent before the first break", span=(0.04, 0.08)),
    Coef("c_1", "real", (-0.05, 0.05, 0.2), "what the first break adds to the exponent", span=(0.05, 0.25)),
    Coef("d_1", "positive", (1e18, 1e20, 1e22), "first break", "FLOP", span=(1e19, 1e21)),
    Coef("f_1", "positive", WIDTHS, "width of the first break, in ln C", span=(0.2, 0.8)),
)
RANGE_OF_TWO = {"c_1": (0.15, 0.25), "d_1": (3e18, 3e19)}
NOTES = (
    "A break needs runs on both sides of it: use the law to explain, not to extrapolate far.",
    "Choose the number of breaks by the loss of held-out larger runs, not by the fit.",
)

BROKEN_1 = Law(
    name="broken-1",
    loss=loss_with_one_break,
    inputs=("flops",),
    coefs=ONE,
    equation="L = E + A/C^c_0*(1 + (C/d_1)^(1/f_1))^(-c_1*f_1)",
    source=CABALLERO + ", eq. 1",
    starts=starts_with_one_break,
    design=even_compute,
    frontier="loss alone: the law knows compute and no split of it",
    notes=NOTES,
)

BROKEN_2 = Law(
    name="broken-2",
    loss=loss_with_two_breaks,
    inputs=("flops",),
    coefs=(
        *(replace(one, span=RANGE_OF_TWO.get(one.name, one.span)) for one in ONE),
        Coef("c_2", "real", (-0.05, 0.05, 0.2), "what the second break adds to the exponent", span=(-0.15, -0.05)),
        Coef("gap", "positive", (3.0, 5.0), "ln of the second break over the first", span=(4.0, 6.0)),
        Coef("f_2", "positive", WIDTHS, "width of the second break, in ln C", span=(0.2, 0.8)),
    ),
    equation=("L = E + A/C^c_0*(1 + (C/d_1)^(1/f_1))^(-c_1*f_1)*(1 + (C/d_2)^(1/f_2))^(-c_2*f_2); d_2 = d_1*exp(gap)"),
    source=CABALLERO + ", eq. 1",
    starts=starts_with_two_breaks,
    design=even_compute,
    frontier="loss alone: the law knows compute and no split of it",
    notes=(*NOTES, "The second break is d_1 e^gap, beyond the first by construction."),
)

LAWS = (BROKEN_1, BROKEN_2)

"""Broken power laws: straight lines in logarithms, joined smoothly at one or two breaks."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxscale.errors import UsageError
from jaxscale.laws.inputs import FLOPS, INPUTS, Input
from jaxscale.laws.spec import Coef, Law
from jaxscale.laws.starts import Columns, projected

CABALLERO = "Caballero et al. 2023, arXiv 2210.14891"
BREAKS = "breaks = {breaks!r}: a broken law has 1 or 2; choose between them by held-out runs"
WIDTHS = (0.15, 0.3, 0.6)


def bend(log_ratio, width):
    """Return f ln(1 + (x/d)^(1/f)) with ln(x/d) = log_ratio and f = width: zero before the break, ln(x/d) beyond."""
    is_beyond = log_ratio > 0  # there the term is ln(x/d) and a rest: as one logarithm its slope in f would cancel
    rest = width * jax.nn.softplus(jnp.where(is_beyond, -1.0, 1.0) * log_ratio / width)
    return jnp.where(is_beyond, log_ratio, 0.0) + rest


def exponent(log_x, c_0, *breaks):
    """Return -c_0 ln x less, for each break (c, ln d, f), c f ln(1 + (x/d)^(1/f))."""
    total = -c_0 * log_x
    for change, log_d, width in breaks:
        total = total - change * bend(log_x - log_d, width)
    return total


def broken_once(x, *, E, A, c_0, c_1, d_1, f_1):
    """L(x) = E + A x^-c_0 (1 + (x/d_1)^(1/f_1))^(-c_1 f_1); elementwise in x > 0."""
    return E + A * jnp.exp(exponent(jnp.log(x), c_0, (c_1, jnp.log(d_1), f_1)))


def broken_twice(x, *, E, A, c_0, c_1, d_1, f_1, c_2, gap, f_2):
    """L(x) = E + A x^-c_0 ∏ᵢ (1 + (x/d_i)^(1/f_i))^(-c_i f_i), i = 1, 2, with d_2 = d_1 e^gap; elementwise in x > 0."""
    log_d = jnp.log(d_1)
    return E + A * jnp.exp(exponent(jnp.log(x), c_0, (c_1, log_d, f_1), (c_2, log_d + gap, f_2)))


def loss_with_one_break(flops, *, E, A, c_0, c_1, d_1, f_1):
    """`broken_once` in compute, in nats per token; elementwise in C."""
    return broken_once(flops, E=E, A=A, c_0=c_0, c_1=c_1, d_1=d_1, f_1=f_1)


def loss_with_two_breaks(flops, *, E, A, c_0, c_1, d_1, f_1, c_2, gap, f_2):
    """`broken_twice` in compute, in nats per token; elementwise in C."""
    return broken_twice(flops, E=E, A=A, c_0=c_0, c_1=c_1, d_1=d_1, f_1=f_1, c_2=c_2, gap=gap, f_2=f_2)


def _log_above(place, *, log_A, c_0, c_1, first, f_1, rest, **second):
    """Return ln(L - E) for ln x as a place between the smallest, 0, and the largest, 1; so are the breaks.

    second: c_2, f_2 and `apart`, where the second break lies in what the first leaves of the places.
    """
    breaks = [(c_1, first, f_1)]
    if second:
        breaks.append((second["c_2"], first + second["apart"] * (1.0 - first), second["f_2"]))
    return log_A + exponent(place, c_0, *breaks)


def starts(columns: Columns, target: np.ndarray, breaks: int, keep: int) -> list[dict[str, float]]:
    """Return `keep` start points: floor, breaks and widths searched, the rest solved for: ln(L - E) is linear in it."""
    (x,) = columns.values()
    log_x, least = np.log(x), float(np.min(target))
    low, length = float(log_x.min()), float(np.ptp(log_x)) or 1.0

    def linearised(setting: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        above = target - least * (1.0 - setting["rest"])
        return np.log(above), above / target

    share, width = (0.02, 0.98), (0.1 / length, 1.0 / length)
    ranges = {"rest": (0.005, 0.98), "first": share, "f_1": width}
    ranges |= {"apart": share, "f_2": width} if breaks == 2 else {}
    linear, places = ("log_A", *(f"c_{at}" for at in range(1 + breaks))), {"place": (log_x - low) / length}
    found = projected(_log_above, linear, ranges, places, target, real=linear, linearised=linearised, keep=keep)
    return [_unscaled(one, low, length, least) for one in found]


def _unscaled(one: Mapping[str, float], low: float, length: float, least: float) -> dict[str, float]:
    """Return the coefs of a start in places."""
    start = {name: value / length for name, value in one.items() if name.startswith("c_")}
    start |= {name: value * length for name, value in one.items() if name.startswith("f_")}
    start |= {"E": least * (1.0 - one["rest"]), "A": math.exp(one["log_A"] + start["c_0"] * low)}
    start["d_1"] = math.exp(low + one["first"] * length)
    return start | ({"gap": one["apart"] * (1.0 - one["first"]) * length} if "apart" in one else {})


starts_with_one_break = partial(starts, breaks=1, keep=24)
starts_with_two_breaks = partial(starts, breaks=2, keep=64)


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
    known = INPUTS.get(measure, Input(measure, measure, low=1.0)) if isinstance(measure, str) else measure
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

    def loss(x, **coefs):
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

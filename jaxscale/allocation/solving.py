"""What a loss needs: the tokens, the params or the compute with which a law reaches it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import jax
import numpy as np
from numpy.typing import ArrayLike

from jaxscale import precision
from jaxscale.allocation.allocate import Allocation, optimum_of_each
from jaxscale.allocation.inputs import all_sizes, can_allocate, check_groups, fixed_values, run_columns
from jaxscale.costs.spec import SIZES
from jaxscale.costs.training import fixed_inputs
from jaxscale.engine.batches import chunks, fill
from jaxscale.engine.compiling import Clock, run
from jaxscale.errors import UsageError
from jaxscale.finding import Finding
from jaxscale.laws import LAWS, Law, predict_each
from jaxscale.laws.checking import check_coefs, finite_numbers, input_numbers
from jaxscale.laws.inputs import SHARE
from jaxscale.registry import unknown
from jaxscale.results import Ensemble, Fit, Solution

CHUNK = 1024
"""Budgets that are split per program call."""
STEPS, HALVINGS = 161, 100
BEYOND = 1e12
"""How far outside an input's documented range it is looked for, as a factor, where it is no size."""
LARGEST = 1e40
"""Sizes up to which one is looked for, from 1."""
DECADES = np.arange(2.0, 46.0)
"""Compute in which a loss is looked for, log10 FLOP."""

NO_LOSSES = "loss has the shape {shape}: give one loss or a list of them"
NO_SOURCE = "solve_for needs a Fit, an Ensemble, or law= with coefs="
TWO_SOURCES = "solve_for takes a result, or law= with coefs=, not both: a result brings its own law and coefs"
NOT_ONE = (
    "'{law}' takes {inputs}: give all but one of them, or one of params, tokens and tokens_per_param; "
    "missing: {missing}"
)
ONE_FIXED = "{name}: the least compute is found at one value of what is fixed, not at several"
WHOLE_VECTOR = "'{law}' takes whole schedules: no number of it can be solved for"
SPLIT_UNKNOWN = (
    "at a given compute a loss is met by two sizes: give params, tokens or tokens_per_param in place of flops"
)
ALL_GIVEN = "'{law}' takes {inputs}, and all of it is given: nothing is left to solve for"
OTHER_LENGTHS = "loss and at are of other lengths: {found}"
NOT_REACHED = "no amount of {name} reaches {target} {value:g}{where}: the law stays above it"
ALWAYS_REACHED = "{target} {value:g} is reached by every amount of {name}{where} that was tried"
REPLICATES_NOT_REACHED = (
    "{count} of {total} usable replicates never reach {target} {value:g}{where}: they count as infinite in the band"
)


def solve_for(
    source: Fit | Ensemble | None = None,
    *,
    loss: ArrayLike,
    at: Mapping[str, ArrayLike] | None = None,
    law: Law | str | None = None,
    coefs: Mapping[str, float] | str | None = None,
) -> Solution:
    """Return what a law still needs to reach a loss: the input that `at` leaves open, or the least compute.

    With all inputs but one given, that one is found; with one of params, tokens and tokens_per_param, the other size or
    the compute; without a size, the least compute and its split, for a law that splits a budget.

    source: a Fit, an Ensemble, or None with law= and coefs=.   loss: (k,) or a scalar, of what the law gives.   at:
    inputs of the law, or sizes, name → scalar or (k,).   By bisection between steps of the input, on the law itself:
    the least amount that reaches the loss where it falls, the most where it rises. Arrays of the answer are (k,) for
    one set of coefs and (R, k) for an Ensemble: infinite where the loss is never reached, NaN where every amount
    reaches it and for replicates that are not usable; findings count them.   Raises UsageError for what is unknown or
    cannot be, and where not one input is left open.
    """
    if source is not None and (law is not None or coefs is not None):
        raise UsageError(TWO_SOURCES)
    if isinstance(source, Ensemble):
        point = solve_for(source.fit, loss=loss, at=at)
        sets = np.stack([source.samples(name) for name in source.fit.law.names], axis=1)
        return _of_ensemble(source, point, _solved(source.fit.law, sets, point.loss, at or {}))
    if isinstance(source, Fit):
        law, coefs = source.law, source.coefs
    elif law is None or coefs is None:
        raise UsageError(NO_SOURCE)
    law = LAWS.resolve(law)
    if source is None and not isinstance(coefs, str):
        check_coefs(law, coefs)
    coefs = law.given(coefs)
    levels = np.atleast_1d(finite_numbers("loss", loss))
    if levels.ndim != 1 or not levels.size:
        raise UsageError(NO_LOSSES.format(shape=levels.shape))
    levels = np.resize(levels, _length(levels, at or {}))
    found = _solved(law, law.vector(coefs)[None], levels, at or {})
    name, arrays = found[0], {one: array[0] for one, array in found[1].items()}
    inputs = {one: np.resize(np.asarray(value, float), len(levels)) for one, value in (at or {}).items()}
    findings = _point_findings(law, name, levels, inputs, arrays[name])
    return Solution(law, dict(coefs), levels, name, inputs, arrays, None, findings)


def _of_ensemble(ensemble: Ensemble, point: Solution, found: tuple[str, dict[str, np.ndarray]]) -> Solution:
    """Return the solution of every replicate, with the point fit's and what to beware of."""
    name, arrays = found
    arrays = {one: np.where(ensemble.usable[:, None], array, np.nan) for one, array in arrays.items()}
    findings, total = list(point.findings), int(ensemble.usable.sum())
    for place, value in enumerate(point.loss):
        count = int(np.isinf(arrays[name][:, place]).sum())
        if count:
            where = _where(point.inputs, place)
            told = {"target": point.law.target, "value": value, "where": where, "count": count, "total": total}
            findings.append(Finding("replicates-not-reached", REPLICATES_NOT_REACHED.format(**told)))
    return Solution(point.law, point.coefs, point.loss, name, point.inputs, arrays, point, tuple(findings))


def _point_findings(
    law: Law, name: str, levels: np.ndarray, inputs: Mapping[str, np.ndarray], value: np.ndarray
) -> tuple[Finding, ...]:
    findings = []
    for place, (level, one) in enumerate(zip(levels, value, strict=True)):
        told = {"name": name, "target": law.target, "value": level, "where": _where(inputs, place)}
        if np.isinf(one):
            findings.append(Finding("not-reached", NOT_REACHED.format(**told)))
        elif np.isnan(one):
            findings.append(Finding("always-reached", ALWAYS_REACHED.format(**told)))
    return tuple(findings)


def _where(inputs: Mapping[str, np.ndarray], place: int) -> str:
    said = ", ".join(f"{name}={values[place]:g}" for name, values in inputs.items())
    return f" at {said}" if said else ""


def _length(levels: np.ndarray, at: Mapping[str, ArrayLike]) -> int:
    """Return how many losses there are to reach; raise UsageError for lists of other lengths."""
    lengths = {"loss": levels.size, **{name: np.atleast_1d(np.asarray(value)).size for name, value in at.items()}}
    count = max(lengths.values())
    if any(length not in (1, count) for length in lengths.values()):
        raise UsageError(OTHER_LENGTHS.format(found=", ".join(f"{name} has {n}" for name, n in lengths.items())))
    return count


def _solved(
    law: Law, sets: np.ndarray, levels: np.ndarray, at: Mapping[str, ArrayLike]
) -> tuple[str, dict[str, np.ndarray]]:
    """Return the name of what is solved for, and arrays (R, k) of it and of what follows, for coefs (R, p)."""
    check_groups(law)
    if any(law.input(name).is_vector for name in law.inputs):
        raise UsageError(WHOLE_VECTOR.format(law=law.name))
    for name in at:
        if name not in law.inputs and name not in SIZES:
            raise UsageError(unknown(f"input of law '{law.name}':", name, law.inputs))
    given = {name: input_numbers(law, name, value) for name, value in at.items()}
    if not any(name in SIZES for name in given) and can_allocate(law):
        return _least_compute(law, sets, levels, given)
    name = _open_input(law, given)
    shape = (len(sets), len(levels))
    fixed = {one: np.resize(value, len(levels)) for one, value in given.items()}
    pairs = np.repeat(sets, len(levels), axis=0)

    def losses(amount: np.ndarray) -> np.ndarray:
        every = {one: np.broadcast_to(value, shape).ravel() for one, value in {**fixed, name: amount}.items()}
        return predict_each(law, pairs, run_columns(law, every)).reshape(shape)

    found = _crossing(losses, *_steps(law, name), levels, shape)
    sizes = all_sizes(law, {**{one: np.broadcast_to(value, shape) for one, value in fixed.items()}, name: found})
    return name, {
        name: found,
        **{one: sizes[one] for one in ("params", "tokens") if one in sizes and one not in (name, *fixed)},
    }


def _open_input(law: Law, given: Mapping[str, np.ndarray]) -> str:
    """Return which input or size is to be found; raise UsageError where it is not one."""
    missing = [name for name in law.inputs if name not in given]
    sizes = [name for name in given if name in SIZES]
    others = [name for name in missing if name not in SIZES]
    if not missing:
        raise UsageError(ALL_GIVEN.format(law=law.name, inputs=", ".join(law.inputs)))
    if len(missing) == 1 and (others or sizes != ["flops"] or not can_allocate(law)):
        return missing[0]
    if not others and len(sizes) == 1 and can_allocate(law):
        if sizes == ["flops"]:
            raise UsageError(SPLIT_UNKNOWN)
        return {"params": "tokens", "tokens": "params", "tokens_per_param": "flops"}[sizes[0]]
    told = {"law": law.name, "inputs": ", ".join(law.inputs), "missing": ", ".join(missing)}
    raise UsageError(NOT_ONE.format(**told))


def _steps(law: Law, name: str) -> tuple[np.ndarray, bool]:
    """Return steps of an input (s,), and whether they are logarithms."""
    measure = law.input(name)
    if measure.unit == SHARE:
        return np.linspace(0.0, 1.0 - 1e-12 if measure.is_open else 1.0, STEPS), False
    if name in SIZES:
        return np.linspace(0.0, np.log(LARGEST), STEPS), True
    if measure.is_positive:
        low = measure.least if measure.least > 0 else measure.low / BEYOND
        return np.linspace(np.log(low), np.log(measure.high * BEYOND), STEPS), True
    return np.linspace(measure.low, measure.high, STEPS), False


def _crossing(
    losses: Callable[[np.ndarray], np.ndarray],
    steps: np.ndarray,
    is_log: bool,
    levels: np.ndarray,
    shape: tuple[int, ...],
) -> np.ndarray:
    """Return where losses (R, k) of an amount (R, k) meet the levels (k,); infinite where never, NaN where always."""

    def is_reached(place: np.ndarray) -> np.ndarray:
        return losses(np.exp(place) if is_log else place) <= levels

    reached = np.stack([is_reached(np.full(shape, step)) for step in steps])
    first, last = np.argmax(reached, axis=0), len(steps) - 1 - np.argmax(reached[::-1], axis=0)
    rises = reached[0] & ~reached[-1]
    above, below = np.where(rises, last + 1, first - 1), np.where(rises, last, first)  # unreached, reached
    low, high = steps[np.clip(above, 0, len(steps) - 1)], steps[below]
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if np.all(np.abs(high - low) <= 4e-14 * (1.0 if is_log else np.abs(high))):
            break
        now = is_reached(middle)
        low, high = np.where(now, low, middle), np.where(now, middle, high)
    found = np.exp(high) if is_log else high
    found = np.where(reached.any(axis=0), found, np.inf)
    return np.where(reached[0] & reached[-1], np.nan, found)


def _least_compute(
    law: Law, sets: np.ndarray, levels: np.ndarray, given: Mapping[str, np.ndarray]
) -> tuple[str, dict[str, np.ndarray]]:
    """Return the least compute (R, k) whose best split reaches each loss, and that split."""
    for name, value in given.items():
        if np.unique(value).size > 1:
            raise UsageError(ONE_FIXED.format(name=name))
    fixed = fixed_values(law, {name: float(np.asarray(value).ravel()[0]) for name, value in given.items()})
    shape, pairs, clock = (len(sets), len(levels)), np.repeat(sets, len(levels), axis=0), Clock()
    width, beside = min(CHUNK, len(pairs)), np.array([fixed[name] for name in fixed_inputs(law)], dtype=np.float64)

    def split(log_flops: np.ndarray) -> Allocation:
        budgets, parts = np.exp(log_flops).ravel(), []
        with precision.float64():
            for part in chunks(len(pairs), width):
                argument = (fill(pairs[part], width), fill(budgets[part], width), beside)
                found: Allocation = run(clock, optimum_of_each, (law,), argument)
                parts.append(jax.tree.map(lambda one, part=part: np.asarray(one)[: part.stop - part.start], found))
        return jax.tree.map(lambda *one: np.concatenate(one).reshape(shape), *parts)

    def losses(flops: np.ndarray) -> np.ndarray:
        found = split(np.log(flops))
        return np.where(found.is_interior, found.loss, np.inf)

    found = _crossing(losses, DECADES * np.log(10.0), True, levels, shape)
    best = split(np.log(np.where(np.isfinite(found), found, 1.0)))
    is_there = np.isfinite(found) & np.asarray(best.is_interior)
    params, tokens = (np.where(is_there, one, np.where(np.isinf(found), np.inf, np.nan)) for one in best[1:3])
    return "flops", {"flops": found, "params": params, "tokens": tokens}

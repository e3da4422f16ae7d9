"""What a loss needs: an input of a law, or the least compute, by bisection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import jax
import numpy as np
from numpy.typing import ArrayLike

from jaxscale.allocation.allocate import Allocation, optimum_of_each
from jaxscale.allocation.findings import replicates_not_reached, solution_findings
from jaxscale.allocation.frontier import in_chunks
from jaxscale.allocation.inputs import (
    all_sizes,
    can_allocate,
    check_groups,
    fixed_values,
    given_law,
    run_columns,
)
from jaxscale.costs.spec import SIZES
from jaxscale.costs.training import fixed_inputs
from jaxscale.errors import UsageError
from jaxscale.laws import Law, predict_each
from jaxscale.laws.checking import finite_numbers, input_numbers
from jaxscale.laws.inputs import SHARE
from jaxscale.registry import unknown
from jaxscale.results import Ensemble, Fit, Solution

STEPS, HALVINGS = 161, 100
BEYOND = 1e12
"""How far outside an input's documented range it is looked for, as a factor, where it is no size."""
LARGEST = 1e40
"""Sizes up to which one is looked for, from 1."""
DECADES = np.arange(2.0, 46.0)
"""Compute in which a loss is looked for, log10 FLOP."""

NO_LOSSES = "loss has the shape {shape}: give one loss or a list of them"
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

    Parameters
    ----------
    source
        A Fit, an Ensemble, or None with law= and coefs=.
    loss
        (k,) or a scalar, of what the law gives.
    at
        Inputs of the law, or sizes, name → scalar or (k,), in their units.
    law, coefs
        In place of a source: a law, and its coefs, name → number, or the name of a published set.

    Returns
    -------
    Solution
        Its arrays are (k,) for one set of coefs and (R, k) for an Ensemble: infinite where the loss is never reached,
        NaN where every amount reaches it and for replicates that are not usable; findings count them.

    Raises
    ------
    UsageError
        For what is unknown or invalid, and where not one input is left open.

    Notes
    -----
    By bisection between steps of the input, on the law itself: the least amount that reaches the loss where it falls,
    the most where it rises.

    Examples
    --------
    >>> needed = js.solve_for(law="chinchilla", coefs="besiroglu2024", loss=2.5, at={"params": 1e9})
    >>> needed.name, needed.value.round(-9)
    ('tokens', array([2.5e+10]))
    """
    fit = source.fit if isinstance(source, Ensemble) else source
    law, coefs = given_law(fit, law, coefs, verb="solve_for", kinds="a Fit, an Ensemble")
    if isinstance(source, Ensemble):
        return _of_ensemble(source, solve_for(source.fit, loss=loss, at=at), at or {})
    levels = np.atleast_1d(finite_numbers("loss", loss))
    if levels.ndim != 1 or not levels.size:
        raise UsageError(NO_LOSSES.format(shape=levels.shape))
    levels = np.resize(levels, _length(levels, at or {}))
    found = _solved(law, law.vector(coefs)[None], levels, at or {})
    name, arrays = found[0], {one: array[0] for one, array in found[1].items()}
    inputs = {one: np.resize(np.asarray(value, float), len(levels)) for one, value in (at or {}).items()}
    findings = solution_findings(law, name, levels, inputs, arrays[name])
    return Solution(law, dict(coefs), levels, name, inputs, arrays, None, findings)


def _of_ensemble(ensemble: Ensemble, point: Solution, at: Mapping[str, ArrayLike]) -> Solution:
    """Return the solution of every replicate, with the point fit's and what to beware of."""
    sets = np.stack([ensemble.samples(name) for name in point.law.names], axis=1)
    name, arrays = _solved(point.law, sets, point.loss, at)
    arrays = {one: np.where(ensemble.usable[:, None], array, np.nan) for one, array in arrays.items()}
    findings = (*point.findings, *replicates_not_reached(ensemble, point, arrays[name]))
    return replace(point, arrays=arrays, at_point=point, findings=findings)


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
    _, high = bisected(is_reached, low, high, is_log)
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
    shape, pairs = (len(sets), len(levels)), np.repeat(sets, len(levels), axis=0)
    beside = np.array([fixed[name] for name in fixed_inputs(law)], dtype=np.float64)

    def split(log_flops: np.ndarray) -> Allocation:
        found = in_chunks(optimum_of_each, law, (pairs, np.exp(log_flops).ravel()), beside)
        return jax.tree.map(lambda one: one.reshape(shape), found)

    def losses(flops: np.ndarray) -> np.ndarray:
        found = split(np.log(flops))
        return np.where(found.is_interior, found.loss, np.inf)

    found = _crossing(losses, DECADES * np.log(10.0), True, levels, shape)
    best = split(np.log(np.where(np.isfinite(found), found, 1.0)))
    is_there = np.isfinite(found) & np.asarray(best.is_interior)
    params, tokens = (np.where(is_there, one, np.where(np.isinf(found), np.inf, np.nan)) for one in best[1:3])
    return "flops", {"flops": found, "params": params, "tokens": tokens}


def bisected(
    is_reached: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray, is_log: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Return both ends of where a loss is met, closed in to rounding.   low: not reached.   high: reached."""
    for _ in range(HALVINGS):
        if np.all(np.abs(high - low) <= 4e-14 * (1.0 if is_log else np.abs(high))):
            break
        middle = 0.5 * (low + high)
        now = is_reached(middle)
        low, high = np.where(now, low, middle), np.where(now, middle, high)
    return low, high

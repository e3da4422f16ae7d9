"""A law's inputs on a budget: the sizes, of which any two decide the others at its price, and what is fixed besides."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from jaxscale import precision
from jaxscale.costs.spec import SIZES
from jaxscale.costs.training import ROUNDED, Price, cost_under, decided, fixed_inputs
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS, Law
from jaxscale.laws.checking import as_numbers, check_coefs, check_shares, input_numbers
from jaxscale.laws.grouped import grouping_of
from jaxscale.laws.spec import EXCEEDS_SIMPLEX
from jaxscale.registry import unknown
from jaxscale.results import Fit
from jaxscale.runs import Runs
from jaxscale.speaking import fixing
from jaxscale.text import listed

TWO_SOURCES = "{verb} takes a result, or law= with coefs=, not both: a result brings its own law and coefs"
NO_SOURCE = "{verb} needs {kinds}, or law= with coefs="
OTHER = ", not {kind}"
IN_PLACE = {str: "; a saved study is opened with js.load(folder)", Runs: "; fit the table first, as in js.fit(runs)"}
"""What to do with something else in place of a source."""
NO_TRADE_OFF = "law '{name}' takes {inputs}: on one budget no two of params, tokens and their ratio are traded in it"
HAS_GROUPS = (
    "'{name}' was fitted to the groups {groups}, each with coefs of its own: take one of them first, as in "
    "jaxscale.fitting.group_of(fit, '{first}')"
)
FIXED_MISSING = "law '{name}' needs {missing} fixed at a value ({how}): a budget decides params and tokens only"
BAD_FIXED = "fixed: {name} = {value!r} is not a finite number"
EXCLUDED_FIXED = "fixed: {name} = {value!r} {demand}"
NOTHING_FIXED = "law '{name}' has no input to fix, and '{fixed}' is none: a budget decides all that it takes"
NO_PRICE = "what a param and a token cost under '{law}' depends on {fixed}: give {fixed} too"
TWO_DECIDE = "'{law}' takes {inputs}; missing: {missing}. Any two of {sizes} decide the others; given: {given}"


def given_law(
    fit: Fit | None,
    law: Law | str | None,
    coefs: Mapping[str, float] | str | None,
    *,
    verb: str,
    kinds: str,
) -> tuple[Law, Mapping[str, float]]:
    """Return the law and the coefs of a fit, or those that are given to a verb in place of one; raise UsageError.

    coefs: by name, or the name of a published set.   kinds: the results that the verb takes, for its refusal.
    """
    if fit is not None and not isinstance(fit, Fit):
        advice = IN_PLACE.get(type(fit), "")
        raise UsageError(NO_SOURCE.format(verb=verb, kinds=kinds) + OTHER.format(kind=type(fit).__name__) + advice)
    if fit is not None and (law is not None or coefs is not None):
        raise UsageError(TWO_SOURCES.format(verb=verb))
    if isinstance(fit, Fit):
        return fit.law, fit.coefs
    if law is None or coefs is None:
        raise UsageError(NO_SOURCE.format(verb=verb, kinds=kinds))
    law = LAWS.resolve(law)
    if not isinstance(coefs, str):
        check_coefs(law, coefs)
    return law, law.given(coefs)


def run_columns(law: Law, given: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
    """Return the law's inputs in its order, float64, as they were given or from two of params, tokens, flops, D/N.

    given: numbers or arrays, by name; what the law does not take and no size needs is left unused.   Raises UsageError,
    with the name, for what is no finite number, for what an input cannot be, for an input that is lacking, and for a
    size that is not needed and contradicts those that are, by more than rounding.
    """
    needed = _needed(law, given)
    columns = {name: input_numbers(law, name, given[name]) for name in given if name in needed}
    lacking = [name for name in law.inputs if name in SIZES and name not in columns]
    spare = [name for name in given if name in SIZES and name not in needed]
    every = all_sizes(law, columns) if lacking or spare else {}
    if lacking:
        sizes = [name for name in SIZES if name in columns]
        if len(sizes) != 2:
            told = {"law": law.name, "inputs": ", ".join(law.inputs), "sizes": ", ".join(SIZES)}
            raise UsageError(TWO_DECIDE.format(**told, missing=", ".join(lacking), given=", ".join(sizes) or "none"))
        if any(name not in every for name in lacking):
            raise UsageError(NO_PRICE.format(law=law.name, fixed=", ".join(fixed_inputs(law))))
    for name in spare:
        if name in every and _contradicts(as_numbers(name, given[name]), every[name]):
            raise UsageError(_unknown_input(law, name))
    columns = {**every, **columns}
    check_shares(law, columns)
    return {name: columns[name] for name in law.inputs if name in columns}


def check_asked(law: Law, names: Iterable[str], *, unused: Container[str] = ()) -> None:
    """Raise UsageError for a name that the law does not take, no size of it needs and that is not to be left unused."""
    needed = _needed(law, tuple(names))
    for name in names:
        if name not in needed and name not in unused:
            raise UsageError(_unknown_input(law, name))


def all_sizes(law: Law, columns: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
    """Return params, tokens, flops and tokens_per_param: those that are there, and what any two of them decide.

    C is counted at the law's own price; what rests on it is absent where an input that decides it is not there.
    """
    cost = cost_under(law)
    if any(name not in columns for name in cost.inputs):
        return decided(columns, None)
    with precision.float64():
        inputs = {name: jnp.asarray(columns[name], float) for name in cost.inputs}
        return decided(columns, Price(np.asarray(cost.per_param_token(**inputs))))


def priced(law: Law, runs: Runs) -> Runs:
    """Return the runs with their flops counted as the budgets of the law's frontier are, C = 6 N D or its own price.

    As they are where the law takes flops themselves, or where the runs lack what decides the price.
    """
    if "flops" in law.inputs:
        return runs
    flops = all_sizes(law, {name: column for name, column in runs.columns.items() if name != "flops"}).get("flops")
    return runs if flops is None else replace(runs, columns={**runs.columns, "flops": flops})


def measured_flops(law: Law, runs: Runs) -> tuple[float, float] | None:
    """Return the smallest and largest compute of runs that count, as budgets are counted; None where none is known."""
    flops = priced(law, runs).columns.get("flops")
    if flops is None or flops.ndim != 1:
        return None
    known = flops[np.isfinite(flops) & (flops > 0) & (runs.weight > 0)]
    return (float(known.min()), float(known.max())) if known.size else None


def can_allocate(law: Law) -> bool:
    """Return whether the loss of a budget depends on how it is split: the law takes two of the four sizes."""
    return law.target == "loss" and sum(name in law.inputs for name in SIZES) >= 2


def check_trade_off(law: Law) -> None:
    """Raise UsageError unless the law trades params for tokens, and is that of one group where there are several."""
    check_groups(law)
    if not can_allocate(law):
        raise UsageError(NO_TRADE_OFF.format(name=law.name, inputs=", ".join(law.inputs)))


def check_groups(law: Law) -> None:
    """Raise UsageError for a law with groups: each has a frontier of its own."""
    grouping = grouping_of(law)
    if grouping is not None:
        raise UsageError(HAS_GROUPS.format(name=law.name, groups=listed(grouping.groups), first=grouping.groups[0]))


def check_fixed(law: Law, fixed: Mapping[str, object], chosen: Container[str] = ()) -> None:
    """Raise UsageError unless the names are the law's inputs that neither a budget decides nor a plan chooses."""
    check_fixed_names(law, fixed)
    missing = [name for name in fixed_inputs(law) if name not in fixed and name not in chosen]
    if missing:
        raise UsageError(FIXED_MISSING.format(name=law.name, missing=", ".join(missing), how=fixing(missing)))


def check_fixed_names(law: Law, fixed: Mapping[str, object]) -> None:
    """Raise UsageError for a name that is no input of the law, or one that a budget decides."""
    wanted = fixed_inputs(law)
    for name in fixed:
        if name not in wanted and not wanted:
            raise UsageError(NOTHING_FIXED.format(name=law.name, fixed=name))
        if name not in wanted:
            raise UsageError(unknown(f"fixed input of law '{law.name}':", name, wanted))


def fixed_values(law: Law, fixed: Mapping[str, float] | None, chosen: Container[str] = ()) -> dict[str, float]:
    """Return the fixed inputs in the law's order; raise UsageError for missing, unknown or impossible ones.

    chosen: inputs that need not be fixed.
    """
    check_fixed(law, fixed or {}, chosen)
    found: dict[str, float] = {}
    for name in fixed_inputs(law):
        if name in chosen:
            continue
        value, measure = (fixed or {})[name], law.input(name)
        number = np.asarray(value)
        if number.ndim or number.dtype.kind not in "iuf" or not np.isfinite(number):
            raise UsageError(BAD_FIXED.format(name=name, value=value))
        if measure.excludes(value):
            raise UsageError(EXCLUDED_FIXED.format(name=name, value=value, demand=measure.demand))
        found[name] = float(value)
    if law.exceeds_simplex({**dict.fromkeys(law.parts, 0.0), **found}):
        raise UsageError("fixed: " + EXCEEDS_SIMPLEX.format(names=", ".join(law.parts)))
    return found


def _needed(law: Law, names: Container[str]) -> tuple[str, ...]:
    """Return the names that are taken: the law's inputs, and every size where one of them is lacking."""
    lacks_size = any(name in SIZES and name not in names for name in law.inputs)
    return (*law.inputs, *SIZES) if lacks_size else law.inputs


def _contradicts(given: np.ndarray, made: np.ndarray) -> bool:
    """Return whether a size is anywhere not what two others make it, beyond rounding; NaN is not."""
    with np.errstate(all="ignore"):
        return bool(np.any(np.abs(np.log(given) - np.log(made)) > ROUNDED))


def _unknown_input(law: Law, name: str) -> str:
    return unknown(f"input of law '{law.name}':", name, law.inputs)

"""Checks of arguments of a law: numbers, inputs, coefs, and coefs that are to be equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from jaxscale import precision
from jaxscale.errors import UsageError
from jaxscale.laws.spec import EXCEEDS_SIMPLEX, Law

NO_NUMBER = "{name} = {value!r} is no number, nor an array of them"
NOT_FINITE = "{name} = {value!r} is not a finite number"
MASKED = "{name}: {count} of {total} cells are masked; leave those rows out"
EXCLUDED = "{name}={value:g}: '{name}' {demand}"
COEF_NOT_A_NUMBER = "coefs: {name} = {value!r} is no number"
COEF_NOT_FINITE = "coefs: {name} = {value} is not a finite number"
COEF_OUTSIDE = "coefs: {name} = {value:g} is outside its support '{support}' ({low:g}, {high:g})"
NO_VALUE = "'{law}' has no value at {place}: {why}"
ORDER = "{high} must be above {low} = {value:g}"
OF_COEFS = "coefs such as {coefs} lead to none there"
COEF_ORDER = "coefs: {low} = {low_value:g} must be below {high} = {high_value:g}"


def as_numbers(name: str, value: ArrayLike) -> np.ndarray:
    """Return numbers (…) as float64; raise UsageError, with the name, for text, truth values, None and masked cells."""
    if isinstance(value, np.ma.MaskedArray) and np.ma.getmaskarray(value).any():
        masked = np.ma.getmaskarray(value)
        raise UsageError(MASKED.format(name=name, count=int(masked.sum()), total=masked.size))
    items = value if isinstance(value, list | tuple) else ()
    try:
        given = np.asarray(value)
        is_numeric = given.dtype.kind in "iufO" and not any(isinstance(one, bool | np.bool_ | str) for one in items)
        if given.dtype.kind == "O":
            is_numeric &= not any(one is None or isinstance(one, bool | str) for one in given.flat)
        found = given.astype(np.float64) if is_numeric else None
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(NO_NUMBER.format(name=name, value=value)) from error
    if found is None:
        raise UsageError(NO_NUMBER.format(name=name, value=value))
    return found


def finite_numbers(name: str, value: ArrayLike) -> np.ndarray:
    """Return numbers (…) as float64; raise UsageError, with the name and the first of them, for what is not finite."""
    found = as_numbers(name, value)
    if not np.isfinite(found).all():
        raise UsageError(NOT_FINITE.format(name=name, value=float(found[~np.isfinite(found)].flat[0])))
    return found


def input_numbers(law: Law, name: str, value: ArrayLike) -> np.ndarray:
    """Return numbers (…) of an input or a size as float64; raise UsageError for values that the input excludes."""
    found, measure = finite_numbers(name, value), law.input(name)
    is_excluded = np.asarray(measure.excludes(found))
    if is_excluded.any():
        raise UsageError(EXCLUDED.format(name=name, value=float(found[is_excluded].flat[0]), demand=measure.demand))
    return found


def check_shares(law: Law, columns: Mapping[str, ArrayLike]) -> None:
    """Raise UsageError where shares of one whole are more than all of it; columns hold all inputs of the law."""
    if all(name in columns for name in law.parts) and np.any(law.exceeds_simplex(columns)):
        raise UsageError(EXCEEDS_SIMPLEX.format(names=", ".join(law.parts)))


def check_coefs(law: Law, coefs: Mapping[str, object], *, may_be_infinite: bool = False) -> None:
    """Raise UsageError, with the name, for coefs that the law cannot have.

    They are its own, numbers, in their supports or at an end of them, and in the order that the law demands.
    may_be_infinite: also at an end that is infinite, as a fit has them at a bound.
    """
    law.check_names(coefs)
    values = {}
    for name, support in zip(law.names, law.supports, strict=True):
        given = np.asarray(coefs[name])
        if given.ndim or given.dtype.kind not in "iuf":
            raise UsageError(COEF_NOT_A_NUMBER.format(name=name, value=coefs[name]))
        values[name] = float(given)
        is_at_end = may_be_infinite and values[name] == support.high
        if not np.isfinite(values[name]) and not is_at_end:
            raise UsageError(COEF_NOT_FINITE.format(name=name, value=values[name]))
        if not support.low <= values[name] <= support.high:
            told = {"support": support.name, "low": support.low, "high": support.high}
            raise UsageError(COEF_OUTSIDE.format(name=name, value=values[name], **told))
    _check_order(law.ordered, values)


def _check_order(pairs: Sequence[tuple[str, str]], values: Mapping[str, float]) -> None:
    for low, high in pairs:
        if high in values and not values[low] < values[high]:
            told = {"low": low, "high": high, "low_value": values[low], "high_value": values[high]}
            raise UsageError(COEF_ORDER.format(**told))


def check_values(law: Law, coefs: Mapping[str, float], columns: Mapping[str, ArrayLike], found: np.ndarray) -> None:
    """Raise UsageError where a law of finite coefs has no value, NaN, with the inputs and the reason.

    columns: all inputs of the law.   found: (…), what it gives there.   Where a coef is infinite, it may have none at
    all, and that coef is named.
    """
    beyond = [name for name, value in coefs.items() if np.isposinf(value)]
    if beyond and not np.isfinite(found).all():
        raise UsageError(COEF_NOT_FINITE.format(name=beyond[0], value=coefs[beyond[0]]))
    why = why_no_value(law, coefs, columns, found)
    if why:
        raise UsageError(why)


def why_no_value(law: Law, coefs: Mapping[str, float], columns: Mapping[str, ArrayLike], found: np.ndarray) -> str:
    """Return where a law of finite coefs has no value first, and the reason; nothing where it has one everywhere."""
    absent = np.flatnonzero(np.isnan(found))
    if not absent.size or not np.isfinite(list(coefs.values())).all():
        return ""
    plain = [name for name in law.inputs if not law.input(name).is_vector]
    numbers = {name: np.broadcast_to(np.asarray(columns[name], np.float64), found.shape) for name in plain}
    here = {name: float(column.flat[absent[0]]) for name, column in numbers.items()}
    reasons = [
        ORDER.format(high=high, low=low, value=coefs[low])
        for low, high in law.ordered
        if high in here and not coefs[low] < here[high]
    ]
    told = ", ".join(f"{name} = {value:g}" for name, value in coefs.items())
    place = ", ".join(f"{name} = {value:g}" for name, value in here.items()) or ", ".join(law.inputs)
    return NO_VALUE.format(law=law.name, place=place, why=", ".join(reasons) or OF_COEFS.format(coefs=told))


TIED = "fix {one}={other}: a coef is held at a number, as {one}=0.35, and {other} is a coef of '{law}'; {instead}"
USE_LAW = "the law with both as one coef is '{name}': --law {name} without this --fix"
WRITE_LAW = "no law that ships has both as one coef: write one with --law-expr, in which one name stands for both"
ITSELF = "every coef is equal to itself: leave it out"
NOT_A_NUMBER = "fix {name}={value!r}: '{value}' is not a finite number; the coefs of '{law}' are {known}"
TRIALS = 3


def check_no_ties(law: Law, fix: Mapping[str, object], *, known: Mapping[str, Law]) -> None:
    """Raise UsageError for a coef that is to be fixed at another coef's name, or at any other text.

    known: the laws that ship, by name, among which the one with both as one coef is looked for.
    """
    for name, value in fix.items():
        if not isinstance(value, str) or _is_number(value):
            continue
        if value not in law.names or name not in law.names:
            raise UsageError(NOT_A_NUMBER.format(name=name, value=value, law=law.name, known=", ".join(law.names)))
        tied = next((other for other in known.values() if ties(law, other, name, value)), None)
        instead = WRITE_LAW if tied is None else USE_LAW.format(name=tied.name)
        raise UsageError(TIED.format(one=name, other=value, law=law.name, instead=ITSELF if name == value else instead))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def ties(law: Law, other: Law, one: str, two: str) -> bool:
    """Return whether another law gives the loss of this one with two of its coefs equal, by its values at three places.

    Both take the same inputs and give the same quantity; the other has the coefs of this one but for one of the two.
    """
    kept = set(law.names) & set(other.names) & {one, two}
    if (
        (other.inputs, other.target) != (law.inputs, law.target)
        or len(kept) != 1
        or set(law.names) - {one, two} | kept != set(other.names)
    ):
        return False
    random = np.random.default_rng(0)
    with precision.float64():
        for _ in range(TRIALS):  # small numbers of every kind, so that no term is lost beside another
            columns = [np.exp(random.uniform(-1.0, 2.0, 5)) for _ in law.inputs]
            coefs = {name: float(random.uniform(0.2, 0.9)) for name in law.names}
            coefs[one] = coefs[two]
            here = np.asarray(law.loss(*columns, **coefs))
            there = np.asarray(other.loss(*columns, **{name: coefs[name] for name in other.names}))
            if not np.allclose(here, there, rtol=1e-9, equal_nan=True):
                return False
    return True

"""What a law may be asked: numbers that are numbers, inputs that can be, and coefs that a law can have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.errors import UsageError
from jaxscale.laws.spec import EXCEEDS_SIMPLEX, Law

NO_NUMBER = "{name} = {value!r} is no number, nor an array of them"
NOT_FINITE = "{name} = {value!r} is not a finite number"
MASKED = "{name}: {count} of {total} cells are masked; leave those rows out"
EXCLUDED = "{name}={value:g}: '{name}' {demand}"
COEF_NOT_A_NUMBER = "coefs: {name} = {value!r} is no number"
COEF_NOT_FINITE = "coefs: {name} = {value} is not a finite number"
COEF_OUTSIDE = "coefs: {name} = {value:g} is outside its support '{support}' ({low:g}, {high:g})"
COEF_ORDER = "coefs: {low} = {low_value:g} must be below {high} = {high_value:g}"


def numbers(name: str, value: ArrayLike) -> np.ndarray:
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
    found = numbers(name, value)
    if not np.isfinite(found).all():
        raise UsageError(NOT_FINITE.format(name=name, value=float(found[~np.isfinite(found)].flat[0])))
    return found


def input_numbers(law: Law, name: str, value: ArrayLike) -> np.ndarray:
    """Return numbers (…) of an input or a size as float64; raise UsageError for what that input cannot be."""
    found, measure = finite_numbers(name, value), law.input(name)
    is_excluded = np.asarray(measure.excludes(found))
    if is_excluded.any():
        raise UsageError(EXCLUDED.format(name=name, value=float(found[is_excluded].flat[0]), demand=measure.demand))
    return found


def check_shares(law: Law, columns: Mapping[str, ArrayLike]) -> None:
    """Raise UsageError where shares of one whole are more than all of it; columns hold all inputs of the law."""
    if all(name in columns for name in law.parts) and np.any(law.exceeds_simplex(columns)):
        raise UsageError(EXCEEDS_SIMPLEX.format(names=", ".join(law.parts)))


def check_coefs(law: Law, coefs: Mapping[str, object]) -> None:
    """Raise UsageError, with the name, for coefs that the law cannot have.

    They are its own, numbers, in their supports or at an end of them, and in the order that the law demands.
    """
    law.check_names(coefs)
    values = {}
    for name, support in zip(law.names, law.supports, strict=True):
        given = np.asarray(coefs[name])
        if given.ndim or given.dtype.kind not in "iuf":
            raise UsageError(COEF_NOT_A_NUMBER.format(name=name, value=coefs[name]))
        values[name] = float(given)
        if not np.isfinite(values[name]):
            raise UsageError(COEF_NOT_FINITE.format(name=name, value=values[name]))
        if not support.low <= values[name] <= support.high:
            told = {"support": support.name, "low": support.low, "high": support.high}
            raise UsageError(COEF_OUTSIDE.format(name=name, value=values[name], **told))
    _check_order(law.ordered, values)


def _check_order(pairs: Sequence[tuple[str, str]], values: Mapping[str, float]) -> None:
    for low, high in pairs:
        if not values[low] < values[high]:
            told = {"low": low, "high": high, "low_value": values[low], "high_value": values[high]}
            raise UsageError(COEF_ORDER.format(**told))

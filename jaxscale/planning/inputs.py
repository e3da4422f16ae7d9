"""Inputs that a plan chooses besides params and tokens, such as idle experts or a batch size: where each may lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import numpy as np

from jaxscale.costs.spec import SIZES, Amounts
from jaxscale.errors import UsageError
from jaxscale.laws import Law
from jaxscale.laws.inputs import SHARE
from jaxscale.planning.limits import is_number
from jaxscale.text import listed

Ends: TypeAlias = tuple[Amounts, Amounts]
Map: TypeAlias = Callable[[Amounts], Amounts]

LEAST_SHARE = 1e-9
"""Of a whole, in place of nothing: a power of a share is not smooth there."""

NOT_ENDS = "choose: {name} = {ends!r} is not (least, most), two finite numbers, the second above the first"
EXCLUDED = "choose: {name} = {ends!r}: it {demand}"
UNUSED = "choose: neither law '{law}' nor a limit takes an input '{name}'; what may be chosen: {inputs}"
NONE_TAKEN = "choose: '{name}': law '{law}' and the limits take no inputs but sizes"
FIXED_TOO = "'{name}' is both fixed and to be chosen"
IS_SIZE = "choose: params and tokens are always chosen; limit '{name}', at_most and at_least, in place of it"
IS_VECTOR = "choose: '{name}' is a series of numbers, a schedule; a plan chooses single ones"
NOT_WHOLE = "choose: {names} are shares of one whole: choose all of them, or fix them all"
TOO_FEW = "choose: the shares {names} are {total:g} together at least, more than one whole"


class Coordinate(Enum):
    """In which coordinate an input is searched: one in which laws are smooth up to its ends.

    LOG: its logarithm, for what is positive.   REST: the logarithm of what a share below 1 leaves, so that all of it
    may be left.   LINEAR: its place between its ends, 0 … 1.
    """

    LOG = "log"
    REST = "rest"
    LINEAR = "linear"

    def input(self, y: Amounts, ends: Ends, exp: Map = np.exp) -> Amounts:
        """Return the input at a coordinate.   exp: of NumPy, or of JAX where y is traced."""
        low, high = ends
        if self is Coordinate.LOG:
            return exp(y)
        return 1.0 - exp(y) if self is Coordinate.REST else low + (high - low) * y

    def ends(self, ends: Ends, log: Map = np.log) -> Ends:
        """Return the least and the largest coordinate of an input."""
        low, high = ends
        if self is Coordinate.LOG:
            return log(low), log(high)
        return (log(1.0 - high), log(1.0 - low)) if self is Coordinate.REST else (0.0 * low, 1.0 + 0.0 * high)

    def slope(self, at: Amounts, ends: Ends) -> Amounts:
        """Return what the coordinate changes by per unit of an input that lies at one of its ends; its size."""
        if self is Coordinate.LINEAR:
            return 1.0 / (ends[1] - ends[0])
        return 1.0 / (at if self is Coordinate.LOG else 1.0 - at)


@dataclass(frozen=True)
class ChosenInput:
    """An input that is chosen: its name, the coordinate in which it is searched, and whether it is one of the law's
    shares of one whole.   Hashable: part of a static argument.
    """

    name: str
    coordinate: Coordinate
    is_part: bool = False


def chosen_inputs(
    law: Law, limited: tuple[str, ...], choose: Mapping[str, tuple[float, float]], fixed: Mapping[str, float]
) -> tuple[tuple[ChosenInput, ...], tuple[tuple[float, float], ...]]:
    """Return the inputs to be chosen, and between which ends, checked.

    limited: inputs of the limits' costs.   Raises UsageError for ends that are none, and for names that neither the law
    nor a limit takes, that are sizes, or that are fixed.
    """
    wanted = tuple(dict.fromkeys(name for name in (*law.inputs, *limited) if name not in SIZES))
    chosen, ends = [], []
    for name, given in choose.items():
        _check(law, name, wanted, fixed)
        low, high = _ends(name, given)
        coordinate, is_part = _coordinate(low), False
        if name in law.inputs:
            measure = law.input(name)
            if measure.is_vector:
                raise UsageError(IS_VECTOR.format(name=name))
            if np.any(measure.excludes((low, high))):
                raise UsageError(EXCLUDED.format(name=name, ends=given, demand=measure.demand))
            is_part = measure.is_composition
            low = max(low, LEAST_SHARE) if is_part else low
            coordinate = Coordinate.REST if measure.unit == SHARE and measure.is_open else _coordinate(low)
        chosen.append(ChosenInput(name, coordinate, is_part))
        ends.append((low, high))
    _check_parts(law, dict(zip((one.name for one in chosen), ends, strict=True)))
    return tuple(chosen), tuple(ends)


def _coordinate(low: float) -> Coordinate:
    return Coordinate.LOG if low > 0 else Coordinate.LINEAR


def _check(law: Law, name: str, wanted: tuple[str, ...], fixed: Mapping[str, float]) -> None:
    if name in SIZES:
        raise UsageError(IS_SIZE.format(name=name))
    if name not in wanted:
        told = {"law": law.name, "name": name}
        raise UsageError(UNUSED.format(**told, inputs=listed(wanted)) if wanted else NONE_TAKEN.format(**told))
    if name in fixed:
        raise UsageError(FIXED_TOO.format(name=name))


def _ends(name: str, given: object) -> tuple[float, float]:
    pair = tuple(given) if isinstance(given, tuple | list) else ()
    low, high = map(float, pair) if len(pair) == 2 and all(map(is_number, pair)) else (np.nan, np.nan)
    if not low < high:
        raise UsageError(NOT_ENDS.format(name=name, ends=given))
    return low, high


def _check_parts(law: Law, ends: Mapping[str, tuple[float, float]]) -> None:
    """Raise UsageError where some of the shares of one whole are chosen and others are not, or cannot make it."""
    parts = [name for name in law.parts if name in ends]
    if parts and len(parts) < len(law.parts):
        raise UsageError(NOT_WHOLE.format(names=listed(law.parts)))
    total = sum(ends[name][0] for name in parts)
    if total >= 1.0:
        raise UsageError(TOO_FEW.format(names=listed(parts), total=total))

"""Budgets of a frontier: those that were given, and those that are usual for a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from jaxscale.allocation.inputs import measured_flops
from jaxscale.errors import UsageError
from jaxscale.laws import Law
from jaxscale.laws.grouped import core_of
from jaxscale.results import Fit, Study
from jaxscale.runs import Runs

FACTORS = (1.0, 3.0, 10.0, 30.0, 100.0)
"""Times the largest measured compute: the budgets where none are asked for."""
ON_REQUEST = 1e3
"""Times the largest measured compute from which the command line answers on request only."""
BAD_BUDGET = "{name} = {flops!r}: a budget is a positive, finite number of FLOP"
NO_BUDGETS = "{name} has the shape {shape}: give one budget or a list of them"
NO_USUAL = "give budgets, as in flops=[1e22, 1e24]: there is no table whose compute would suggest some"


def checked_budgets(flops: float | Sequence[float] | np.ndarray, *, name: str = "flops") -> np.ndarray:
    """Return budgets (b,), FLOP; raise UsageError for what is none.   name: of the argument, for the message."""
    try:
        given = np.atleast_1d(np.asarray(flops))
    except ValueError as error:  # lists of several lengths
        raise UsageError(BAD_BUDGET.format(name=name, flops=flops)) from error
    if given.dtype.kind not in "iufO":  # neither text nor truth values; 10**24 is an object
        raise UsageError(BAD_BUDGET.format(name=name, flops=flops))
    try:
        budgets = given.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(BAD_BUDGET.format(name=name, flops=flops)) from error
    if budgets.ndim != 1 or budgets.size == 0:
        raise UsageError(NO_BUDGETS.format(name=name, shape=budgets.shape))
    for budget in budgets:
        if not (np.isfinite(budget) and budget > 0):
            raise UsageError(BAD_BUDGET.format(name=name, flops=float(budget)))
    return budgets


def usual_budgets(law: Law, runs: Runs) -> tuple[float, ...]:
    """Return budgets from the largest measured compute to 100 times as much; none where no compute is known."""
    measured = measured_flops(core_of(law), runs)
    return () if measured is None else tuple(factor * measured[1] for factor in FACTORS)


def budgets_for(flops: float | Sequence[float] | np.ndarray | None, study: Study | None, fit: Fit | None) -> np.ndarray:
    """Return budgets (b,), FLOP: those that are given, else those of a study, else those that are usual for a fit.

    Raises UsageError for what is none, and where there are none.
    """
    if flops is not None:
        return checked_budgets(flops)
    found = () if study is None else study.budgets
    found = found or (() if fit is None else usual_budgets(fit.law, fit.runs))
    if not found:
        raise UsageError(NO_USUAL)
    return np.asarray(found, dtype=np.float64)


def far_beyond(law: Law, runs: Runs, flops: Iterable[float]) -> tuple[float, float] | None:
    """Return the largest budget and the largest measured compute where the one is a thousand times the other.

    None where it is not, and where no compute is known.   law: of one group or of several.
    """
    largest, measured = max(flops, default=0.0), measured_flops(core_of(law), runs)
    return None if measured is None or largest < ON_REQUEST * measured[1] else (largest, measured[1])

"""One specification answered: its table fitted, its fit bootstrapped, and both asked at the target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from jaxscale.allocation import frontier
from jaxscale.allocation.frontier import has_frontier
from jaxscale.costs.training import fixed_inputs
from jaxscale.errors import RunsError, UsageError
from jaxscale.fitting import fit
from jaxscale.laws import Law
from jaxscale.objectives import Objective
from jaxscale.refitting.bootstrap import resample
from jaxscale.resampling import Scheme
from jaxscale.results import Fit, Frontier, Specification, SpecificationFit
from jaxscale.results.specifications import ANSWERS, WORTH
from jaxscale.results.studies import FEW_USABLE, REFUSED
from jaxscale.results.study import LEAST_USABLE
from jaxscale.runs import Runs

NO_OPTIMUM = "no-optimum"
NOT_A_MINIMUM = "the fit is no minimum of its objective: {status}"
NO_FRONTIER = "the law tells no loss of a budget"
NONE_INSIDE = "no best size lies inside the range at the target"
TOO_FEW = "only {usable} of {total} replicates have an answer"


@dataclass(frozen=True)
class Inquiry:
    """What every specification is asked, and how often its table is resampled.

    flops: FLOP.   fixed: inputs that no budget decides, of any law.
    """

    flops: float
    fixed: Mapping[str, float]
    scheme: Scheme
    replicates: int
    seed: int
    level: float
    device: str


def answered(
    specification: Specification, make: Callable[[], Runs], law: Law, objective: Objective, inquiry: Inquiry
) -> SpecificationFit:
    """Return what a specification says at the target; a failure is a status and a reason, never an error.

    make: returns its table, or raises RunsError or UsageError.
    """
    found: Fit | None = None
    used = 0
    try:
        table = make()
        used = int(np.sum(table.weight > 0))
        found = fit(table, law, objective=objective, device=inquiry.device)
        if not found.is_usable:
            return _unanswered(specification, str(found.status), NOT_A_MINIMUM.format(status=found.status), found, used)
        needed = {name: inquiry.fixed[name] for name in fixed_inputs(law) if name in inquiry.fixed}
        if not has_frontier(law):
            return _unanswered(specification, NO_OPTIMUM, NO_FRONTIER, found, used)
        made = resample(
            found, scheme=inquiry.scheme, replicates=inquiry.replicates, seed=inquiry.seed, device=inquiry.device
        )
        return _answer(specification, found, frontier(made, flops=inquiry.flops, fixed=needed), used, inquiry)
    except (RunsError, UsageError) as error:
        return _unanswered(specification, REFUSED, " ".join(str(error).splitlines()), found, used)


def _answer(specification: Specification, found: Fit, best: Frontier, used: int, inquiry: Inquiry) -> SpecificationFit:
    """Return the answer of a frontier of one budget."""
    point = best.point
    params, loss = float(point.params[0]), float(point.loss[0])
    if not np.isfinite(loss):
        return _unanswered(specification, NO_OPTIMUM, NONE_INSIDE, found, used)
    low, high, variance = (dict.fromkeys(ANSWERS, np.nan) for _ in range(3))
    total, samples = inquiry.replicates, {name: getattr(best, name)[:, 0] for name in ANSWERS}
    status, reason, usable = str(found.status), "", int(np.isfinite(samples["loss"]).sum())
    if usable < LEAST_USABLE * total:
        status, reason = FEW_USABLE, TOO_FEW.format(usable=f"{usable:,}", total=f"{total:,}")
    for name in ANSWERS if status != FEW_USABLE else ():
        has = np.isfinite(samples[name])
        if has.sum() < LEAST_USABLE * total:
            continue
        band = best.interval(name, level=inquiry.level)
        assert band is not None  # of an ensemble
        low[name], high[name] = float(band.lower[0]), float(band.upper[0])
        variance[name] = float(np.var(WORTH[name](samples[name][has])))
    return SpecificationFit(specification, status, reason, found, used, usable, params, loss, low, high, variance)


def _unanswered(
    specification: Specification, status: str, reason: str, found: Fit | None, used: int
) -> SpecificationFit:
    nothing = dict.fromkeys(ANSWERS, np.nan)
    return SpecificationFit(
        specification, status, reason, found, used, 0, np.nan, np.nan, nothing, dict(nothing), dict(nothing)
    )

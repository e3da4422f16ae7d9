"""The verb: what a fit rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from jaxscale import precision
from jaxscale.allocation.findings import check_plannable
from jaxscale.diagnosing.decision import (
    alternatives_of,
    floor_of,
    group_width_of,
    quantities_of,
    weakest_of,
)
from jaxscale.diagnosing.influence import influence_of, measure_of, refitted_without_each, removals_of
from jaxscale.diagnosing.local import local_model
from jaxscale.diagnosing.messages import findings_of_diagnosis
from jaxscale.diagnosing.outliers import outliers_of
from jaxscale.diagnosing.residuals import Outlook, run_correlation_of, tests_of
from jaxscale.diagnosing.target import target_of
from jaxscale.engine import placement
from jaxscale.engine.compiling import Clock
from jaxscale.errors import UsageError
from jaxscale.fitting.units import units_of
from jaxscale.results import Ensemble, Fit, Study
from jaxscale.results.diagnosis import Diagnosis
from jaxscale.results.kinds import fit_behind

BAD_WORST = "worst = {worst!r}: how many units are left out together is an integer, 0 at least"


def diagnose(
    fit: Study | Ensemble | Fit,
    *,
    flops: float | None = None,
    at: Mapping[str, float] | None = None,
    worst: int = 5,
    device: str = "auto",
) -> Diagnosis:
    """Return what a fit rests on: the influence of each run, and what the residuals still depend on.

    Where runs have several rows, or the table has groups, five at least, these are left out at a time, else rows.

    Parameters
    ----------
    fit
        At a minimum; or a Study or an Ensemble, whose fit is taken.
    flops
        The target budget at which answers are compared; None for ten times the largest measured compute.
    at
        The law's inputs that no budget decides, name → value.
    worst
        How many units are left out together at most.
    device
        Where to compute: auto, cpu, gpu or tpu.

    Returns
    -------
    Diagnosis
        The influence of each unit, by one step of Gauss and Newton and, of up to 2,000, by a fit without it; the fits
        without the worst together; tests of the residuals; and findings, each with the rows and what to do.

    Raises
    ------
    UsageError
        For a fit that is no minimum, a budget that is none, or invalid fixed inputs.
    RunsError
        For a table whose numbers are not what they are taken for.
    MissingDependencyError
        For a device that is not there.

    Examples
    --------
    >>> found = js.diagnose(fit)
    >>> found.to_frame().columns.tolist()[:5]
    ['rows', 'studentised', 'leverage', 'share', 'distance']
    """
    if isinstance(worst, bool) or not isinstance(worst, int) or worst < 0:
        raise UsageError(BAD_WORST.format(worst=worst))
    fit = fit_behind("diagnose", fit)
    check_plannable(fit)
    target, clock = target_of(fit, flops, at), Clock()
    with precision.float64(), placement.on(device):
        units = units_of(fit)
        model = local_model(fit, clock)
        with target.prefetched():
            refitted = refitted_without_each(units, units.fit, len(units), device=device)
        measure = measure_of(target, model)
        influence = influence_of(units, measure, refitted)
        removals = removals_of(units, measure, influence, worst, clock, device=device)
        answers = target.answers(model.theta[None], measure.known)[:, 0]
        alternatives = alternatives_of(fit, measure)
    correlation = run_correlation_of(units, model)
    share, pull = floor_of(fit, model, measure.gradient, float(answers[2]))
    width = group_width_of(units, model, measure)
    weakest, weakest_std = weakest_of(model)
    tests = tests_of(units, model, Outlook.of(answers, measure.gradients, target.flops))
    beyond = None if target.measured is None or target.flops is None else target.flops / target.measured
    made = Diagnosis(
        fit,
        target.flops,
        units.kind,
        float(np.exp(answers[0])),
        float(np.exp(answers[1] - answers[0])),
        float(answers[2]),
        influence,
        removals,
        tests,
        quantities_of(units, model, measure, answers, width.get("params", 1.0)),
        weakest,
        weakest_std,
        alternatives,
        None if correlation is None else correlation[0],
        width,
        beyond,
        share,
        pull,
        (),
    )
    ratio = None if correlation is None else correlation[1]
    off = outliers_of(made, units, model)
    return replace(made, findings=(*off, *findings_of_diagnosis(made, off, target.findings(fit), ratio)))

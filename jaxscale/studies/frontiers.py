"""The frontiers of a study, at the budgets and the fixed inputs that it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from jaxscale.allocation import check_frontier, frontier
from jaxscale.allocation.inputs import fixed_values, measured_flops
from jaxscale.errors import UsageError
from jaxscale.finding import forbids_plan
from jaxscale.fitting import group_of
from jaxscale.fitting.collinearity import design_of
from jaxscale.laws import Law
from jaxscale.laws.grouped import core_of, grouping_of
from jaxscale.results import Ensemble, Fit, Frontier, Study
from jaxscale.runs import Runs

FACTORS = (1.0, 3.0, 10.0, 30.0, 100.0)
"""Times the largest measured compute: the budgets where none are asked for."""


def usual_budgets(law: Law, runs: Runs) -> tuple[float, ...]:
    """Return budgets from the largest measured compute to 100 times as much; none where no compute is known."""
    measured = measured_flops(core_of(law), runs)
    return () if measured is None else tuple(factor * measured[1] for factor in FACTORS)


def with_frontiers(study: Study) -> Study:
    """Return the study with the frontier of its fit, or of each group, and of its reduced fit, at its own budgets.

    None is there for a fit that is no minimum, for a table whose numbers are not what they are taken for, and for a
    law that says nothing about budgets, or needs inputs fixed that are not in `at`.
    """
    fit, grouping = study.fit, grouping_of(study.fit.law)
    budgets = study.budgets or usual_budgets(fit.law, fit.runs)
    reduced = None if study.reduced is None else with_frontiers(study.reduced)
    study = replace(study, frontier=None, groups={}, reduced=reduced, budgets=budgets)
    if not fit.is_usable or forbids_plan(fit.findings) is not None or not budgets:
        return study
    if grouping is None:
        return replace(study, frontier=_found(fit if study.ensemble is None else study.ensemble, study))
    parts = {group: part_of(study, group) for group in grouping.groups}
    parts = {
        group: replace(part, frontier=_found(part.fit if part.ensemble is None else part.ensemble, study))
        for group, part in parts.items()
    }
    return replace(study, groups={} if any(part.frontier is None for part in parts.values()) else parts)


def check_frontier_inputs(law: Law, at: Mapping[str, float]) -> None:
    """Raise UsageError for a law without a frontier, and for inputs in `at` that are missing, unknown or impossible."""
    check_frontier(law, at)
    fixed_values(law, at)


def part_of(study: Study, group: str) -> Study:
    """Return what a study of a fit over groups says of one of them, with its frontier where it has one."""
    if group in study.groups:
        return study.groups[group]
    ensemble = None if study.ensemble is None else group_of(study.ensemble, group)
    fit = group_of(study.fit, group)
    return Study(fit, ensemble, None, study.level, study.interval, study.budgets, study.at)


def line_of(fit: Fit) -> str:
    """Return in words how the inputs of a law move together in the table of a fit, "tokens = 20 params"."""
    return str(design_of(fit.runs, fit.law))


def _found(source: Fit | Ensemble, study: Study) -> Frontier | None:
    try:
        return frontier(source, flops=study.budgets, fixed=study.at)
    except UsageError:  # a law without a frontier is worth fitting all the same; the report says so
        return None

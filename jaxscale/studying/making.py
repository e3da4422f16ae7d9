"""One call from a table to a study, with its frontiers: what `jaxscale fit` and `jaxscale frontier` do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from jaxscale.allocation import check_frontier, frontier, prefetched_frontier
from jaxscale.allocation.budgets import checked_budgets, usual_budgets
from jaxscale.allocation.inputs import fixed_values
from jaxscale.counting import ALL, Convention, recount
from jaxscale.errors import UsageError
from jaxscale.finding import forbids_plan
from jaxscale.fitting import compare_counts, fit, group_of, reduced
from jaxscale.fitting.collinearity import design_of
from jaxscale.intervals import INTERVALS, Interval
from jaxscale.intervals.band import check_level
from jaxscale.laws import LAWS, Law
from jaxscale.laws.grouped import grouping_of
from jaxscale.names import REPLICATES
from jaxscale.objectives import OBJECTIVES, Objective
from jaxscale.refitting import check_clusters, resample
from jaxscale.resampling import SCHEMES, Scheme
from jaxscale.results import Ensemble, Fit, Frontier, Study
from jaxscale.results.kinds import check_runs
from jaxscale.results.samples import check_drawn, parts_for
from jaxscale.runs import Runs

FITTING_STAGE = "Compiling and fitting {law}"
FRONTIER_STAGE = "Finding the frontier"
COUNTING_STAGE = "Fitting under other conventions of counting"
REDUCED_STAGE = "Fitting the loss along {line}"

BAD_CONVENTIONS = (
    "conventions = {conventions!r} is no list of ways to count; give names, as in ['6nd', 'measured'], or 'all'"
)
BAD_COUNT = "replicates = {replicates!r} is neither 0, for no bootstrap, nor a positive integer"


def study(
    runs: Runs,
    law: Law | str = "chinchilla",
    *,
    objective: Objective | str = "huber",
    solver: str = "newton",
    starts: Mapping[str, float] | Sequence[Mapping[str, float]] | None = None,
    fix: Mapping[str, float] | None = None,
    per_group: str | Sequence[str] = (),
    scheme: Scheme | str = "pairs",
    replicates: int = REPLICATES,
    seed: int = 0,
    budgets: Sequence[float] = (),
    at: Mapping[str, float] | None = None,
    level: float = 0.95,
    interval: Interval | str = "percentile",
    conventions: Sequence[Convention | str] | str = (),
    device: str = "auto",
    on_stage: Callable[[str, int | None], object] = lambda text, total: None,
    on_done: Callable[[int], object] = lambda count: None,
    on_fit: Callable[[Fit], object] = lambda fit: None,
) -> Study:
    """Fit a law to a table, bootstrap the fit, and find its frontier: everything that `jaxscale fit` reports.

    Parameters
    ----------
    runs
        The table, from `js.read_runs`, `js.Runs.from_frame` or `js.datasets.load`.
    law, objective, solver, starts, fix, per_group
        As in `js.fit`.
    scheme, replicates, seed
        As in `js.bootstrap`, but for a jackknife, whose replicates are no draws; with 0 replicates there is no
        ensemble, and nothing has a band.
    budgets
        Budgets (b,) of the frontier, in FLOP; without any, 1, 3, 10, 30 and 100 times the largest measured compute.
    at
        The law's inputs that no budget decides, name → value, in the input's unit.
    level, interval
        The share of every band, and how its ends are found: a name of `jaxscale.intervals.INTERVALS`. What the interval
        needs beside replicates, the fits without each run, standard errors in each replicate or profiles, is made with
        them.
    conventions
        Names from `jaxscale.counting.CONVENTIONS`, or "all": fit the law under these ways to count, too.
    device
        Where to compute: auto, cpu, gpu or tpu.
    on_stage, on_done, on_fit
        Told what begins and of how many parts it is, how many more parts are done, and the fit before it is resampled.

    Returns
    -------
    Study
        `fit`, and where there are any: `ensemble`, `frontier`, `groups` (of a fit over groups, the study of each),
        `reduced` (for a table that does not carry the law, what it does show), `comparison`. A fit that failed is in it
        with its status, and has neither ensemble nor frontier.

    Raises
    ------
    UsageError
        For unknown names, and values that are impossible; for the scheme of a jackknife.
    RunsError
        For a table that cannot carry the fit, the scheme or a convention.
    MissingDependencyError
        For a device that is not there.

    Examples
    --------
    >>> import jaxscale as js
    >>> runs = js.datasets.load("pilot")
    >>> found = js.study(runs, "power-params", replicates=0, budgets=[1e13])
    >>> found.fit.status.name
    'CONVERGED'
    >>> found.is_trustworthy
    True
    """
    check_runs("study", runs)
    law, objective, scheme = LAWS.resolve(law), OBJECTIVES.resolve(objective), SCHEMES.resolve(scheme)
    rule = INTERVALS.resolve(interval)
    parts = parts_for(rule)
    check_drawn(scheme)
    check_level(level)
    check_count(replicates)
    if replicates:
        check_clusters(runs, scheme, has_own=bool(per_group))
    chosen = budgets_of(budgets) or usual_budgets(law, runs)
    if not isinstance(conventions, Sequence):
        raise UsageError(BAD_CONVENTIONS.format(conventions=conventions))
    for one in (conventions,) if isinstance(conventions, str) else conventions:
        if one != ALL:
            recount(runs, one)  # refuses what the table does not allow

    def resampled(one: Fit) -> Ensemble | None:
        if replicates == 0 or not one.free or not one.is_usable:
            return None
        return resample(
            one, scheme=scheme, replicates=replicates, seed=seed, device=device, on_stage=on_stage, on_done=on_done,
            **parts,
        )  # fmt: skip

    with prefetched_frontier(law, budgets=len(chosen), replicates=replicates):
        on_stage(FITTING_STAGE.format(law=law.name), None)
        fitted = fit(
            runs, law, objective=objective, solver=solver, starts=starts, fix=fix, per_group=per_group, device=device
        )
        on_fit(fitted)
        made = Study(fitted, resampled(fitted), None, level, rule, chosen, dict(at or {}))
        if not fitted.is_usable and fitted.unidentified:
            line = str(design_of(fitted.runs, fitted.law))
            on_stage(REDUCED_STAGE.format(line=line), None)
            left = reduced(fitted, device=device)
            if left is not None:
                made = replace(made, reduced=replace(made, fit=left, ensemble=resampled(left)), line=line)
        on_stage(FRONTIER_STAGE, None)
        made = with_frontiers(made, on_stage=on_stage, on_done=on_done)
    return compared(made, conventions, on_stage=on_stage, device=device) if conventions else made


def check_count(replicates: int) -> None:
    """Raise UsageError for what is no number of replicates, 0 for none."""
    if isinstance(replicates, bool) or not isinstance(replicates, int) or replicates < 0:
        raise UsageError(BAD_COUNT.format(replicates=replicates))


def compared(
    study: Study,
    conventions: Sequence[Convention | str] | str,
    *,
    on_stage: Callable[[str, int | None], object] = lambda text, total: None,
    device: str = "auto",
) -> Study:
    """Return the study with its law's point fits under other conventions of counting; errors as of `compare_counts`.

    Their frontiers are at the study's budgets, unless the law has none with what is fixed.
    """
    one = study.fit
    has_none = one.is_usable and study.frontier is None
    on_stage(COUNTING_STAGE, None)
    found = compare_counts(
        one.runs,
        one.law,
        conventions=conventions,
        flops=None if has_none else study.budgets,
        objective=one.objective,
        solver=one.solver,
        fix={name: one.coefs[name] for name in one.fixed},
        fixed={} if has_none else study.at,
        device=device,
    )
    return replace(study, comparison=found)


def budgets_of(budgets: Sequence[float]) -> tuple[float, ...]:
    """Return budgets in FLOP, none for none; raise UsageError for what is none."""
    if not isinstance(budgets, str) and not np.size(budgets):
        return ()
    return tuple(checked_budgets(budgets, name="budgets").tolist())


def with_frontiers(
    study: Study,
    *,
    on_stage: Callable[[str, int | None], object] = lambda text, total: None,
    on_done: Callable[[int], object] = lambda count: None,
) -> Study:
    """Return the study with the frontier of its fit, or of each group, and of its reduced fit, at its own budgets.

    None is there for a fit that is no minimum, for a table whose numbers are not what they are taken for, and for a
    law that says nothing about budgets, or needs inputs fixed that are not in `at`.   on_stage, on_done: as in
    `js.frontier`.
    """
    fit, grouping = study.fit, grouping_of(study.fit.law)
    budgets = study.budgets or usual_budgets(fit.law, fit.runs)
    find = partial(_found, on_stage=on_stage, on_done=on_done)
    reduced = None if study.reduced is None else with_frontiers(study.reduced, on_stage=on_stage, on_done=on_done)
    study = replace(study, frontier=None, groups={}, reduced=reduced, budgets=budgets)
    if not fit.is_usable or forbids_plan(fit.findings) is not None or not budgets:
        return study
    if grouping is None:
        return replace(study, frontier=find(fit if study.ensemble is None else study.ensemble, study))
    parts = {group: part_of(study, group) for group in grouping.groups}
    parts = {
        group: replace(part, frontier=find(part.fit if part.ensemble is None else part.ensemble, study))
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


def _found(
    source: Fit | Ensemble,
    study: Study,
    *,
    on_stage: Callable[[str, int | None], object],
    on_done: Callable[[int], object],
) -> Frontier | None:
    try:
        return frontier(source, flops=study.budgets, fixed=study.at, on_stage=on_stage, on_done=on_done)
    except UsageError:  # a law without a frontier is worth fitting all the same; the report says so
        return None

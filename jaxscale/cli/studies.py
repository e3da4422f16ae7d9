"""The steps behind `fit` and `frontier`: from what was typed to runs, a fit, its ensemble and its frontier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from jaxscale.cli import tables
from jaxscale.cli.choosing import law_of, name_of
from jaxscale.cli.options import Fitting, Reading, Showing
from jaxscale.cli.progress import Bar
from jaxscale.errors import RunsError, UsageError

if TYPE_CHECKING:
    from jaxscale.laws import Law
    from jaxscale.objectives import Objective
    from jaxscale.reports import Answer
    from jaxscale.results import Counts, Ensemble, Fit, Frontier
    from jaxscale.runs import Runs

NO_SCHEDULE = "--warmup belongs to laws of schedules, such as 'multi-power'; '{law}' takes none"
NO_LOSS = "what the law '{law}' gives is {target}, not loss: say which column of the table holds it, --map loss=COLUMN"
NO_DELTA = "--delta belongs to the objective 'huber'; '{objective}' has none"
NOT_DECLARED = "'{name}' is neither a column of {table} nor a coef: add --coef {name}:positive, or --map {name}=COLUMN"

FITTING_STAGE = "Compiling and fitting {law}"
RESAMPLING_STAGE = "Refitting to resampled tables"
FRONTIER_STAGE = "Finding the frontier"
COUNTING_STAGE = "Fitting under other conventions of counting"
REDUCED_STAGE = "Fitting the loss along {line}"


def objective_of(fitting: Fitting) -> Objective:
    """Return the objective in its space and with its delta; raise UsageError for a delta that it does not have."""
    from jaxscale.objectives import OBJECTIVES
    from jaxscale.objectives.spec import check_delta

    objective = replace(OBJECTIVES.resolve(fitting.objective), space=fitting.space)
    if fitting.delta is None:
        return objective
    if objective.delta is None:
        raise UsageError(NO_DELTA.format(objective=objective.name))
    return replace(objective, scale=check_delta(fitting.delta))


def runs_of(table: str | None, reading: Reading, fitting: Fitting) -> Runs:
    """Return the runs of a table, with what is made of their schedules where the law takes that.

    Raises UsageError, RunsError or MissingDependencyError.
    """
    from jaxscale.counting import WORDS
    from jaxscale.schedules import with_schedules
    from jaxscale.text import shown_name

    law = law_of(fitting)
    if law.target != "loss" and "loss" not in reading.map:
        raise UsageError(NO_LOSS.format(law=law.name, target=law.target))
    if reading.warmup and not law.derived_from:
        raise UsageError(NO_SCHEDULE.format(law=law.name))
    inputs = (*(name for name in law.inputs if not law.input(name).derived_from), *law.derived_from)
    try:
        runs = tables.read(table, reading, inputs=inputs, beside=WORDS, positive_loss=fitting.space == "log")
    except RunsError as error:
        _check_declared(law, error.missing, shown_name(table or tables.SHIPPED))
        raise
    return with_schedules(runs, warmup=reading.warmup) if law.derived_from else runs


def _check_declared(law: Law, missing: Sequence[str], table: str) -> None:
    """Raise UsageError, with a caret, where a name in a typed law is neither a coef nor a column of the table."""
    from jaxscale.laws import ExpressionLoss

    if isinstance(law.loss, ExpressionLoss):
        for name in missing:
            law.loss.check_input_name(name, NOT_DECLARED.format(name=name, table=table))


def fit_of(runs: Runs, fitting: Fitting, bar: Bar) -> Fit:
    """Return the fit; one that failed comes back with its status."""
    from jaxscale.fitting import fit

    bar.stage(FITTING_STAGE.format(law=name_of(fitting)))
    return fit(
        runs,
        law_of(fitting),
        objective=objective_of(fitting),
        solver=fitting.solver,
        fix=fitting.fixed,
        per_group=fitting.per_group,
        device=fitting.device,
    )


def ensemble_of(fit: Fit, fitting: Fitting, bar: Bar) -> Ensemble | None:
    """Return the replicates; None where none were asked for, none of the coefs is free, or the fit is no minimum."""
    from jaxscale.fitting import bootstrap

    if fitting.replicates == 0 or not fit.free or not fit.is_usable:
        return None
    bar.stage(RESAMPLING_STAGE, fitting.replicates)
    return bootstrap(
        fit,
        scheme=fitting.scheme,
        replicates=fitting.replicates,
        seed=fitting.seed,
        device=fitting.device,
        on_done=bar.advance,
    )


@contextmanager
def prefetching(runs: Runs, fitting: Fitting, showing: Showing) -> Iterator[None]:
    """Inside this scope, in which runs are fitted, compile what their frontier needs while the fit's own compiles."""
    from jaxscale.allocation import prefetched

    budgets = showing.flops or tables.budgets_of(runs)
    with prefetched(law_of(fitting), budgets=len(budgets), replicates=fitting.replicates):
        yield


def frontier_of(fit: Fit, ensemble: Ensemble | None, showing: Showing, bar: Bar) -> Frontier | None:
    """Return the frontier at the budgets asked for, over the ensemble where there is one; None for a failed fit.

    None, too, where the numbers of the table are not what they are taken for.

    None, too, for a fit over groups, each of which has its own: see `parts_of`.   Raises UsageError for a law that says
    nothing about budgets.
    """
    from jaxscale.allocation import frontier
    from jaxscale.finding import forbids_plan
    from jaxscale.laws.grouped import grouping_of

    if not fit.is_usable or grouping_of(fit.law) is not None or forbids_plan(fit.findings) is not None:
        return None
    bar.stage(FRONTIER_STAGE)
    flops = showing.flops or tables.budgets_of(fit.runs)
    return frontier(fit if ensemble is None else ensemble, flops=flops, fixed=showing.at)


def parts_of(
    fit: Fit, ensemble: Ensemble | None, showing: Showing, bar: Bar, known: Mapping[str, Frontier] | None = None
) -> dict[str, Answer]:
    """Return the answer for each group of a fit over groups, with its frontier; nothing for any other, or a failed one.

    known: frontiers that were found before.   Raises UsageError for a law that says nothing about budgets.
    """
    from jaxscale.allocation import frontier
    from jaxscale.finding import forbids_plan
    from jaxscale.fitting import group_of
    from jaxscale.laws.grouped import grouping_of
    from jaxscale.reports import Answer

    grouping, found = grouping_of(fit.law), {}
    if grouping is None or not fit.is_usable or forbids_plan(fit.findings) is not None:
        return {}
    bar.stage(FRONTIER_STAGE)
    for group in grouping.groups:
        part = group_of(fit, group)
        refits = None if ensemble is None else group_of(ensemble, group)
        own = (known or {}).get(group)
        if own is None:
            flops = showing.flops or tables.budgets_of(fit.runs)
            own = frontier(part if refits is None else refits, flops=flops, fixed=showing.at)
        found[group] = Answer(part, refits, own, showing.level, showing.interval)
    return found


def parts_if_any(fit: Fit, ensemble: Ensemble | None, showing: Showing, bar: Bar) -> dict[str, Answer]:
    """Return the answer for each group; nothing for a law without a frontier, too."""
    try:
        return parts_of(fit, ensemble, showing, bar)
    except UsageError:
        return {}


def reduced_of(fit: Fit, fitting: Fitting, showing: Showing, bar: Bar) -> Answer | None:
    """Return the answer along the curve on which the runs of a refused fit lie; None where there is no such thing."""
    from jaxscale.fitting import reduced
    from jaxscale.reports import Answer

    if fit.is_usable or not fit.unidentified:
        return None
    bar.stage(REDUCED_STAGE.format(line=line_of(fit)))
    left = reduced(fit, device=fitting.device)
    if left is None:
        return None
    ensemble = ensemble_of(left, fitting, bar)
    return Answer(left, ensemble, frontier_if_any(left, ensemble, showing, bar), showing.level, showing.interval)


def frontier_if_any(fit: Fit, ensemble: Ensemble | None, showing: Showing, bar: Bar) -> Frontier | None:
    """Return the frontier; None also for a law without one, which is worth fitting all the same: the report says so."""
    try:
        return frontier_of(fit, ensemble, showing, bar)
    except UsageError:
        return None


def counts_of(
    fit: Fit, frontier: Frontier | None, counts: Sequence[str], fitting: Fitting, showing: Showing, bar: Bar
) -> Counts | None:
    """Return the law's point fits under the conventions that were asked for; None where none was.

    Their frontiers are at the budgets that were asked for, unless the law has none with what is fixed.
    """
    from jaxscale.fitting import compare_counts

    if not counts:
        return None
    has_none = fit.is_usable and frontier is None
    bar.stage(COUNTING_STAGE)
    return compare_counts(
        fit.runs,
        fit.law,
        conventions=counts,
        flops=None if has_none else showing.flops or tables.budgets_of(fit.runs),
        objective=objective_of(fitting),
        solver=fitting.solver,
        fix=fitting.fixed,
        fixed={} if has_none else showing.at,
        device=fitting.device,
    )


def line_of(fit: Fit) -> str:
    """Return in words how the inputs of a law move together in the table of a fit, "tokens = 20 params"."""
    from jaxscale.fitting.design import design_of

    return str(design_of(fit.runs, fit.law))

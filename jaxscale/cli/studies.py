"""The steps behind `fit` and `frontier`: from what was typed to runs, a fit, its crowd and its frontier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from jaxscale.cli import options
from jaxscale.cli.options import Fitting, Reading, Showing
from jaxscale.cli.progress import Bar
from jaxscale.errors import UsageError

if TYPE_CHECKING:
    from jaxscale.objectives import Objective
    from jaxscale.reports import Answer
    from jaxscale.results import Ensemble, Fit, Frontier
    from jaxscale.runs import Runs

SHIPPED = "simulated"
"""The table that is fitted where none is given."""

NEEDS_TABLE = "--{option} says how a table is read: name the TABLE; without one the shipped table is used as it is"
NO_DELTA = "--delta belongs to the objective 'huber'; '{objective}' has none"
PLAIN = Reading({}, (), ",", ".", None, "utf-8", False, "refuse", None)

FITTING_STAGE = "Compiling and fitting {law}"
RESAMPLING_STAGE = "Refitting to resampled tables"
FRONTIER_STAGE = "Finding the frontier"
REDUCED_STAGE = "Fitting the loss along {line}"


def refuse_unknown(fitting: Fitting, showing: Showing) -> None:
    """Raise UsageError for a name that nothing carries, or a coef that the law has not, before any table is read."""
    from jaxscale.intervals import INTERVALS
    from jaxscale.laws import LAWS
    from jaxscale.laws.grouped import core_name
    from jaxscale.registry import unknown
    from jaxscale.resampling import SCHEMES
    from jaxscale.solvers import SOLVERS

    law = LAWS.resolve(fitting.law)
    for registry, name in ((SCHEMES, fitting.scheme), (SOLVERS, fitting.solver), (INTERVALS, showing.interval)):
        registry.resolve(name)
    named = [core_name(name) if fitting.per_group else name for name in fitting.fix]  # groups are not known yet
    for name in (*named, *fitting.per_group):
        if name not in law.names:
            raise UsageError(unknown("coef", name, law.names))
    objective_of(fitting)


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
    """Return the runs of a table, or of the shipped one; raise UsageError, RunsError or MissingPartError."""
    from jaxscale import datasets
    from jaxscale.laws import LAWS
    from jaxscale.runs import read_runs

    if table is None:
        for option, value in asdict(reading).items():
            if option != "where" and value != getattr(PLAIN, option):
                raise UsageError(NEEDS_TABLE.format(option=option))
        runs = datasets.load(SHIPPED)
        return runs.where(*reading.where) if reading.where else runs
    inputs = LAWS.resolve(fitting.law).inputs
    return read_runs(table, inputs=inputs, positive_loss=fitting.space == "log", **asdict(reading))


def fit_of(runs: Runs, fitting: Fitting, bar: Bar) -> Fit:
    """Return the fit; one that failed comes back with its status."""
    from jaxscale.fitting import fit

    bar.stage(FITTING_STAGE.format(law=fitting.law))
    return fit(
        runs,
        fitting.law,
        objective=objective_of(fitting),
        solver=fitting.solver,
        fix=fitting.fix,
        per_group=fitting.per_group,
        device=fitting.device,
    )


def crowd_of(fit: Fit, fitting: Fitting, bar: Bar) -> Ensemble | None:
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
def foreseeing(fitting: Fitting, showing: Showing) -> Iterator[None]:
    """Inside this scope, in which a table is fitted, compile what its frontier needs while the fit's own compiles."""
    from jaxscale.allocation import foreseen

    with foreseen(fitting.law, budgets=len(showing.flops or options.FLOPS), replicates=fitting.replicates):
        yield


def frontier_of(fit: Fit, ensemble: Ensemble | None, showing: Showing, bar: Bar) -> Frontier | None:
    """Return the frontier at the budgets asked for, over the crowd where there is one; None for a failed fit.

    None, too, for a fit over groups, each of which has its own: see `parts_of`.   Raises UsageError for a law that says
    nothing about budgets.
    """
    from jaxscale.allocation import frontier
    from jaxscale.laws.grouped import grouping_of

    if not fit.is_usable or grouping_of(fit.law) is not None:
        return None
    bar.stage(FRONTIER_STAGE)
    return frontier(fit if ensemble is None else ensemble, flops=showing.flops or options.FLOPS, held=showing.hold)


def parts_of(
    fit: Fit, ensemble: Ensemble | None, showing: Showing, bar: Bar, known: Mapping[str, Frontier] | None = None
) -> dict[str, Answer]:
    """Return the answer for each group of a fit over groups, with its frontier; nothing for any other, or a failed one.

    known: frontiers that were found before.   Raises UsageError for a law that says nothing about budgets.
    """
    from jaxscale.allocation import frontier
    from jaxscale.fitting import group_of
    from jaxscale.laws.grouped import grouping_of
    from jaxscale.reports import Answer

    grouping, found = grouping_of(fit.law), {}
    if grouping is None or not fit.is_usable:
        return {}
    bar.stage(FRONTIER_STAGE)
    for group in grouping.groups:
        part = group_of(fit, group)
        crowd = None if ensemble is None else group_of(ensemble, group)
        own = (known or {}).get(group)
        if own is None:
            flops = showing.flops or options.FLOPS
            own = frontier(part if crowd is None else crowd, flops=flops, held=showing.hold)
        found[group] = Answer(part, crowd, own, showing.level, showing.interval)
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

    if not fit.unidentified:
        return None
    bar.stage(REDUCED_STAGE.format(line=line_of(fit)))
    left = reduced(fit, device=fitting.device)
    if left is None:
        return None
    ensemble = crowd_of(left, fitting, bar)
    return Answer(left, ensemble, frontier_if_any(left, ensemble, showing, bar), showing.level, showing.interval)


def frontier_if_any(fit: Fit, ensemble: Ensemble | None, showing: Showing, bar: Bar) -> Frontier | None:
    """Return the frontier; None also for a law without one, which is worth fitting all the same: the report says so."""
    try:
        return frontier_of(fit, ensemble, showing, bar)
    except UsageError:
        return None


def line_of(fit: Fit) -> str:
    """Return in words how the inputs of a law move together in the table of a fit, "tokens = 20 params"."""
    from jaxscale.fitting.design import design_of

    return str(design_of(fit.runs, fit.law))

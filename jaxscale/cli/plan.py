"""`jaxscale plan`: the best params and tokens within limits, what binds, and the regret of this plan and of others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from jaxscale.cli import asking as asked
from jaxscale.cli import cache, choosing, measuring, printing, sources
from jaxscale.cli.asking import Asking, asking_options
from jaxscale.cli.helping import command
from jaxscale.cli.known import TableName
from jaxscale.cli.options import (
    Fitting,
    Given,
    Reading,
    Showing,
    at_option,
    fitting_options,
    given_options,
    json_option,
    reading_options,
    saved_band_options,
    width_option,
)
from jaxscale.cli.outcomes import NOT_TRUSTWORTHY
from jaxscale.cli.reach import far_option
from jaxscale.cli.session import Session, progress, talking
from jaxscale.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jaxscale.costs import Cost
    from jaxscale.reports import Constants, PlanReport
    from jaxscale.results import Study
    from jaxscale.store import SavedComparison

STAGE = "Planning"
MIXED_NEEDS_BUDGET = "'{folder}' is a comparison of laws, over which regret is weighed: give a budget with --flops"


@command()
@click.argument("source", metavar="[SAVED|TABLE]", required=False, type=TableName())
@asking_options
@at_option
@far_option
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE", help=(
    "Draw the limits, the plan and its regret into a file: .png, .pdf or .svg. [default: none]"))  # fmt: skip
@click.option("--of", metavar="GROUP", help="Which group of a fit over groups. [default: none]")
@width_option
@given_options
@saved_band_options[0]
@saved_band_options[1]
@json_option
@fitting_options
@reading_options
@talking
def plan(
    session: Session,
    source: str | None,
    asking: Asking,
    at: Mapping[str, float],
    plot: Path | None,
    width: Literal["page", "column"],
    of: str | None,
    given: Given,
    fitting: Fitting,
    reading: Reading,
    level: float | None,
    interval: str | None,
    is_json: bool,
) -> None:
    """Print the best params and tokens for a budget, within limits, or the least cost that reaches a loss.

    SAVED is a folder that `jaxscale fit` has written, and nothing is fitted again; or one of `jaxscale compare --out`,
    and then regret is over the replicates of all its laws by their weights. A TABLE, which is what that command
    takes, is fitted first, with its options, and nothing is saved. Without either, --law with --constants or --set
    gives the coefs. With replicates and a budget, the plan is that of the least expected regret, and regret is what a
    plan loses beside the one that would be best, did one know which replicate is the truth. Exit code 4 says that the
    fit is not trustworthy.
    """
    choosing.check_clear(fitting)
    sources.check_sources(source, given)
    asked.check_asking(asking, has_replicates=source is not None and fitting.replicates > 0)
    if source is None:
        choosing.check_declared(fitting, at, "--at")
        if of is not None:
            raise UsageError(sources.NO_GROUPS)
        measuring.check_has_table(asking.measured_cost)
    cache.prepare(session)
    costs = measuring.measured_costs(asking.measured_cost, None)
    question, price = asked.question_in(asking, at, costs), asked.dollars_per_flop(asking)
    shapes = asked.shapes_of(asking)
    from jaxscale.planning.question import question_of

    if source is None:
        known = sources.known_coefs(fitting, given)
        found = _report(known, asking, at, costs, price, shapes)
    else:
        mixed = _mixed_in(source, asking)
        with progress(session) as bar:
            study = sources.study_from(
                source,
                fitting,
                reading,
                Showing(None, {}, level, interval),
                session,
                bar,
                saved=lambda folder: _saved(folder, level, interval, mixed),
                check=lambda law: question_of(law, **asked.goal_in(asking, costs), **question),
                budgets=() if asking.budget is None else (asking.budget,),
            )
            bar.stage(STAGE)
            costs = measuring.measured_costs(asking.measured_cost, study.fit.runs.columns)
            found = _report(sources.part_named(study, of), asking, at, costs, price, shapes, mixed)
    _show(found, plot, width, is_json=is_json)
    if source is not None and not study.is_trustworthy:
        raise click.exceptions.Exit(NOT_TRUSTWORTHY)


def _report(
    source: Study | Constants,
    asking: Asking,
    at: Mapping[str, float],
    costs: Mapping[str, Cost],
    price: float | None,
    shapes: Mapping[str, float] | None,
    mixed: SavedComparison | None = None,
) -> PlanReport:
    """Return the plan, and with replicates and a budget what it and others cost under each of them.

    mixed: laws of a comparison, over all of which is decided; the source is then the heaviest.
    """
    import numpy as np

    from jaxscale.planning import decide
    from jaxscale.planning import plan as plan_of
    from jaxscale.reports import Constants, PlanReport

    question, goal = asked.question_in(asking, at, costs), asked.goal_in(asking, costs)
    ensemble = source.ensemble if not isinstance(source, Constants) and source.has_bands else None
    asked.check_asking(asking, has_replicates=ensemble is not None)
    if ensemble is not None:
        best = plan_of(ensemble, **goal, **question)
    elif isinstance(source, Constants):
        best = plan_of(law=source.law, coefs=source.coefs, **goal, **question)
    else:
        best = plan_of(source.fit, **goal, **question)
    report = PlanReport(source, best, None, measured=costs)
    if asking.budget is None or asking.target_loss is not None or not best.optimal.any():
        return report
    if ensemble is not None:
        others = asked.plans_of(asking)
        drawn = ensemble if mixed is None else mixed.ensembles
        weights = None if mixed is None else mixed.weights
        decision = decide(
            drawn,
            weights=weights,
            **question,
            tail=asking.tail,
            plans=others,
            shapes=shapes,
            dollars_per_flop=price,
        )
        return replace(report, decision=decision, weights=weights)
    if shapes is None:
        return report
    one = {name: np.array([value]) for name, value in best.point.coefs.items()}
    return replace(report, at_point=decide(law=best.law, coefs=one, **question, shapes=shapes))


def _mixed_in(source: str, asking: Asking) -> SavedComparison | None:
    """Return the comparison that a folder holds; raise UsageError for a question that no mixture of laws answers."""
    from jaxscale.store import is_comparison, load_comparison

    if not is_comparison(source):
        return None
    if asking.budget is None or asking.target_loss is not None:
        raise UsageError(MIXED_NEEDS_BUDGET.format(folder=source))
    return load_comparison(source)


def _saved(folder: str, level: float | None, interval: str | None, mixed: SavedComparison | None) -> Study:
    """Return what a folder holds, of a comparison the heaviest law, with bands as they are asked for."""
    from jaxscale.intervals import INTERVALS
    from jaxscale.store import load

    method = None if interval is None else INTERVALS.resolve(interval)
    return (load(folder) if mixed is None else mixed.studies[0]).shown(level=level, interval=method)


def _show(found: PlanReport, plot: Path | None, width: Literal["page", "column"], *, is_json: bool) -> None:
    from jaxscale.reports import json_text, plan_document, print_plan

    if plot is not None:
        from jaxscale.figures import draw_plan, save_figure

        save_figure(draw_plan(found.plan, found.decision, width=width, notes=found.notes, level=found.level), plot)
    if is_json:
        printing.write(json_text(plan_document(found)))
    else:
        printing.print_page(lambda console, width: print_plan(found, console, width=width))

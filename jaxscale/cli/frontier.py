"""`jaxscale frontier`: the best params, tokens and loss per budget, from a saved result or from a table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from jaxscale.cli import cache, choosing, printing, sources
from jaxscale.cli.helping import command
from jaxscale.cli.known import TableName
from jaxscale.cli.options import (
    FLOPS,
    Fitting,
    Given,
    Reading,
    Showing,
    fitting_options,
    given_options,
    json_option,
    reading_options,
    saved_band_options,
    showing_options,
)
from jaxscale.cli.outcomes import NOT_TRUSTWORTHY
from jaxscale.cli.reach import check_reach, far_option
from jaxscale.cli.session import Bar, Session, progress, talking

if TYPE_CHECKING:
    from jaxscale.results import Study


@command()
@click.argument("source", metavar="[SAVED|TABLE]", required=False, type=TableName())
@given_options
@showing_options(saved_band_options)
@far_option
@json_option
@fitting_options
@reading_options
@talking
def frontier(
    session: Session,
    source: str | None,
    given: Given,
    fitting: Fitting,
    showing: Showing,
    reading: Reading,
    is_json: bool,
) -> None:
    """Print the optimal params, tokens and loss per budget, with bands.

    SAVED is a folder that `jaxscale fit` has written, and nothing is fitted again. A TABLE, which is what that command
    takes, is fitted first, with its options, and nothing is saved. Without either, --law with --constants or --set
    gives the coefs, and there are no bands. Exit code 4 says that the fit is not trustworthy.
    """
    choosing.check_clear(fitting)
    sources.check_sources(source, given)
    if source is None:
        choosing.check_declared(fitting, showing.at, "--at")
    cache.prepare(session)
    if source is None:
        _print_known(fitting, given, showing, is_json=is_json)
        return
    from jaxscale.studying import check_frontier_inputs

    with progress(session) as bar:
        study = sources.study_from(
            source,
            fitting,
            reading,
            showing,
            session,
            bar,
            saved=lambda folder: _saved(folder, showing, bar),
            check=lambda law: check_frontier_inputs(law, showing.at),
            budgets=showing.flops or (),
        )
    _show(study, is_json=is_json)
    if not study.is_trustworthy:
        raise click.exceptions.Exit(NOT_TRUSTWORTHY)


def _show(study: Study, *, is_json: bool) -> None:
    from jaxscale.reports import frontier_document, json_text, print_frontier

    if is_json:
        printing.write(json_text(frontier_document(study)))
    else:
        printing.print_page(lambda console, width: print_frontier(study, console, width=width))


def _print_known(fitting: Fitting, given: Given, showing: Showing, *, is_json: bool) -> None:
    """Print the frontier of coefs that were given, without data and without bands."""
    from jaxscale.allocation import frontier as frontier_of
    from jaxscale.reports import constants_frontier_document, json_text, print_constants_frontier

    known = sources.known_coefs(fitting, given)
    found = frontier_of(law=known.law, coefs=known.coefs, flops=showing.flops or FLOPS, fixed=showing.at)
    if is_json:
        printing.write(json_text(constants_frontier_document(known, found)))
    else:
        printing.print_page(lambda console, width: print_constants_frontier(known, found, console, width=width))


def _saved(folder: str, showing: Showing, bar: Bar) -> Study:
    """Return what a folder holds, with its own frontiers unless other budgets or fixed inputs are asked for."""
    from jaxscale.finding import forbids_plan
    from jaxscale.intervals import INTERVALS
    from jaxscale.laws.grouped import core_of
    from jaxscale.store import load
    from jaxscale.studying import FRONTIER_STAGE, check_frontier_inputs, with_frontiers

    interval = None if showing.interval is None else INTERVALS.resolve(showing.interval)
    study = replace(load(folder), comparison=None).shown(level=showing.level, interval=interval)
    parts = (study, *study.groups.values(), *(() if study.reduced is None else (study.reduced,)))
    if showing.flops is None and not showing.at and any(one.frontier is not None for one in parts):
        return study
    check_reach(study.fit.law, study.fit.runs, showing.flops or ())
    at = showing.at or study.at or study.fixed_inputs  # other budgets are asked at what was fixed before
    if study.fit.is_usable and forbids_plan(study.fit.findings) is None:
        check_frontier_inputs(core_of(study.fit.law), at)
    bar.stage(FRONTIER_STAGE)
    asked = study.asked(budgets=showing.flops or study.budgets, at=at)
    return with_frontiers(asked, on_stage=bar.stage, on_done=bar.advance)

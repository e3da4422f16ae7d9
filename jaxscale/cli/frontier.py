"""`jaxscale frontier`: the best params, tokens and loss per budget, from a saved result or from a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jaxscale.cli import cache, choosing, printing, tables
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
from jaxscale.cli.session import Bar, Session, progress, talking
from jaxscale.errors import UsageError

if TYPE_CHECKING:
    from jaxscale.results import Study

BELONGS_TO_FIT = "--{option} belongs to a fit, and '{folder}' holds one already; fit again with it, or leave it out"
NOTHING_FITTED = "--{option} belongs to a fit, and with --constants or --set nothing is fitted; leave it out"
NO_SOURCE = "name a SAVED folder or a TABLE, or give the coefs: --law chinchilla --constants besiroglu2024"
TWO_SOURCES = "'{source}' brings coefs of its own: leave it out, or leave out --constants and --set"
DATA_SET = "there is no folder '{name}'; the data set of that name is fitted"
OF_THE_LAW = ("law", "law_expr", "coef", "law_name")


@click.command()
@click.argument("source", metavar="[SAVED|TABLE]", required=False)
@given_options
@showing_options(saved_band_options)
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
    is_known = given.constants is not None or bool(given.set)
    _check_sources(source, is_known=is_known)
    if source is None:
        choosing.check_declared(fitting, showing.at, "--at")
    cache.prepare(session)
    if source is None:
        _print_known(fitting, given, showing, is_json=is_json)
        return
    from jaxscale.studies import check_frontier_inputs

    with progress(session) as bar:
        if Path(source).is_dir():
            _check_options(BELONGS_TO_FIT, (*fields(Fitting), *fields(Reading)), folder=source)
            study = _saved(source, showing, bar)
        else:
            choosing.check_names(fitting, showing)
            check_frontier_inputs(choosing.law_of(fitting), showing.at)
            if tables.data_set_of(source) is not None:
                session.say(DATA_SET.format(name=source))
            runs = tables.runs_of(source, reading, fitting)
            choosing.check_scheme(runs, fitting)
            study = choosing.study_of(runs, fitting, showing, bar)
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
    from jaxscale.reports import Constants, constants_frontier_document, json_text, print_constants_frontier

    law = choosing.law_of(fitting)
    known = Constants(law, choosing.given_coefs(law, given) or {}, choosing.set_of(law, given))
    found = frontier_of(law=law, coefs=known.coefs, flops=showing.flops or FLOPS, fixed=showing.at)
    if is_json:
        printing.write(json_text(constants_frontier_document(known, found)))
    else:
        printing.print_page(lambda console, width: print_constants_frontier(known, found, console, width=width))


def _check_sources(source: str | None, *, is_known: bool) -> None:
    """Raise UsageError unless there is one source of coefs, and for options that a source has no use for."""
    if source is None and not is_known:
        raise UsageError(NO_SOURCE)
    if source is not None and is_known:
        raise UsageError(TWO_SOURCES.format(source=source))
    if is_known:
        fitted = [field for field in (*fields(Fitting), *fields(Reading)) if field.name not in OF_THE_LAW]
        _check_options(NOTHING_FITTED, fitted)


def _saved(folder: str, showing: Showing, bar: Bar) -> Study:
    """Return what a folder holds, with its own frontiers unless other budgets or fixed inputs are asked for."""
    from jaxscale.finding import forbids_plan
    from jaxscale.intervals import INTERVALS
    from jaxscale.laws.grouped import core_of
    from jaxscale.store import load
    from jaxscale.studies import FRONTIER_STAGE, check_frontier_inputs, with_frontiers

    interval = None if showing.interval is None else INTERVALS.resolve(showing.interval)
    study = replace(load(folder), comparison=None).shown(level=showing.level, interval=interval)
    parts = (study, *study.groups.values(), *(() if study.reduced is None else (study.reduced,)))
    if showing.flops is None and not showing.at and any(one.frontier is not None for one in parts):
        return study
    at = showing.at or study.at or study.fixed_inputs  # other budgets are asked at what was fixed before
    if study.fit.is_usable and forbids_plan(study.fit.findings) is None:
        check_frontier_inputs(core_of(study.fit.law), at)
    bar.stage(FRONTIER_STAGE)
    return with_frontiers(study.asked(budgets=showing.flops or study.budgets, at=at))


def _check_options(message: str, options: Iterable[Field], **words: str) -> None:
    """Raise UsageError for an option that stands on the command line and has no effect."""
    for option in options:
        if choosing.was_typed(option.name):
            raise UsageError(message.format(option=option.name.replace("_", "-"), **words))

"""`jaxscale frontier`: the best params, tokens and loss per budget, from a saved result or from a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jaxscale.cli import cache, choosing, outputs, printing, refusing, studies, tables
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
    showing_options,
)
from jaxscale.cli.outcomes import NOT_TRUSTWORTHY
from jaxscale.cli.progress import Bar, progress
from jaxscale.cli.session import Session, talking
from jaxscale.errors import UsageError

if TYPE_CHECKING:
    from jaxscale.reports import Answer
    from jaxscale.results import Ensemble, Fit, Frontier

BELONGS_TO_FIT = "--{option} belongs to a fit, and '{folder}' holds one already; fit again with it, or leave it out"
NOTHING_FITTED = "--{option} belongs to a fit, and with --constants or --set nothing is fitted; leave it out"
NO_SOURCE = "name a SAVED folder or a TABLE, or give the coefs: --law chinchilla --constants besiroglu2024"
TWO_SOURCES = "'{source}' brings coefs of its own: leave it out, or leave out --constants and --set"
DATA_SET = "there is no folder '{name}'; the data set of that name is fitted"
OF_THE_LAW = ("law", "law_expr", "coef", "law_name")


@click.command()
@click.argument("source", metavar="[SAVED|TABLE]", required=False)
@given_options
@showing_options
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
    answer = _answer(session, source, fitting, showing, reading)
    _show(answer, is_json=is_json)
    if not answer.is_trustworthy:
        raise click.exceptions.Exit(NOT_TRUSTWORTHY)


def _answer(session: Session, source: str, fitting: Fitting, showing: Showing, reading: Reading) -> Answer:
    """Return the answer of a saved folder, or of a table that is fitted now."""
    from jaxscale.reports import Answer

    with progress(session) as bar:
        if Path(source).is_dir():
            _check_options(BELONGS_TO_FIT, (*fields(Fitting), *fields(Reading)), folder=source)
            fitted, ensemble, found, parts = _saved(source, showing, bar)
            reduced = _reduced(fitted, source, showing, bar)
        else:
            refusing.check_names(fitting, showing)
            refusing.check_has_frontier(fitting, showing)
            if tables.data_set_of(source) is not None:
                session.say(DATA_SET.format(name=source))
            runs = studies.runs_of(source, reading, fitting)
            refusing.check_clusters(runs, fitting)
            with studies.prefetching(runs, fitting, showing):
                fitted = studies.fit_of(runs, fitting, bar)
                ensemble = studies.ensemble_of(fitted, fitting, bar)
                found = studies.frontier_of(fitted, ensemble, showing, bar)
                parts = studies.parts_of(fitted, ensemble, showing, bar)
                reduced = studies.reduced_of(fitted, fitting, showing, bar)
    line = "" if reduced is None else studies.line_of(fitted)
    return Answer(fitted, ensemble, found, showing.level, showing.interval, reduced, line, by_group=parts)


def _show(answer: Answer, *, is_json: bool) -> None:
    from jaxscale.reports import frontier_document, json_text, print_frontier

    if is_json:
        printing.write(json_text(frontier_document(answer)))
    else:
        printing.print_page(lambda console, width: print_frontier(answer, console, width=width))


def _print_known(fitting: Fitting, given: Given, showing: Showing, *, is_json: bool) -> None:
    """Print the frontier of coefs that were given, without data and without bands."""
    from jaxscale.allocation import frontier as frontier_of
    from jaxscale.reports import Known, json_text, known_frontier_document, print_known_frontier

    law = choosing.law_of(fitting)
    coefs = choosing.given_coefs(law, given) or {}
    found = frontier_of(law=law, coefs=coefs, flops=showing.flops or FLOPS, fixed=showing.at)
    known = Known(law, coefs, choosing.set_of(law, given), found)
    if is_json:
        printing.write(json_text(known_frontier_document(known)))
    else:
        printing.print_page(lambda console, width: print_known_frontier(known, console, width=width))


def _check_sources(source: str | None, *, is_known: bool) -> None:
    """Raise UsageError unless there is one source of coefs, and for options that a source has no use for."""
    if source is None and not is_known:
        raise UsageError(NO_SOURCE)
    if source is not None and is_known:
        raise UsageError(TWO_SOURCES.format(source=source))
    if is_known:
        fitted = [field for field in (*fields(Fitting), *fields(Reading)) if field.name not in OF_THE_LAW]
        _check_options(NOTHING_FITTED, fitted)


def _saved(folder: str, showing: Showing, bar: Bar) -> tuple[Fit, Ensemble | None, Frontier | None, dict[str, Answer]]:
    """Return what a folder holds, with its own frontiers unless other budgets or fixed inputs are asked for."""
    from jaxscale.finding import forbids_plan
    from jaxscale.intervals import INTERVALS
    from jaxscale.store import load

    INTERVALS.resolve(showing.interval)
    saved = load(folder)
    if forbids_plan(saved.fit.findings) is not None:
        return saved.fit, saved.ensemble, None, {}
    is_asked = showing.flops is not None or bool(showing.at)
    if not showing.at:  # other budgets are asked at what was fixed before
        before = (saved.frontier, *saved.by_group.values())
        showing = replace(showing, at=next((dict(front.fixed) for front in before if front is not None), {}))
    parts = studies.parts_of(saved.fit, saved.ensemble, showing, bar, None if is_asked else saved.by_group)
    if saved.frontier is not None and not is_asked:
        return saved.fit, saved.ensemble, saved.frontier, parts
    return saved.fit, saved.ensemble, studies.frontier_of(saved.fit, saved.ensemble, showing, bar), parts


def _reduced(fitted: Fit, folder: str, showing: Showing, bar: Bar) -> Answer | None:
    """Return what was saved beside a fit that the design of its table forbids."""
    from jaxscale.reports import Answer
    from jaxscale.store import load

    place = Path(folder) / outputs.REDUCED
    if fitted.is_usable or not fitted.unidentified or not place.is_dir():
        return None
    left = load(place)
    found = left.frontier
    if found is None or showing.flops is not None or showing.at:
        found = studies.frontier_if_any(left.fit, left.ensemble, showing, bar)
    return Answer(left.fit, left.ensemble, found, showing.level, showing.interval)


def _check_options(message: str, options: Iterable[Field], **words: str) -> None:
    """Raise UsageError for an option that stands on the command line and has no effect."""
    for option in options:
        if choosing.was_typed(option.name):
            raise UsageError(message.format(option=option.name.replace("_", "-"), **words))

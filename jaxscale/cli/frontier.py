"""`jaxscale frontier`: the best params, tokens and loss per budget, from a saved result or from a table."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from jaxscale.cli import cache, outputs, printing, studies
from jaxscale.cli.options import (
    Fitting,
    Reading,
    Showing,
    fitting_options,
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


@click.command()
@click.argument("source", metavar="SAVED|TABLE")
@showing_options
@json_option
@fitting_options
@reading_options
@talking
@click.pass_context
def frontier(
    context: click.Context,
    session: Session,
    source: str,
    fitting: Fitting,
    showing: Showing,
    reading: Reading,
    is_json: bool,
) -> None:
    """Print the optimal params, tokens and loss per budget, with bands.

    SAVED is a folder that `jaxscale fit` has written, and nothing is fitted again. A TABLE is fitted first, with the
    options of `jaxscale fit`, and nothing is saved. Exit code 4 says that the fit is not trustworthy.
    """
    cache.prepare(session)
    from jaxscale.reports import Answer, frontier_document, json_text, print_frontier

    with progress(session) as bar:
        if Path(source).is_dir():
            _refuse_fit_options(context, source)
            fitted, ensemble, found, parts = _saved(source, showing, bar)
            reduced = _reduced(fitted, source, showing, bar)
        else:
            studies.refuse_unknown(fitting, showing)
            runs = studies.runs_of(source, reading, fitting)
            with studies.foreseeing(fitting, showing):
                fitted = studies.fit_of(runs, fitting, bar)
                ensemble = studies.crowd_of(fitted, fitting, bar)
                found = studies.frontier_of(fitted, ensemble, showing, bar)
                parts = studies.parts_of(fitted, ensemble, showing, bar)
                reduced = studies.reduced_of(fitted, fitting, showing, bar)
    line = "" if reduced is None else studies.line_of(fitted)
    answer = Answer(fitted, ensemble, found, showing.level, showing.interval, reduced, line, parts)
    if is_json:
        printing.write(json_text(frontier_document(answer)))
    else:
        printing.print_page(lambda console, width: print_frontier(answer, console, width=width))
    if not answer.is_trustworthy:
        raise click.exceptions.Exit(NOT_TRUSTWORTHY)


def _saved(folder: str, showing: Showing, bar: Bar) -> tuple[Fit, Ensemble | None, Frontier | None, dict[str, Answer]]:
    """Return what a folder holds, with its own frontiers unless other budgets are asked for."""
    from jaxscale.intervals import INTERVALS
    from jaxscale.store import load

    INTERVALS.resolve(showing.interval)
    saved = load(folder)
    known = saved.by_group if showing.flops is None else None
    parts = studies.parts_of(saved.fit, saved.ensemble, showing, bar, known)
    if saved.frontier is not None and showing.flops is None:
        return saved.fit, saved.ensemble, saved.frontier, parts
    return saved.fit, saved.ensemble, studies.frontier_of(saved.fit, saved.ensemble, showing, bar), parts


def _reduced(fitted: Fit, folder: str, showing: Showing, bar: Bar) -> Answer | None:
    """Return what was saved beside a fit that the design of its table forbids."""
    from jaxscale.reports import Answer
    from jaxscale.store import load

    place = Path(folder) / outputs.REDUCED
    if not fitted.unidentified or not place.is_dir():
        return None
    left = load(place)
    found = left.frontier
    if found is None or showing.flops is not None:
        found = studies.frontier_if_any(left.fit, left.ensemble, showing, bar)
    return Answer(left.fit, left.ensemble, found, showing.level, showing.interval)


def _refuse_fit_options(context: click.Context, folder: str) -> None:
    """Raise UsageError for an option that would change a fit which is already made."""
    for field in (*fields(Fitting), *fields(Reading)):
        if context.get_parameter_source(field.name) is ParameterSource.COMMANDLINE:
            raise UsageError(BELONGS_TO_FIT.format(option=field.name, folder=folder))

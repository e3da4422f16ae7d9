"""`jaxscale design`: which of the runs that could be made to make next, within a budget, and when to stop."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from jaxscale import names
from jaxscale.cli import cache, choosing, printing, sources, tables
from jaxscale.cli.helping import command
from jaxscale.cli.known import Name, TableName
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
    width_option,
)
from jaxscale.cli.outcomes import NOT_TRUSTWORTHY
from jaxscale.cli.parameters import Amount, Budgets, Pair, input_lists, text_pairs
from jaxscale.cli.reach import check_sizes, far_option
from jaxscale.cli.session import Session, progress, talking
from jaxscale.errors import RunsError, UsageError

if TYPE_CHECKING:
    from jaxscale.reports import Constants, DesignReport
    from jaxscale.results import Study
    from jaxscale.runs import PlannedRuns

STAGE = "Choosing runs"
HEAVIEST = "{folder} is a comparison of laws; runs are chosen for one, the heaviest: {law}"
OF_CANDIDATES = (*tables.OF_FILES, "missing")
"""Options of a table that say how the candidates are read, too."""
ONE_TARGET = "say what the runs are for: --target, budgets of a plan, or --region, where losses are to be predicted"
ONE_BUDGET = "--budget takes one number"
NEEDS_COEFS = "--spread belongs to coefs that are given: leave it out, or give --constants or --set"
NOT_A_COLUMN = "--{option} {name}: the candidates have no such column; they have {known}"


@command()
@click.argument("source", metavar="[SAVED|TABLE]", required=False, type=TableName())
@click.option(
    "--candidates",
    type=click.Path(),
    metavar="FILE",
    required=True,
    help=(
        "Table of runs that could be made, CSV or Parquet: the law's inputs, and no loss; --sep, --decimal, "
        "--thousands, --encoding, --units, --scale and --missing are its too. [default: none]"
    ),
)
@click.option(
    "--budget",
    type=Budgets(),
    metavar="FLOP",
    required=True,
    help=("What they may cost together, in FLOP, or in the unit of --cost. [default: none]"),
)
@click.option("--target", type=Budgets(), help=("Budgets of the plans that the runs are for, in FLOP. [default: none]"))
@far_option
@click.option(
    "--region",
    type=Pair("input=number,…"),
    multiple=True,
    callback=input_lists,
    help=(
        "Where losses are to be predicted, in place of --target, as in --region params=7e9,7e10 --region tokens=1e12. "
        "[default: none]"
    ),
)
@click.option(
    "--criterion",
    metavar="NAME",
    type=Name(names.CRITERIA),
    help=(f"What is lowered: {names.comma_list(names.CRITERIA)}. [default: regret with --target, else prediction]"),
)
@click.option("--cost", metavar="COLUMN", help="Column of the candidates with what each costs. [default: its FLOP]")
@click.option(
    "--trunk",
    metavar="COLUMN",
    help=(
        "Column that names the trunk of each run: cooldowns of one trunk share it, and it is paid once. [default: none]"
    ),
)
@click.option(
    "--trunk-cost",
    metavar="COLUMN",
    help=("Column with the part of each run's cost that is the trunk's. [default: none]"),
)
@click.option(
    "--worth",
    type=Amount(may_be_infinite=True),
    help=(
        "What a nat at the target is worth, in the unit of the costs; a run is bought while what it tells is worth its "
        "cost, and inf is for no such rule. [default: the FLOP that would lower the loss as much; none with --cost or "
        "another criterion]"
    ),
)
@click.option(
    "--noise",
    type=Amount(),
    help=("Standard deviation of ln loss between runs. [default: that of the fit's residuals]"),
)
@click.option(
    "--spread",
    type=Amount(),
    help=("Standard deviation of coefs that are given, relative for positive ones. [default: 0.2]"),
)
@click.option(
    "--candidate-map",
    type=Pair("role=column"),
    multiple=True,
    callback=text_pairs,
    help=("Which column of the candidates plays a role; repeatable. [default: by the columns' names]"),
)
@at_option
@click.option("--of", metavar="GROUP", help="Which group of a fit over groups. [default: none]")
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=("Draw the candidates, the chosen runs and what each lowers into a file: .png, .pdf or .svg. [default: none]"),
)
@width_option
@given_options
@json_option
@fitting_options
@reading_options
@talking
def design(
    session: Session,
    source: str | None,
    candidates: str,
    budget: tuple[float, ...],
    target: tuple[float, ...] | None,
    region: Mapping[str, tuple[float, ...]],
    criterion: str | None,
    cost: str | None,
    trunk: str | None,
    trunk_cost: str | None,
    worth: float | None,
    noise: float | None,
    spread: float | None,
    candidate_map: Mapping[str, str],
    at: Mapping[str, float],
    of: str | None,
    plot: Path | None,
    width: Literal["page", "column"],
    given: Given,
    fitting: Fitting,
    reading: Reading,
    is_json: bool,
) -> None:
    """Print which of the candidate runs to make next, in the order of purchase, and what they tell.

    SAVED is a folder that `jaxscale fit` has written, or `jaxscale compare --out`, of which the heaviest law is taken.
    A TABLE, which is what the former takes, is fitted first, with its options, and nothing is saved. Without either,
    --law with --constants or --set gives the coefs, for runs to begin with. The chosen runs lower the expected regret
    of the plans for --target most, or the error of predictions for --region. Exit code 4 says that the fit is not
    trustworthy.
    """
    choosing.check_clear(fitting)
    sources.check_sources(source, given, kept=OF_CANDIDATES)
    if (target is None) == (not region):
        raise UsageError(ONE_TARGET)
    if len(budget) != 1:
        raise UsageError(ONE_BUDGET)
    if source is not None and spread is not None:
        raise UsageError(NEEDS_COEFS)
    if source is None and of is not None:
        raise UsageError(sources.NO_GROUPS)
    cache.prepare(session)
    asked = {"budget": budget[0], "target": target or region, "criterion": criterion, "worth": worth, "noise": noise}
    columns = {"costs": cost, "trunk": trunk, "trunk_costs": trunk_cost}
    if source is None:
        found = _report(
            sources.known_coefs(fitting, given), candidates, candidate_map, reading, asked, columns, at, spread
        )
        _show(found, plot, width, is_json=is_json)
        return
    from jaxscale.designing.asking import candidate_columns

    with progress(session) as bar:
        study = sources.study_from(
            source,
            fitting,
            reading,
            Showing(None, {}, None, None),
            session,
            bar,
            saved=lambda folder: _saved(folder, session),
            check=lambda law: _candidates(candidates, law.inputs, candidate_map, columns, reading),
            budgets=target or (),
            kept=OF_CANDIDATES,
        )
        part = sources.part_named(study, of)
        if region:
            check_sizes(part.fit.law, part.fit.runs, candidate_columns(part.fit.law, region))
        bar.stage(STAGE)
        found = _report(part, candidates, candidate_map, reading, asked, columns, at, spread)
    _show(found, plot, width, is_json=is_json)
    if not study.is_trustworthy:
        raise click.exceptions.Exit(NOT_TRUSTWORTHY)


def _report(
    source: Study | Constants,
    path: str,
    roles: Mapping[str, str],
    reading: Reading,
    asked: Mapping[str, object],
    columns: Mapping[str, str | None],
    at: Mapping[str, float],
    spread: float | None,
) -> DesignReport:
    """Return the chosen runs, with what they were chosen from."""
    from jaxscale.designing import design as design_of
    from jaxscale.reports import Constants, DesignReport

    law = source.law if isinstance(source, Constants) else source.fit.law
    runs = _candidates(path, law.inputs, roles, columns, reading)
    given = {**runs.columns, **runs.labels}
    told = {**asked, **columns, "candidates": given, "fixed": at or None}
    if isinstance(source, Constants):
        told |= {"law": law, "coefs": source.coefs} | ({} if spread is None else {"spread": spread})
        return DesignReport(source, design_of(**told), runs)  # type: ignore[arg-type]
    known = source.ensemble if source.has_bands else source.fit
    return DesignReport(source, design_of(known, **told), runs)  # type: ignore[arg-type]


def _candidates(
    path: str, inputs: tuple[str, ...], roles: Mapping[str, str], columns: Mapping[str, str | None], reading: Reading
) -> PlannedRuns:
    """Return the runs that could be made; a message about a column names the option of this command.

    columns: which of them the options name.   reading: how the file is written.
    """
    from jaxscale.runs import read_planned

    try:
        style = {name: getattr(reading, name) for name in OF_CANDIDATES}
        runs = read_planned(path, inputs=inputs, map=roles, **style)
    except RunsError as error:
        raise RunsError(str(error).replace("--map ", "--candidate-map ")) from None
    for option, name in columns.items():
        if name is not None and name not in runs.columns and name not in runs.labels:
            told = {"name": name, "known": ", ".join((*runs.columns, *runs.labels))}
            raise UsageError(NOT_A_COLUMN.format(option=option.removesuffix("s").replace("_", "-"), **told))
    return runs


def _saved(folder: str, session: Session) -> Study:
    """Return what a folder holds; of a comparison the heaviest law, which is said, for a design is of one."""
    from jaxscale.store import is_comparison, load, load_comparison

    if not is_comparison(folder):
        return load(folder)
    study = load_comparison(folder).studies[0]
    session.say(HEAVIEST.format(folder=folder, law=study.fit.law.name))
    return study


def _show(found: DesignReport, plot: Path | None, width: Literal["page", "column"], *, is_json: bool) -> None:
    from jaxscale.reports import design_document, json_text, print_design

    if plot is not None:
        from jaxscale.figures import draw_design, save_figure

        save_figure(draw_design(found.design, width=width, notes=found.notes), plot)
    if is_json:
        printing.write(json_text(design_document(found)))
    else:
        printing.print_page(lambda console, width: print_design(found, console, width=width))

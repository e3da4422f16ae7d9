"""`jaxscale coverage`: how often each kind of interval holds the truth, in studies simulated on the runs of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import click

from jaxscale import names
from jaxscale.cli import cache, choosing, printing, tables
from jaxscale.cli.helping import command
from jaxscale.cli.known import Names, TableName
from jaxscale.cli.options import (
    Fitting,
    Reading,
    Showing,
    at_option,
    fitting_options_with,
    json_option,
    reading_options,
)
from jaxscale.cli.outcomes import NOT_TRUSTWORTHY
from jaxscale.cli.parameters import Budgets, Level, Whole
from jaxscale.cli.reach import check_reach, far_option
from jaxscale.cli.session import Session, progress, talking
from jaxscale.errors import UsageError

FITTING_STAGE = "Fitting the law"
ABOUT = "percentile,basic,normal"
NO_GROUPS = "--per-group: studies of a law whose groups have coefs of their own are not simulated; select one group"
NO_REPLICATES = "--replicates: an interval needs 2 at least"


@command()
@click.argument("table", required=False, type=TableName())
@fitting_options_with(
    199, "Refits of each simulated study.", "How studies are resampled, one or more with commas between"
)
@click.option("--studies", type=Whole(2), default=200, show_default=True, help="Studies to simulate.")
@click.option(
    "--intervals",
    type=Names(names.INTERVALS),
    default=tuple(ABOUT.split(",")),
    show_default=ABOUT,
    help=(f"Kinds of intervals to count: {names.comma_list(names.COUNTED)}."),
)
@click.option(
    "--noise",
    metavar="NAME",
    help=(
        "Scheme by which losses are simulated: residual, wild, wild-cluster, parametric or parametric-cluster. "
        "[default: parametric-cluster where groups are resampled, else residual]"
    ),
)
@click.option("--level", type=Level(), default=0.9, show_default=True, help="Share that the intervals claim.")
@click.option(
    "--flops",
    type=Budgets(),
    help=(
        "Budgets of which the least loss and its size are asked, in FLOP or as 100PF-days. [default: 1, 10 and 100 "
        "times the largest measured compute]"
    ),
)
@far_option
@at_option
@json_option
@reading_options
@talking
def coverage(
    session: Session,
    table: str | None,
    fitting: Fitting,
    studies: int,
    intervals: tuple[str, ...],
    noise: str | None,
    level: float,
    flops: tuple[float, ...] | None,
    at: Mapping[str, float],
    reading: Reading,
    is_json: bool,
) -> None:  # fmt: skip
    """Simulate studies on the runs of a TABLE, and count how often intervals hold the truth.

    TABLE is what `jaxscale fit` takes. Its fit is the truth: studies have its runs, and losses by the law with noise
    like the residuals. Each is fitted and resampled as the table would be. For every kind of interval it is printed how
    often it held the truth, with the Monte-Carlo error of that share. Exit code 4 says that the fit is not trustworthy.
    """
    choosing.check_clear(fitting)
    if fitting.replicates < 2:
        raise UsageError(NO_REPLICATES)
    if fitting.per_group:
        raise UsageError(NO_GROUPS)
    cache.prepare(session)
    from jaxscale.covering import coverage as coverage_of
    from jaxscale.finding import forbids_plan
    from jaxscale.fitting import fit as fit_law
    from jaxscale.reports import coverage_document, json_text, print_coverage

    schemes = [name.strip() for name in fitting.scheme.split(",")]
    with progress(session) as bar:
        for scheme in schemes:
            choosing.check_names(replace(fitting, scheme=scheme), Showing(flops, at, level, None))
        law, objective = choosing.law_of(fitting), choosing.objective_of(fitting)
        runs = tables.runs_of(table, reading, fitting)
        check_reach(law, runs, flops or ())
        bar.stage(FITTING_STAGE)
        fitted = fit_law(
            runs, law, objective=objective, solver=fitting.solver, fix=fitting.fixed, device=fitting.device
        )
        found = coverage_of(
            fitted,
            schemes=schemes,
            intervals=intervals,
            noise=noise,
            flops=flops,
            at=at,
            studies=studies,
            replicates=fitting.replicates,
            level=level,
            seed=fitting.seed,
            device=fitting.device,
            on_stage=bar.stage,
            on_done=bar.advance,
        )
    if is_json:
        printing.write(json_text(coverage_document(found)))
    else:
        printing.print_page(lambda console, width: print_coverage(found, console, width=width))
    if forbids_plan(fitted.findings) is not None:
        raise click.exceptions.Exit(NOT_TRUSTWORTHY)

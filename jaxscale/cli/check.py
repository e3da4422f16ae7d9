"""`jaxscale check`: which phase of scaling a table shows, and whether one may extrapolate from it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from jaxscale.cli import cache, printing, tables
from jaxscale.cli.helping import command
from jaxscale.cli.known import TableName
from jaxscale.cli.options import Reading, json_option, reading_options, width_option
from jaxscale.cli.outcomes import NOT_TRUSTWORTHY
from jaxscale.cli.parameters import Level, Seed
from jaxscale.cli.session import Session, talking
from jaxscale.errors import UsageError

NO_WARMUP = "--warmup belongs to laws of schedules; a check fits none"
SIZES = ("params", "tokens", "flops")


@command()
@click.argument("table", metavar="TABLE", type=TableName())
@click.option(
    "--along",
    metavar="COLUMN",
    help=(
        "Column along which to look, as tokens. [default: the lowest losses along compute where params and tokens "
        "vary, else the one input that does]"
    ),
)
@click.option(
    "--tolerance",
    type=Level(),
    default=0.05,
    show_default=True,
    help="Relative difference of predicted losses up to which forms agree: it limits how far one may go.",
)
@click.option("--seed", type=Seed(), default=0, show_default=True, help="Seed of the simulated tests, or 'random'.")
@click.option(
    "--plot", type=click.Path(path_type=Path), metavar="FILE", help="Draw the figure there. [default: no figure]"
)
@width_option
@json_option
@reading_options
@talking
def check(
    session: Session,
    table: str,
    along: str | None,
    tolerance: float,
    seed: int,
    plot: Path | None,
    width: Literal["page", "column"],
    reading: Reading,
    is_json: bool,
) -> None:
    """Say which phase of scaling a TABLE shows, before anything is extrapolated from it.

    TABLE is what `jaxscale fit` takes, with one input or two. Each series, one a group, is in a cold start, scaling or
    on a plateau at its upper end; the evidence is printed, and how far one may go. A no-go is a warning and exit code
    0; exit code 4 says that no series shows any phase.
    """
    if reading.warmup:
        raise UsageError(NO_WARMUP)
    cache.prepare(session)
    from jaxscale.checking import check as check_scaling
    from jaxscale.reports import check_document, json_text, print_check

    further = () if along is None or along in SIZES else (along,)
    runs = tables.read(table, reading, inputs=further, beside=SIZES)
    found = check_scaling(runs, along=along, tolerance=tolerance, seed=seed)
    if plot is not None:
        from jaxscale.figures import draw_check, save_figure

        save_figure(draw_check(found, width=width), plot)
    if is_json:
        printing.write(json_text(check_document(found)))
    else:
        printing.print_page(lambda console, width: print_check(found, console, width=width))
    if not found.is_determined:
        raise click.exceptions.Exit(NOT_TRUSTWORTHY)

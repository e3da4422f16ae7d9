"""`jaxscale approaches`: minimum over curves, IsoFLOP profiles and a fit on one table, and whether they agree."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import click

from jaxscale import names
from jaxscale.cli import cache, options, printing, tables
from jaxscale.cli.helping import command
from jaxscale.cli.known import OneOf, TableName
from jaxscale.cli.options import Reading, json_option, reading_options
from jaxscale.cli.outcomes import NOT_TRUSTWORTHY
from jaxscale.cli.parameters import Budgets, Level, Seed, Whole
from jaxscale.cli.reach import check_reach, far_option
from jaxscale.cli.session import Session, progress, talking
from jaxscale.errors import UsageError

NO_WARMUP = "--warmup belongs to laws of schedules; the three approaches take none"


@command()
@click.argument("table", metavar="TABLE", type=TableName())
@click.option(
    "--flops", type=Budgets(), help=f"Budgets of the report, in FLOP or as 100PF-days. {options.FLOPS_DEFAULT}"
)
@far_option
@click.option(
    "--budget",
    metavar="COLUMN",
    help="Column with each run's IsoFLOP budget, in FLOP. [default: runs whose FLOP are within --tolerance]",
)
@click.option(
    "--tolerance",
    type=Level(),
    default=0.05,
    show_default=True,
    help="Relative difference of FLOP within which runs share a budget, where no column says it.",
)
@click.option(
    "--method",
    type=OneOf(names.METHODS),
    default="parabola",
    show_default=True,
    help="How the lowest point of an IsoFLOP profile is found.",
)
@click.option(
    "--replicates",
    type=Whole(1),
    default=400,
    show_default=True,
    help="Resampled tables, the same under all approaches.",
)
@click.option("--seed", type=Seed(), default=0, show_default=True, help="Seed of the replicates, or 'random'.")
@click.option("--level", type=Level(), default=0.95, show_default=True, help="Share of an interval or band.")
@click.option("--device", type=OneOf(names.DEVICES), default="auto", show_default=True, help="Where the fit computes.")
@json_option
@reading_options
@talking
def approaches(
    session: Session,
    table: str,
    flops: tuple[float, ...] | None,
    budget: str | None,
    tolerance: float,
    method: Literal["parabola", "local", "cubic", "akima"],
    replicates: int,
    seed: int,
    level: float,
    device: str,
    reading: Reading,
    is_json: bool,
) -> None:
    """Ask the three approaches of Hoffmann et al. 2022 for the best size, and show whether they agree.

    TABLE is what `jaxscale fit` takes.
    With --final approaches 2 and 3 see the last row of each run alone, and approach 1 still all of them.
    Approach 1 is the minimum over training curves and needs --group, the column that says which rows are one run.
    Approach 2 is the vertices of IsoFLOP profiles, and approach 3 the fit of the law 'chinchilla'. All see the same
    resampled runs. What an approach leaves out, and the bias of approach 2 on the fitted law itself, are printed.
    """
    cache.prepare(session)
    from jaxscale.allocation.budgets import usual_budgets
    from jaxscale.approaches import agreement
    from jaxscale.finding import forbids_plan
    from jaxscale.laws import LAWS
    from jaxscale.reports import agreement_document, json_text, print_agreement

    if reading.warmup:
        raise UsageError(NO_WARMUP)
    runs = tables.read(table, replace(reading, final=False))  # approach 1 needs the whole curves
    law = LAWS.resolve("chinchilla")
    check_reach(law, runs, flops or ())
    with progress(session) as bar:
        found = agreement(
            runs,
            flops=flops or usual_budgets(law, runs),
            budget=budget,
            tolerance=tolerance,
            method=method,
            final=reading.final,
            replicates=replicates,
            seed=seed,
            device=device,
            on_stage=bar.stage,
            on_done=bar.advance,
        )
    if is_json:
        printing.write(json_text(agreement_document(found, level)))
    else:
        printing.print_page(lambda console, width: print_agreement(found, console, level=level, width=width))
    if forbids_plan(found.findings) is not None:
        raise click.exceptions.Exit(NOT_TRUSTWORTHY)

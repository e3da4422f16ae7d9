"""`jaxscale compare`: several laws on one table, judged by what each predicts of runs with more compute."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from jaxscale import names
from jaxscale.cli import cache, printing, tables
from jaxscale.cli.choosing import was_typed
from jaxscale.cli.helping import command
from jaxscale.cli.known import Name, Names, OneOf, TableName, laws_known
from jaxscale.cli.options import Reading, at_option, json_option, reading_options, width_option
from jaxscale.cli.outcomes import NOT_TRUSTWORTHY
from jaxscale.cli.parameters import Budgets, Level, Seed, Whole
from jaxscale.cli.reach import far_option
from jaxscale.cli.recipes import WITH_BY, Recipes, compare_by
from jaxscale.cli.session import Session, progress, talking
from jaxscale.errors import UsageError

if TYPE_CHECKING:
    from jaxscale.laws import Law
    from jaxscale.results import Comparison

SAVED = "Saved: {folder}"
NEXT = " — next: jaxscale plan {folder} --flops {budget}"
NO_FIGURE = "no {file}: {reason}"
NO_WARMUP = "--warmup belongs to laws of schedules, which are not compared"
MOST_CUTS = 1000.0
"""A number below is one of cut-offs, not of FLOP."""


@command()
@click.argument("table", metavar="TABLE", type=TableName())
@click.option(
    "--laws",
    type=Names(laws_known),
    default=names.COMPARED,
    show_default=",".join(names.COMPARED),
    help="Laws to compare; `jaxscale laws` lists them.",
)
@click.option(
    "--cuts",
    type=Budgets(),
    metavar="COUNT|FLOP,…",
    help="How many cut-offs, or themselves in FLOP, or shares of the runs as 0.5,0.7,0.85. [default: 4]",
)
@click.option(
    "--objective",
    metavar="NAME",
    type=Name(names.OBJECTIVES),
    default="huber",
    show_default=True,
    help=f"Rho function of the residuals: {names.comma_list(names.OBJECTIVES)}.",
)
@click.option(
    "--scheme",
    metavar="NAME",
    type=Name(names.SCHEMES),
    default="pairs",
    show_default=True,
    help=f"How tables are resampled: {names.comma_list(names.SCHEMES)}.",
)
@click.option(
    "--replicates",
    type=Whole(2),
    default=200,
    show_default=True,
    help="Resampled tables at each cut-off, and of all runs.",
)
@click.option("--seed", type=Seed(), default=0, show_default=True, help="Seed of the replicates, or 'random'.")
@click.option("--level", type=Level(), default=0.9, show_default=True, help="Share of a new run's limits.")
@click.option("--by", metavar="COLUMN", help="Compare recipes, named in this column, in place of laws. [default: off]")
@click.option(
    "--law", metavar="NAME", type=Name(laws_known), help="With --by: the law of every recipe. [default: chinchilla]"
)
@click.option(
    "--floor", metavar="free|shared|NUMBER", help="With --by: E of each recipe, one for all, or held. [default: free]"
)
@click.option("--base", metavar="NAME", help="With --by: the recipe beside which others stand. [default: first one]")
@click.option(
    "--flops",
    type=Budgets(),
    help="With --by: budgets in FLOP. [default: 1, 10 and 100 times the largest measured compute]",
)
@far_option
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File of a figure: of recipes, else the exponents of the best size by law and cut-off. [default: none]",
)
@width_option
@at_option
@click.option("--device", type=OneOf(names.DEVICES), default="auto", show_default=True, help="Where the fits compute.")
@click.option(
    "--held-out",
    metavar="TEXT",
    multiple=True,
    help=(
        'Rows of TABLE, selected as by --where, that have no part in the comparison, such as "flops >= 3e19" beside '
        '--where "flops <= 1e19": the combined band is held against them, beside that of each law; repeatable. '
        "[default: none]"
    ),
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help=("Save the laws with their weights; `jaxscale plan FOLDER` decides over all of them. [default: not saved]"),
)
@click.option("--force", is_flag=True, help="Replace a comparison in that folder. [default: only an empty folder]")
@json_option
@reading_options
@talking
def compare(
    session: Session,
    table: str,
    laws: tuple[str, ...],
    cuts: tuple[float, ...] | None,
    objective: str,
    scheme: str,
    replicates: int,
    seed: int,
    level: float,
    by: str | None,
    law: str | None,
    floor: str | None,
    base: str | None,
    flops: tuple[float, ...] | None,
    plot: Path | None,
    width: Literal["page", "column"],
    at: Mapping[str, float],
    device: str,
    held_out: tuple[str, ...],
    out: Path | None,
    force: bool,
    reading: Reading,
    is_json: bool,
) -> None:
    """Fit laws to the runs of little compute, and rank them by what they predict of the others.

    TABLE is what `jaxscale fit` takes. Each law is fitted to the runs up to each of several cut-offs in compute, and
    judged on the runs above: error, limits that hold, log score, and what the size that it recommends would lose. A law
    that cannot be fitted is listed with its reason. With --by COLUMN one law is fitted to the runs of each recipe, and
    recipes are compared in loss and compute at equal budgets. Exit code 4 says that the table's numbers are in doubtful
    units, or that the fit of a recipe is not trustworthy.
    """
    if reading.warmup:
        raise UsageError(NO_WARMUP)
    cache.prepare(session)
    recipes = Recipes(by, law, floor, base, flops, plot, width)
    if by is not None:
        for option in ("laws", "cuts", "scheme", "held_out", "out"):
            if was_typed(option):
                raise UsageError(WITH_BY.format(option="--" + option.replace("_", "-")))
        given = {"objective": objective, "replicates": replicates, "seed": seed, "level": level, "device": device}
        compare_by(session, table, recipes, reading, at=at, is_json=is_json, **given)  # type: ignore[arg-type]
        return
    recipes.check_unused()
    from jaxscale.comparing import compare as compare_laws
    from jaxscale.comparing import hold_out
    from jaxscale.finding import forbids_plan
    from jaxscale.laws import LAWS
    from jaxscale.reports import comparison_document, json_text, print_comparison

    chosen = [LAWS.resolve(name) for name in laws]
    further = tuple(dict.fromkeys(name for one in chosen for name in one.inputs if name not in names.ROLES))
    inputs = _inputs(chosen)
    runs = tables.read(table, reading, inputs=inputs, beside=further)
    others = None
    if held_out:
        others = tables.read(table, replace(reading, where=held_out), inputs=inputs, beside=further)
    with progress(session) as bar:
        found = compare_laws(
            runs,
            chosen,
            objective=objective,
            cuts=_cuts(cuts),
            scheme=scheme,
            replicates=replicates,
            seed=seed,
            level=level,
            at=at,
            device=device,
            on_stage=bar.stage,
            on_done=bar.advance,
        )
    beyond = None if others is None else hold_out(found, others)
    if out is not None:
        from jaxscale.store import save_comparison

        save_comparison(out, found, force=force)
        session.say(_saved(found, shlex.quote(str(out))))
    if plot is not None:
        _draw(session, found, plot, width)
    if is_json:
        printing.write(json_text(comparison_document(found, beyond)))
    else:
        printing.print_page(lambda console, width: print_comparison(found, console, width=width, beyond=beyond))
    if forbids_plan(found.best.fit.findings) is not None:
        raise click.exceptions.Exit(NOT_TRUSTWORTHY)


def _saved(found: Comparison, folder: str) -> str:
    """Return where the laws are, and a plan over all of them at ten times the runs where each can make it."""
    from jaxscale.allocation.budgets import usual_budgets
    from jaxscale.allocation.inputs import can_allocate
    from jaxscale.costs.training import fixed_inputs
    from jaxscale.digits import scientific

    laws = [one.law for one in sorted(found.scores, key=lambda one: -one.weight) if one.weight > 0]
    told, budgets = SAVED.format(folder=folder), usual_budgets(laws[0], found.runs)
    if not budgets or any(not can_allocate(law) or fixed_inputs(law) for law in laws):
        return told
    return told + NEXT.format(folder=folder, budget=scientific(budgets[2], 2))


def _draw(session: Session, found: Comparison, file: Path, width: Literal["page", "column"]) -> None:
    """Write the figure of a comparison, or say why there is none: the comparison is worth more than its figure."""
    from jaxscale.figures import draw_exponents, save_figure

    try:
        page = draw_exponents(found, width=width)
    except UsageError as error:
        session.say(NO_FIGURE.format(file=file, reason=error))
    else:
        save_figure(page, file)


def _inputs(laws: list[Law]) -> tuple[str, ...]:
    """Return what a table must have: params and tokens, or the only input of laws that have one in common."""
    inputs = {name for law in laws for name in law.inputs}
    return tuple(inputs) if len(inputs) == 1 else ("params", "tokens")


def _cuts(given: tuple[float, ...] | None) -> int | tuple[float, ...]:
    """Return how many cut-offs, or themselves."""
    if given is None:
        return 4
    if len(given) == 1 and 1.0 <= given[0] < MOST_CUTS and given[0].is_integer():
        return int(given[0])
    return given

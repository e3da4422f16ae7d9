"""`jaxscale specifications`: one question under every choice of law, objective, counting and runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import click

from jaxscale import names
from jaxscale.cli import cache, printing, tables
from jaxscale.cli.helping import command
from jaxscale.cli.known import Name, Names, OneOf, TableName, laws_known
from jaxscale.cli.options import Reading, at_option, json_option, reading_options, width_option
from jaxscale.cli.outcomes import NOT_TRUSTWORTHY
from jaxscale.cli.parameters import SYMBOLS, Budgets, Level, NumberList, Seed, Whole
from jaxscale.cli.reach import check_reach, far_option
from jaxscale.cli.session import Session, progress, talking
from jaxscale.errors import UsageError
from jaxscale.text import numbers_in

NO_WARMUP = "--warmup belongs to laws of schedules, which are not refitted here"
NOT_CUTS = "--drop-below {column} {numbers}: write a column and positive numbers, as in params 1e7,3e7,1e8"
NO_FIGURE = "no figure {file}: no specification has an answer in {answer}, for the reasons listed"
ONE_TARGET = "--flops takes one budget, the target"


@command()
@click.argument("table", metavar="TABLE", type=TableName())
@click.option(
    "--laws",
    type=Names(laws_known),
    default=names.COMPARED,
    show_default=",".join(names.COMPARED),
    help="Laws, the first of which is the base's, as the first of every list.",
)
@click.option(
    "--objectives",
    type=Names(names.OBJECTIVES),
    default=names.OBJECTIVES,
    show_default=",".join(names.OBJECTIVES),
    help="Rho functions of the residuals.",
)
@click.option(
    "--deltas", type=NumberList(), help="Thresholds of huber and log-cosh. [default: 0.001,0.0001,0.01,0.1,1]"
)
@click.option(
    "--spaces",
    type=Names(names.SPACES),
    default=names.SPACES,
    show_default=",".join(names.SPACES),
    help="Residuals of ln loss, or of loss.",
)
@click.option(
    "--conventions",
    type=Names(names.CONVENTIONS),
    help=(
        "Ways to count params and tokens, as measured,nonembedding. [default: measured, and all that the table allows "
        "and that change an input of a law]"
    ),
)
@click.option(
    "--weights",
    type=Names(names.WEIGHTINGS),
    help=(
        f"How runs are weighted: {names.comma_list(names.WEIGHTINGS)}. [default: table,balanced,root-flops, and equal "
        "where the table has weights]"
    ),
)
@click.option(
    "--rows",
    metavar="TEXT",
    multiple=True,
    help=(
        "Which runs count: all, smallest-10% or early-25% without those, or a selection as of --where; repeatable. "
        "[default: all, smallest-10%, smallest-25%, and early-25%, early-50% where runs have checkpoints]"
    ),
)
@click.option(
    "--drop-below",
    nargs=2,
    metavar="COLUMN NUMBERS",
    help=(
        "Drop the runs below each number in turn, as in params 1e7,3e7,1e8, or 1e7:1e8:4 for four: a sweep, in "
        "which every other choice that is not typed stays that of the base. [default: none]"
    ),
)
@click.option("--product", is_flag=True, help="Combine the choices of all axes. [default: off, one axis at a time]")
@click.option(
    "--flops", type=Budgets(), metavar="FLOP", help="The target. [default: 10 times the largest measured compute]"
)
@far_option
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
    default=100,
    show_default=True,
    help="Resampled tables of each specification.",
)
@click.option("--seed", type=Seed(), default=0, show_default=True, help="Seed of the replicates, or 'random'.")
@click.option("--level", type=Level(), default=0.95, show_default=True, help="Share of an interval.")
@at_option
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw the curve, the choices and the parts of the spread into a file: .png, .pdf or .svg. [default: none]",
)
@click.option(
    "--answer",
    type=OneOf(["params", "loss"]),
    default="params",
    show_default=True,
    help="What the curve of --plot shows.",
)
@width_option
@click.option("--device", type=OneOf(names.DEVICES), default="auto", show_default=True, help="Where the fits compute.")
@json_option
@reading_options
@talking
def specifications(
    session: Session,
    table: str,
    laws: tuple[str, ...],
    objectives: tuple[str, ...],
    deltas: tuple[float, ...] | None,
    spaces: tuple[str, ...],
    conventions: tuple[str, ...] | None,
    weights: tuple[str, ...] | None,
    rows: tuple[str, ...],
    drop_below: tuple[str, str] | None,
    product: bool,
    flops: tuple[float, ...] | None,
    scheme: str,
    replicates: int,
    seed: int,
    level: float,
    at: Mapping[str, float],
    plot: Path | None,
    answer: Literal["params", "loss"],
    width: Literal["page", "column"],
    device: str,
    reading: Reading,
    is_json: bool,
) -> None:
    """Refit under every choice of law, objective, counting, weights and rows, and say where the spread comes from.

    TABLE is what `jaxscale fit` takes. The first choice of every list is the base's; every other specification differs
    from it in one choice, or with --product all are combined. Each tells the best size and its loss at the target with
    intervals, and the spread is shared out between noise, form, objective, convention and selection. A specification
    that fails is listed with its reason. Exit code 4 says that the base has no answer.
    """
    if reading.warmup:
        raise UsageError(NO_WARMUP)
    if flops is not None and len(flops) != 1:
        raise UsageError(ONE_TARGET)
    if drop_below is not None:
        rows = (*(rows or ("all",)), *_cuts(*drop_below))
        laws, objectives, spaces = (_typed(name, one) or one[:1] for name, one in (
            ("laws", laws), ("objectives", objectives), ("spaces", spaces)))  # fmt: skip
        deltas, conventions, weights = deltas or (1e-3,), conventions or ("measured",), weights or ("table",)
    cache.prepare(session)
    from jaxscale.counting import WORDS
    from jaxscale.finding import forbids_plan
    from jaxscale.laws import LAWS
    from jaxscale.reports import json_text, print_specifications, specification_notes, specifications_document
    from jaxscale.specifying import specifications as specifications_of

    inputs = dict.fromkeys(name for law in laws for name in LAWS.resolve(law).inputs)
    further = tuple(name for name in inputs if name not in names.ROLES)
    runs = tables.read(table, reading, beside=(*further, *(word for word in WORDS if word not in further)))
    check_reach(LAWS.resolve(laws[0]), runs, flops or ())
    with progress(session) as bar:
        found = specifications_of(
            runs,
            laws,
            objectives=objectives,
            deltas=deltas,
            spaces=spaces,
            conventions=conventions,
            weights=weights,
            rows=rows or None,
            product=product,
            flops=None if flops is None else flops[0],
            at=at,
            scheme=scheme,
            replicates=replicates,
            seed=seed,
            level=level,
            device=device,
            on_stage=bar.stage,
            on_done=bar.advance,
        )
    if plot is not None and not found.ordered(answer):
        session.say(NO_FIGURE.format(file=plot, answer=answer))
    elif plot is not None:
        from jaxscale.figures import draw_specifications, save_figure

        save_figure(draw_specifications(found, answer, width=width, notes=specification_notes(found)), plot)
    if is_json:
        printing.write(json_text(specifications_document(found)))
    else:
        printing.print_page(lambda console, width: print_specifications(found, console, width=width))
    base = found.base
    if not base.is_answered("loss") or base.fit is None or forbids_plan(base.fit.findings) is not None:
        raise click.exceptions.Exit(NOT_TRUSTWORTHY)


def _typed(name: str, value: tuple[str, ...]) -> tuple[str, ...]:
    """Return the value of an option that was typed; nothing for a default."""
    source = click.get_current_context().get_parameter_source(name)
    return value if source is not click.core.ParameterSource.DEFAULT else ()


def _cuts(column: str, numbers: str) -> tuple[str, ...]:
    """Return the selections that keep the runs from each number on."""
    cuts = numbers_in(numbers)
    if not all(one is not None and 0.0 < one < math.inf for one in cuts):
        raise UsageError(NOT_CUTS.format(column=column, numbers=numbers))
    name = SYMBOLS.get(column, column)
    name = name if name.isidentifier() else f"`{name}`"
    return tuple(f"{name} >= {one:.6g}" for one in cuts if one is not None)

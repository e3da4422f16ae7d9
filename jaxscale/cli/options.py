"""The options that commands share, in three bundles: how a table is read, how it is fitted, what is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import wraps
from typing import Any, Literal, TypeAlias

import click

from jaxscale import names
from jaxscale.cli.known import Name, Names, OneOf, constants_known, laws_known
from jaxscale.cli.parameters import (
    Budgets,
    GridCells,
    Level,
    Number,
    NumberList,
    Pair,
    Seed,
    Whole,
    input_pairs,
    number_pairs,
    numbers_or_names,
    text_pairs,
)
from jaxscale.cli.session import Command

Decorator: TypeAlias = Callable[[Command], Command]

FLOPS = (1e21, 1e23, 5.76e23, 1e25)
"""Budgets of the printed frontier of coefs without runs, in FLOP; of runs see `allocation.budgets`."""
LEVEL, INTERVAL = 0.95, "percentile"
FLOPS_DEFAULT = "[default: 1, 3, 10, 30 and 100 times the largest measured compute]"


@dataclass(frozen=True)
class Reading:
    """Options of reading a table: those of `read_runs`, and warmup, for laws of schedules."""

    map: Mapping[str, str]
    where: tuple[str, ...]
    sep: str
    decimal: str
    thousands: str | None
    encoding: str
    units: bool
    scale: Mapping[str, float]
    units_ok: bool
    final: bool
    annealed: bool
    lowest_per: Mapping[str, float]
    missing: Literal["drop", "refuse"]
    group: str | None
    warmup: int

    def of_table(self) -> dict[str, Any]:
        """Return the options of `read_runs`."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "warmup"}


@dataclass(frozen=True)
class Fitting:
    """Options of a fit: the law, the objective and the resampling."""

    law: str
    law_expr: str | None
    coef: tuple[str, ...]
    law_name: str | None
    objective: str
    delta: float | None
    dof: float | None
    space: Literal["log", "linear"]
    solver: str
    fix: Mapping[str, float | str]
    per_group: tuple[str, ...]
    replicates: int
    scheme: str
    seed: int
    device: str

    @property
    def fixed(self) -> dict[str, float]:
        """The coefs that are fixed at numbers; a name in place of one is refused where the law is known."""
        return {name: value for name, value in self.fix.items() if not isinstance(value, str)}


@dataclass(frozen=True)
class Choosing:
    """The law, where nothing is fitted; the first fields of `Fitting`."""

    law: str
    law_expr: str | None
    coef: tuple[str, ...]
    law_name: str | None


@dataclass(frozen=True)
class Given:
    """Given coefs: the name of a published set, or numbers."""

    constants: str | None
    set: Mapping[str, float]


@dataclass(frozen=True)
class Showing:
    """Options of the output: budgets and bands; None for the defaults.

    at: the law's inputs that a budget does not decide, at their values.
    """

    flops: tuple[float, ...] | None
    at: Mapping[str, float]
    level: float | None
    interval: str | None


def reading_options(command: Command) -> Command:
    """Add the options of a table, and give them to the command as `reading`."""
    return bundled(
        "reading",
        Reading,
        click.option("--map", type=Pair("role=column"), multiple=True, callback=text_pairs, help=(
            f"Which column plays a role ({names.comma_list(names.ROLES)}), or which formula of columns, as in "
            "loss=\"1 - acc\"; repeatable. [default: by the columns' names]")),
        click.option("--where", metavar="TEXT", multiple=True, help=(
            "Use only rows for which this holds, as in \"loss < 3.4 and run != 'base'\" or \"row != 8\"; repeatable. "
            "[default: all]")),
        click.option("--scale", type=Pair("column=factor"), multiple=True, callback=number_pairs, help=(
            "Multiply a column, by its header or role, as tokens=1e9 for billions or flops=8.64e19 for PF-days; "
            "repeatable. [default: none]")),
        click.option("--units-ok", is_flag=True, help=(
            "The numbers are plain counts and a loss, however they look: plan from them. [default: off]")),
        click.option("--final", is_flag=True, help=(
            "Keep the last row of each run, by step, else tokens, else order; runs are told by a column run, run_id, "
            "name … and by --group. [default: off]")),
        click.option("--annealed", is_flag=True, help=(
            "Keep the row of each run at which its learning rate (column lr …) has come down, and no run whose rate "
            "has not. [default: off]")),
        click.option("--lowest-per", type=GridCells(), default=None, help=(
            "Keep the run of least loss in each cell of a grid: columns, and the width of a cell in decades, as in "
            "params,tokens@1/3; and in each --group. [default: all runs]")),
        click.option("--group", metavar="COLUMN", help="Column that says which rows belong together. [default: none]"),
        click.option("--missing", type=OneOf(["refuse", "drop"]), default="refuse", show_default=True, help=(
            "What to do with rows that lack a number the fit needs.")),
        click.option("--sep", metavar="CHAR", default=",", show_default=True, help="Mark between the cells of a CSV."),
        click.option("--decimal", metavar="CHAR", default=".", show_default=True, help="Decimal mark in a CSV."),
        click.option("--thousands", metavar="CHAR", help="Mark between thousands in a CSV. [default: none]"),
        click.option("--encoding", metavar="NAME", default="utf-8", show_default=True, help="Encoding of a CSV."),
        click.option("--warmup", type=Whole(), default=0, show_default=True, help=(
            "Steps in which the rate rises from 0, before the first logged one; for laws of schedules.")),
        click.option("--units", is_flag=True, help=(
            "Read 7B, 300 M, 1,400M, 300B tokens, 2×10^19 and 100 PF-days as numbers. [default: off]")),
    )(command)  # fmt: skip


def fitting_options_with(
    replicates: int = names.REPLICATES,
    told: str = "Refits to resampled tables; 0 for none, and no bands.",
    schemes: str = "How tables are resampled",
) -> Decorator:
    """Return what adds the options of a fit, and gives them to the command as `fitting`.

    replicates, told: default and help of --replicates.   schemes: how the help of --scheme begins.
    """
    return bundled(
        "fitting",
        Fitting,
        *law_options,
        click.option(
            "--objective", metavar="NAME", type=Name(names.OBJECTIVES), default="huber", show_default=True,
            help=f"Rho function of the residuals: {names.comma_list(names.OBJECTIVES)}."),
        click.option("--delta", type=Number(), help=(
            "Threshold of huber and log-cosh, in units of the residual (in log space a relative error). "
            "[default: 0.001]")),
        click.option("--dof", type=Number(), help=(
            "Degrees of freedom of student-t, whose scale is estimated. [default: 4]")),
        click.option("--space", type=OneOf(["log", "linear"]), default="log", show_default=True, help=(
            "Residuals of ln loss, or of loss in nats per token.")),
        click.option("--fix", type=Pair("coef=number"), multiple=True, callback=numbers_or_names, help=(
            "Hold a coef at a value, as in alpha=0.34; repeatable. [default: none]")),
        click.option("--per-group", type=Names(), default=(), help=(
            "Coefs of which each group of --group has its own, as in E,A,B; the others are common. [default: none]")),
        click.option("--solver", metavar="NAME", type=Name(names.SOLVERS), default="newton", show_default=True, help=(
            f"Minimiser: {names.comma_list(names.SOLVERS)}.")),
        click.option("--replicates", type=Whole(), default=replicates, show_default=True, help=told),
        click.option("--scheme", metavar="NAME", type=Name(names.SCHEMES), default="pairs", show_default=True, help=(
            f"{schemes}: {names.comma_list(names.SCHEMES)}.")),
        click.option("--seed", type=Seed(), default=0, show_default=True, help=(
            "Seed of the replicates, 0 to 4294967295, or 'random'; it is always printed.")),
        click.option("--device", type=OneOf(names.DEVICES), default="auto", show_default=True, help=(
            "Where to compute; auto is JAX's own choice.")),
    )  # fmt: skip


def fitting_options(command: Command) -> Command:
    """Add the options of a fit, and give them to the command as `fitting`."""
    return fitting_options_with()(command)


def choosing_options(command: Command) -> Command:
    """Add the options of a law that is not fitted, and give them to the command as `chosen`."""
    return bundled("chosen", Choosing, *law_options)(command)


def given_options(command: Command) -> Command:
    """Add the options of known coefs, and give them to the command as `given`."""
    return bundled(
        "given",
        Given,
        click.option("--constants", metavar="NAME", type=Name(constants_known), help=(
            "Published coefs of the law, as besiroglu2024; nothing is fitted then. [default: none]")),
        click.option("--set", type=Pair("coef=number"), multiple=True, callback=number_pairs, help=(
            "A coef of one's own in place of a fitted one, as in E=1.8; one for each. [default: none]")),
    )(command)  # fmt: skip


def showing_options(bands: tuple[Decorator, ...]) -> Decorator:
    """Return what adds the options of what is shown, and gives them to the command as `showing`."""
    return bundled(
        "showing",
        Showing,
        click.option("--flops", type=Budgets(), help=(
            f"Budgets of the frontier, in FLOP, or as 100PF-days or 1e5H100-hours@0.4, where 0.4 is the share of the "
            f"machine's peak rate that runs reach. {FLOPS_DEFAULT}")),
        at_option,
        *bands,
    )  # fmt: skip


at_option: Decorator = click.option("--at", type=Pair("input=number"), multiple=True, callback=input_pairs, help=(
    "Value of an input that no budget decides, as in unique_tokens=25e9; repeatable. [default: none]"))  # fmt: skip

law_options: tuple[Decorator, ...] = (
    click.option("--law", metavar="NAME", type=Name(laws_known), default="chinchilla", show_default=True, help=(
        "Law to evaluate; `jaxscale laws` lists them.")),
    click.option("--law-expr", metavar="TEXT", help=(
        "Law of one's own in place of --law, as in 'E + A*params**-alpha'; names that are no --coef are columns. "
        "[default: none]")),
    click.option("--coef", metavar="NAME:SUPPORT[:STARTS]", multiple=True, help=(
        "A coef of --law-expr with its support (positive, real, unit) and where its fit may start, as in "
        "E:positive:0.5,1,2; repeatable. [default: none]")),
    click.option("--law-name", metavar="NAME", help="Name of the --law-expr. [default: expression]"),
)  # fmt: skip

band_options: tuple[Decorator, ...] = (
    click.option("--level", type=Level(), default=LEVEL, show_default=True, help="Share of an interval or band."),
    click.option("--interval", metavar="NAME", type=Name(names.INTERVALS), default=INTERVAL, show_default=True, help=(
        f"How intervals are made: {names.comma_list(names.INTERVALS)}.")),
)  # fmt: skip

saved_band_options: tuple[Decorator, ...] = (
    click.option("--level", type=Level(), help=(
        f"Share of an interval or band. [default: that of SAVED; else {LEVEL}]")),
    click.option("--interval", metavar="NAME", type=Name(names.INTERVALS), help=(
        f"How intervals are made: {names.comma_list(names.INTERVALS)}. [default: that of SAVED; else {INTERVAL}]")),
)  # fmt: skip


def target_loss_option(command: Command) -> Command:
    """Add --target-loss."""
    return click.option("--target-loss", "targets", type=NumberList(), help=(
        "Losses to reach, in the unit of the law, in place of runs to predict: --at for all inputs but one gives that "
        "one, no size in --at the least FLOP and their split. [default: none]"))(command)  # fmt: skip


def json_option(command: Command) -> Command:
    """Add --json."""
    return click.option("--json", "is_json", is_flag=True, help="Write one JSON document to stdout.")(command)


def width_option(command: Command) -> Command:
    """Add --width, of a figure in print."""
    return click.option(
        "--width",
        type=OneOf(names.WIDTHS),
        default=names.WIDTHS[0],
        show_default=True,
        help="Width of the figure in print: page, 6.75 inches, or column, 3.25; text has 8 points at either.",
    )(command)


def bundled(name: str, record: type, *options: Decorator) -> Decorator:
    """Return what adds options to a command and packs them into one record."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def told(*args: object, **given: object) -> None:
            given[name] = record(**{field.name: given.pop(field.name) for field in fields(record)})
            command(*args, **given)

        packed: Command = told
        for option in reversed(options):
            packed = option(packed)
        return packed

    return decorate

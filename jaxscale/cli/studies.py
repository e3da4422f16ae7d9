"""`jaxscale studies`: several tables by several laws and objectives, in one batch and on one page."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jaxscale import names
from jaxscale.cli import cache, outcomes, printing, tables
from jaxscale.cli.helping import command
from jaxscale.cli.known import Name, Names, OneOf, TableName, laws_known
from jaxscale.cli.options import INTERVAL, LEVEL, Reading, at_option, json_option, reading_options
from jaxscale.cli.parameters import Budgets, Level, Seed, Whole
from jaxscale.cli.reach import check_reach, far_option
from jaxscale.cli.session import Session, progress, talking
from jaxscale.errors import UsageError

if TYPE_CHECKING:
    from jaxscale.runs import Runs

SAVED = "Saved: {folder} — next: jaxscale plot {first}"
NO_WARMUP = "--warmup belongs to laws of schedules, which are not fitted here"
TWO_GROUPS = "--by COLUMN splits tables by a column, and --group names another: give one of them"
KEPT = "{count:,} of {asked:,} studies are kept in {folder}; the same command goes on from there"
BEGUN = "no study is kept yet"
SAME_NAME = "{first} and {second} have one name; rename one of the files"


@command()
@click.argument("table", metavar="TABLE…", nargs=-1, required=True, type=TableName())
@click.option(
    "--by", metavar="COLUMN", help="Split every table by this column, each value a table of its own. [default: off]"
)
@click.option(
    "--laws",
    type=Names(laws_known),
    default=("chinchilla",),
    show_default="chinchilla",
    help="Laws; `jaxscale laws` lists them.",
)
@click.option(
    "--objectives",
    type=Names(names.OBJECTIVES),
    default=("huber",),
    show_default="huber",
    help=f"Rho functions of the residuals: {names.comma_list(names.OBJECTIVES)}.",
)
@click.option(
    "--spaces",
    type=Names(names.SPACES),
    default=("log",),
    show_default="log",
    help="Residuals of ln loss, or of loss.",
)
@click.option("--flops", type=Budgets(), help=(
    "Budgets of every frontier. [default: 1, 3, 10, 30 and 100 times the largest compute of each table]"))  # fmt: skip
@far_option
@click.option("--scheme", metavar="NAME", type=Name(names.SCHEMES), default="pairs", show_default=True, help=(
    f"How tables are resampled: {names.comma_list(names.SCHEMES)}."))  # fmt: skip
@click.option("--replicates", type=Whole(), default=names.REPLICATES, show_default=True, help=(
    "Refits to resampled tables of each study; 0 for none, and no bands."))  # fmt: skip
@click.option("--seed", type=Seed(), default=0, show_default=True, help="Seed of the replicates, or 'random'.")
@click.option("--level", type=Level(), default=LEVEL, show_default=True, help="Share of an interval or band.")
@click.option("--interval", metavar="NAME", type=Name(names.INTERVALS), default=INTERVAL, show_default=True, help=(
    f"How intervals are made: {names.comma_list(names.INTERVALS)}."))  # fmt: skip
@at_option
@click.option("--device", type=OneOf(names.DEVICES), default="auto", show_default=True, help="Where the fits compute.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help=(
    "Keep every study in a folder of its name in DIR as soon as it is made, for other commands; the same command goes "
    "on where it was interrupted. [default: not kept]"))  # fmt: skip
@click.option("--force", is_flag=True, help="Replace other studies in that folder. [default: refuse]")
@click.option("--executor", metavar="NAME", help=(
    "Who makes the studies: processes, processes:N, or MODULE:FUNCTION, which returns an executor of "
    "concurrent.futures. [default: this process]"))  # fmt: skip
@json_option
@reading_options
@talking
def studies(
    session: Session,
    table: tuple[str, ...],
    by: str | None,
    laws: tuple[str, ...],
    objectives: tuple[str, ...],
    spaces: tuple[str, ...],
    flops: tuple[float, ...] | None,
    scheme: str,
    replicates: int,
    seed: int,
    level: float,
    interval: str,
    at: Mapping[str, float],
    device: str,
    out: Path | None,
    force: bool,
    executor: str | None,
    reading: Reading,
    is_json: bool,
) -> None:
    """Fit every TABLE by every law under every objective, each as `jaxscale fit` does, on one page.

    TABLE is what `jaxscale fit` takes, read alike with the same options; --by splits a table of several experiments.
    Studies that need the same compiled programs follow one another. One that is refused is listed with its reason and
    stops no other. Exit code 4 says that one is refused or not trustworthy.
    """
    if reading.warmup:
        raise UsageError(NO_WARMUP)
    if by is not None and reading.group not in (None, by):
        raise UsageError(TWO_GROUPS)
    cache.prepare(session)
    from jaxscale.laws import LAWS
    from jaxscale.parts import studies as studies_of
    from jaxscale.reports import json_text, print_studies, studies_document
    from jaxscale.store.folder import absolute_path
    from jaxscale.store.listing import check_free_for_studies, folder_names
    from jaxscale.text import shown_name

    if out is not None:
        check_free_for_studies(absolute_path(out), force=force)
        session.keep = lambda: kept_studies(out)
    parts = _tables(table, by, reading, laws)
    for name, runs in parts.items():
        for law in laws:
            check_reach(LAWS.resolve(law), runs, flops or (), of=shown_name(name))
    with progress(session) as bar:
        found = studies_of(
            parts,
            laws,
            objectives=objectives,
            spaces=spaces,
            scheme=scheme,
            replicates=replicates,
            seed=seed,
            budgets=flops or (),
            at=at,
            level=level,
            interval=interval,
            device=device,
            folder=out,
            executor=executor,
            force=force,
            on_stage=bar.stage,
            on_done=bar.advance,
        )
    folders = {}
    if out is not None:
        folders = {key: str(out / name) for key, name in folder_names(found).items() if key in found.found}
    if is_json:
        printing.write(json_text(studies_document(found, folders)))
    else:
        printing.print_page(lambda console, width: print_studies(found, console, width=width))
        if folders:
            printing.write("")
            first = shlex.quote(next(iter(folders.values())))
            printing.write(SAVED.format(folder=shlex.quote(str(out)), first=first))
    if not found.is_trustworthy:
        raise click.exceptions.Exit(outcomes.NOT_TRUSTWORTHY)


def kept_studies(folder: Path) -> str:
    """Return how many studies are kept in a folder; raise StoreError for a list that is damaged."""
    from jaxscale.store.listing import is_list, read_list

    if not is_list(folder):
        return BEGUN
    found = read_list(folder)
    return KEPT.format(count=len(found.there), asked=len(found.whole), folder=folder)


def _tables(given: tuple[str, ...], by: str | None, reading: Reading, laws: tuple[str, ...]) -> dict[str, Runs]:
    """Return the tables by their names, those of groups after the file's where there are several files."""
    from jaxscale.laws import LAWS
    from jaxscale.studying import by_groups

    inputs = dict.fromkeys(name for law in laws for name in LAWS.resolve(law).inputs)
    common = {frozenset(LAWS.resolve(law).inputs) for law in laws}
    needed = tuple(inputs) if len(common) == 1 else ("params", "tokens")
    further = tuple(name for name in inputs if name not in needed)
    found: dict[str, Runs] = {}
    sources: dict[str, str] = {}
    for one in given:
        runs = tables.read(one, reading if by is None else replace(reading, group=by), inputs=needed, beside=further)
        stem = Path(one).stem if Path(one).suffix else one
        parts = {stem: runs} if by is None else by_groups(runs)
        for name, part in parts.items():
            own = name if by is None or len(given) == 1 else f"{stem}:{name}"
            if own in found:
                raise UsageError(SAME_NAME.format(first=sources[own], second=one))
            found[own], sources[own] = part, one
    return found

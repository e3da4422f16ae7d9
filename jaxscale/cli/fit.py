"""`jaxscale fit`: read, fit, bootstrap, find the frontier, save, and print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jaxscale.cli import cache, choosing, names, outputs, printing, refusing, studies
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
from jaxscale.cli.progress import progress
from jaxscale.cli.session import Session, talking

if TYPE_CHECKING:
    from jaxscale.reports import Answer


@click.command()
@click.argument("table", required=False)
@fitting_options
@showing_options
@reading_options
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help=("Folder for the results. [default: jaxscale-out/LAW-DIGEST, the digest of data and options]"),
)
@click.option("--force", is_flag=True, help="Replace another result in that folder. [default: only the same command's]")
@click.option(
    "--count",
    "counts",
    metavar="CONVENTION",
    multiple=True,
    help=(
        f"Show what moves if compute or size is counted so: {names.listed(names.CONVENTIONS)}, "
        "or all that the table allows; repeatable. [default: none]"
    ),
)
@click.option("--plot", is_flag=True, help="Draw the figures into that folder too. [default: no figures]")
@json_option
@talking
def fit(
    session: Session,
    table: str | None,
    fitting: Fitting,
    showing: Showing,
    reading: Reading,
    out: Path | None,
    force: bool,
    counts: tuple[str, ...],
    plot: bool,
    is_json: bool,
) -> None:  # fmt: skip
    """Fit a law to a TABLE of runs, with intervals and the frontier.

    TABLE is CSV, Parquet by its name, - for CSV on standard input, or a data set by its name, pilot or
    epoch-chinchilla; without it pilot is fitted, which ships with jaxscale: real runs of very small language models.
    Needed are columns for loss and for what the law takes, as params and tokens; common names are recognised. Exit
    code 4 says that the fit is not trustworthy.
    """
    choosing.check_clear(fitting)
    cache.prepare(session)
    from jaxscale.reports import Answer
    from jaxscale.store import Saved

    with progress(session) as bar:
        refusing.check_names(fitting, showing)
        refusing.check_counts(counts)
        runs = studies.runs_of(table, reading, fitting)
        refusing.check_countable(runs, counts)
        refusing.check_clusters(runs, fitting)
        digest = outputs.digest_of_command(runs, reading, fitting, showing)
        folder = out or Path(outputs.PARENT) / f"{choosing.name_of(fitting)}-{digest}"
        outputs.check_writable(folder, digest, force=force)
        with studies.prefetching(runs, fitting, showing):
            fitted = studies.fit_of(runs, fitting, bar)
            session.keep = lambda: outputs.keep(fitted, folder, digest)
            ensemble = studies.ensemble_of(fitted, fitting, bar)
            frontier = studies.frontier_if_any(fitted, ensemble, showing, bar)
            parts = studies.parts_if_any(fitted, ensemble, showing, bar)
            reduced = studies.reduced_of(fitted, fitting, showing, bar)
        by_group = {group: part.frontier for group, part in parts.items() if part.frontier is not None}
        outputs.save(Saved(fitted, ensemble, frontier, by_group), folder, digest, force=force)
        if reduced is not None:
            left = Saved(reduced.fit, reduced.ensemble, reduced.frontier)
            outputs.save(left, folder / outputs.REDUCED, digest, force=force)
        session.keep = lambda: outputs.DONE.format(folder=folder)
        compared = studies.counts_of(fitted, frontier, counts, fitting, showing, bar)
    line = "" if reduced is None else studies.line_of(fitted)
    answer = Answer(
        fitted, ensemble, frontier, showing.level, showing.interval, reduced, line, counts=compared, by_group=parts
    )
    figures = _figures(answer, folder, session) if plot else []
    _show(answer, folder, figures, is_json=is_json)
    if not answer.is_trustworthy:
        raise click.exceptions.Exit(NOT_TRUSTWORTHY)


def _figures(answer: Answer, folder: Path, session: Session) -> list[Path]:
    from jaxscale.cli.drawing import draw_all

    return draw_all(answer, folder, session)


def _show(answer: Answer, folder: Path, figures: list[Path], *, is_json: bool) -> None:
    from jaxscale.reports import fit_document, json_text, print_fit

    if is_json:
        document = {**fit_document(answer), "saved": str(folder), "figures": [str(path) for path in figures]}
        printing.write(json_text(document))
        return
    printing.print_page(lambda console, width: print_fit(answer, console, width=width))
    printing.write("")
    for path in figures:
        printing.write(f"Figure {path}")
    printing.write(outputs.next_steps(folder, is_split=answer.frontier is not None or bool(answer.by_group)))

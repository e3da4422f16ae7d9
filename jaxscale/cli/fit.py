"""`jaxscale fit`: read, fit, bootstrap, find the frontier, save, and print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from jaxscale import names
from jaxscale.cli import cache, choosing, large, outputs, printing, tables
from jaxscale.cli.helping import command
from jaxscale.cli.known import Name, TableName
from jaxscale.cli.large import Work, work_options
from jaxscale.cli.options import (
    Fitting,
    Reading,
    Showing,
    band_options,
    fitting_options,
    json_option,
    reading_options,
    showing_options,
    width_option,
)
from jaxscale.cli.outcomes import NOT_TRUSTWORTHY
from jaxscale.cli.reach import check_reach, far_option
from jaxscale.cli.session import Bar, Session, progress, talking
from jaxscale.meant import RESULTS

if TYPE_CHECKING:
    from jaxscale.results import Diagnosis, Fit, Study

DIAGNOSING_STAGE = "Fitting without each run"
NO_DIAGNOSIS = "No diagnosis: {why}"


@command()
@click.argument("table", required=False, type=TableName())
@fitting_options
@showing_options(band_options)
@far_option
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
    type=Name((*names.CONVENTIONS, "all")),
    multiple=True,
    help=(
        f"Show what moves if compute or size is counted so: {names.comma_list(names.CONVENTIONS)}, "
        "or all that the table allows; repeatable. [default: none]"
    ),
)
@click.option(
    "--diagnose",
    "is_diagnosed",
    is_flag=True,
    help=(
        "Show how far each run carries the answer at ten times the largest measured compute, and what the residuals "
        "depend on; a fit without each run. [default: off]"
    ),
)
@work_options
@click.option("--plot", is_flag=True, help="Draw the figures into that folder too. [default: no figures]")
@width_option
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
    is_diagnosed: bool,
    work: Work,
    plot: bool,
    width: Literal["page", "column"],
    is_json: bool,
) -> None:  # fmt: skip
    """Fit a law to a TABLE of runs, with intervals and the frontier.

    TABLE is CSV, Parquet by its name, - for CSV on standard input, or a data set by its name, pilot or
    epoch-chinchilla; without it pilot is fitted, which ships with jaxscale: real runs of very small language models.
    Needed are columns for loss and for what the law takes, as params and tokens; common names are recognised. Exit
    code 4 says that the fit is not trustworthy.

    With more than 65,536 replicates the folder grows part by part: the same command goes on where it was interrupted,
    and more replicates are added to those that are there.
    """
    choosing.check_clear(fitting)
    cache.prepare(session)
    from jaxscale.studying import compared

    with progress(session) as bar:
        choosing.check_names(fitting, showing)
        choosing.check_counts(counts)
        runs = tables.runs_of(table, reading, fitting)
        choosing.check_countable(runs, counts)
        check_reach(choosing.law_of(fitting), runs, showing.flops or ())
        choosing.check_scheme(runs, fitting)
        in_parts = large.is_in_parts(fitting, showing, work)
        digest = outputs.digest_of_command(runs, reading, fitting, showing, is_large=in_parts)
        folder = out or Path(RESULTS) / f"{choosing.name_of(fitting)}-{digest}"
        options = large.options_of(reading, fitting, showing)
        outputs.check_folder(folder, digest, options if in_parts else None, force=force)

        def keep(fitted: Fit) -> None:
            session.keep = lambda: outputs.keep(fitted, folder, digest)

        if in_parts:
            study = large.study_in(
                folder, runs, fitting, showing, work, session, bar, digest=digest, options=options, force=force
            )  # fmt: skip
        else:
            study = choosing.study_of(runs, fitting, showing, bar, on_fit=keep)
        is_saved = in_parts and study.fit.is_usable
        if not is_saved:
            outputs.save_result(study, folder, digest, force=force)
        session.keep = lambda: large.kept_words(folder) if is_saved else outputs.DONE.format(folder=folder)
        if counts:
            study = compared(study, counts, on_stage=bar.stage, device=fitting.device)
            if not is_saved:
                outputs.save_result(study, folder, digest, force=force)
        found = _diagnosis(study, fitting, bar) if is_diagnosed else None
    figures = outputs.draw(study, folder, session, width=width) if plot else []
    _show(study, found, folder, figures, is_diagnosed=is_diagnosed, is_json=is_json)
    if not study.is_trustworthy:
        raise click.exceptions.Exit(NOT_TRUSTWORTHY)


def _diagnosis(study: Study, fitting: Fitting, bar: Bar) -> Diagnosis | None:
    """Return the diagnosis of a fit that is a minimum; None of another, whose warnings say enough."""
    from jaxscale.diagnosing import diagnose
    from jaxscale.reports import why_no_diagnosis

    if why_no_diagnosis(study.fit) is not None:
        return None
    bar.stage(DIAGNOSING_STAGE)
    return diagnose(study.fit, at=study.at, device=fitting.device)


def _show(
    study: Study,
    diagnosis: Diagnosis | None,
    folder: Path,
    figures: list[Path],
    *,
    is_diagnosed: bool,
    is_json: bool,
) -> None:
    from jaxscale.reports import diagnosis_document, fit_document, json_text, print_diagnosis, print_fit
    from jaxscale.reports import why_no_diagnosis as why_none

    if is_json:
        found = {"diagnosis": None if diagnosis is None else diagnosis_document(diagnosis)} if is_diagnosed else {}
        document = {**fit_document(study), **found, "saved": str(folder), "figures": [str(path) for path in figures]}
        printing.write(json_text(document))
        return
    printing.print_page(lambda console, width: print_fit(study, console, width=width))
    if diagnosis is not None:
        printing.write("")
        printing.print_page(lambda console, width: print_diagnosis(diagnosis, console, width=width))
    elif is_diagnosed:
        printing.write("")
        printing.write(NO_DIAGNOSIS.format(why=why_none(study.fit)))
    printing.write("")
    for path in figures:
        printing.write(f"Figure {path}")
    printing.write(outputs.next_steps(folder, is_split=study.frontier is not None or bool(study.groups)))

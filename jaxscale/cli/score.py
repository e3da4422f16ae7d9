"""`jaxscale score`: how a forecast came out, once its runs are made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jaxscale.cli import printing, tables
from jaxscale.cli.helping import command
from jaxscale.cli.known import TableName
from jaxscale.cli.options import Reading, json_option, reading_options
from jaxscale.cli.session import Session, talking
from jaxscale.errors import UsageError

if TYPE_CHECKING:
    from jaxscale.results.forecast import Forecast
    from jaxscale.runs import Runs

NOT_REGISTERED = "--study holds a registered FORECAST against the folder that it was made of; a SAVED folder is itself"


@command()
@click.argument("forecast", metavar="FORECAST|SAVED", type=TableName())
@click.argument("table", required=False, type=TableName())
@click.option("--study", metavar="SAVED", help=(
    "The folder that FORECAST was made of, which must be the same still: another table or option is refused. "
    "[default: not asked]"))  # fmt: skip
@json_option
@reading_options
@talking
def score(
    session: Session, forecast: str, table: str | None, study: str | None, reading: Reading, is_json: bool
) -> None:
    """Print how a forecast came out: for each run that was made its error, and whether it lies within the bands.

    FORECAST is a file that `jaxscale predict --register` has written; one that was edited is refused. A SAVED folder in
    its place is held against runs that it was not fitted to: nothing was registered then. TABLE has the runs as they
    were measured; one is the forecast's where every input agrees to 1 %.
    """
    from jaxscale.forecasting import score as score_of
    from jaxscale.reports import json_text, print_score, score_document
    from jaxscale.store import load, load_forecast

    is_saved = Path(forecast).is_dir()
    if is_saved and study is not None:
        raise UsageError(NOT_REGISTERED)
    told = None if is_saved else load_forecast(forecast)
    runs = _runs(forecast, told, table, reading)
    found = score_of(told or _of_saved(forecast, runs), runs, study=None if study is None else load(study))
    if is_json:
        printing.write(json_text(score_document(found, is_registered=told is not None)))
    else:
        printing.print_page(lambda console, width: print_score(found, console, width, is_registered=told is not None))


def _runs(folder: str, told: Forecast | None, table: str | None, reading: Reading) -> Runs:
    """Return the table's runs, with the inputs of the forecast or of the saved law."""
    from jaxscale.store import load

    inputs = tuple(told.inputs) if told is not None else load(folder).fit.law.inputs
    return tables.read(table, reading, inputs=inputs)


def _of_saved(folder: str, runs: Runs) -> Forecast:
    """Return what a saved study predicts of runs."""
    from jaxscale.forecasting import forecast
    from jaxscale.store import load

    study = load(folder)
    inputs: dict[str, Any] = {name: runs.columns[name] for name in study.fit.law.inputs}
    return forecast(study, **inputs)

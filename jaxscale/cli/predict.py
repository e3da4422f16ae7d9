"""`jaxscale predict`: the loss of runs that were not made, from a saved result or from coefs that are known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jaxscale.cli import cache, choosing, printing, sources
from jaxscale.cli.helping import command
from jaxscale.cli.known import TableName
from jaxscale.cli.options import (
    Choosing,
    Given,
    choosing_options,
    given_options,
    json_option,
    saved_band_options,
    target_loss_option,
)
from jaxscale.cli.outcomes import NOT_TRUSTWORTHY
from jaxscale.cli.parameters import Pair, input_lists
from jaxscale.cli.reach import check_sizes, far_option
from jaxscale.cli.session import Session, talking
from jaxscale.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    from jaxscale.laws import Law
    from jaxscale.reports import Predictions, Reached
    from jaxscale.results import Study

NO_SOURCE = "name a SAVED folder, or give the coefs: --law chinchilla --constants besiroglu2024, or --set for each coef"
NOTHING_ASKED = "say where to predict, --at params=1e9 --at tokens=2e10, or what to reach, --target-loss 2.5"
UNIDENTIFIED = "the coefs of this fit are not identified, so nothing can be said of what a loss needs"
NOT_REGISTERED = "--register writes down what a SAVED folder predicts --at sizes, of the whole fit"
NO_GROUPS = "--of names a group of a SAVED fit over groups, and there is no such folder here"
TWO_SOURCES = "'{folder}' holds a law and its coefs already: leave --{option} out, or the folder"
WHOLE_SCHEDULES = (
    "'{name}' takes whole schedules, which no --at can hold; in Python: "
    "js.predict(fit, **jaxscale.schedules.columns_of([schedule], [step]))"
)
OF_A_SCHEDULE = (
    "'{name}' takes {inputs}, made of a whole schedule; in Python jaxscale.schedules.columns_of([schedule], [step]) "
    "gives them"
)
OTHER_LENGTHS = "--at takes lists of one length, or single numbers: {found}"


@command()
@click.argument("saved", required=False, type=TableName())
@click.option("--at", type=Pair("input=number,…"), multiple=True, callback=input_lists, help=(
    "Where to predict, in the input's unit, as in --at params=1e9,7B --at D=2T, or --at N=1e8:1e10:5 for five; one for "
    "each input of the law, or two sizes of params, tokens, flops and tokens_per_param in place of others; a single "
    "number goes with every item of a list. [default: none]"))  # fmt: skip
@far_option
@target_loss_option
@click.option(
    "--register",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=(
        "Write the predictions, with both bands, the date and digests of table and options, into a new file, which "
        "`jaxscale score` holds against the runs once they are made. [default: none]"
    ),
)
@click.option("--of", "group", metavar="GROUP", help="Which group of a SAVED fit over groups. [default: none]")
@choosing_options
@given_options
@saved_band_options[0]
@saved_band_options[1]
@json_option
@talking
def predict(
    session: Session,
    saved: str | None,
    at: Mapping[str, tuple[float, ...]],
    targets: tuple[float, ...] | None,
    register: Path | None,
    group: str | None,
    chosen: Choosing,
    given: Given,
    level: float | None,
    interval: str | None,
    is_json: bool,
) -> None:
    """Print the loss that a law predicts for runs of given sizes, or what a loss needs.

    SAVED is a folder that `jaxscale fit` has written; its replicates give a band. Without it, --law with --constants
    or --set gives the coefs, and there is no band. Exit code 4 says that the saved fit is not trustworthy.
    """
    _check_sources(saved, chosen, given)
    if not at and targets is None:
        raise UsageError(NOTHING_ASKED)
    if saved is None:
        choosing.check_declared(chosen, at, "--at")
    if saved is None and group is not None:
        raise UsageError(NO_GROUPS)
    if register is not None and (saved is None or not at or group is not None):
        raise UsageError(NOT_REGISTERED)
    cache.prepare(session)
    from jaxscale.results import Study

    found = _known(chosen, given, at, targets) if saved is None else _saved(saved, at, targets, group, level, interval)
    if register is not None and saved is not None:
        _register(register, saved, found, level, interval)
    _show(found, is_json=is_json)
    if isinstance(found.source, Study) and not found.source.is_trustworthy:
        raise click.exceptions.Exit(NOT_TRUSTWORTHY)


def _register(file: Path, folder: str, found: Predictions | Reached, level: float | None, interval: str | None) -> None:
    """Write the predictions of a saved study down."""
    from jaxscale.forecasting import forecast
    from jaxscale.intervals import INTERVALS
    from jaxscale.reports import Predictions
    from jaxscale.store import load, save_forecast

    assert isinstance(found, Predictions)  # sizes were asked for
    method = None if interval is None else INTERVALS.resolve(interval)
    study = load(folder).shown(level=level, interval=method)
    inputs: dict[str, Any] = dict(found.columns)
    save_forecast(file, forecast(study, **inputs))


def _check_sources(saved: str | None, chosen: Choosing, given: Given) -> None:
    """Raise UsageError unless there is one source of coefs."""
    choosing.check_clear(chosen)
    if saved is None and given.constants is None and not given.set:
        raise UsageError(NO_SOURCE)
    for option in ("law", "law_expr", "coef", "law_name", "constants", "set"):
        if saved is not None and choosing.was_typed(option):
            raise UsageError(TWO_SOURCES.format(folder=saved, option=option.replace("_", "-")))


def _known(
    chosen: Choosing, given: Given, at: Mapping[str, tuple[float, ...]], targets: tuple[float, ...] | None
) -> Predictions | Reached:
    """Return the predictions of a law at given coefs."""
    from jaxscale.allocation import solve_for
    from jaxscale.laws import predict_with
    from jaxscale.reports import Constants, Predictions, Reached

    law = choosing.law_of(chosen)
    known = Constants(law, choosing.given_coefs(law, given) or {}, choosing.set_of(law, given))
    if targets is not None:
        return Reached(solve_for(law=law, coefs=known.coefs, loss=targets, at=at), {}, known)
    columns, asked = _columns(law, at)
    excess = _over_optimum(law, known.coefs, columns)
    return Predictions(known, columns, predict_with(law, known.coefs, columns), asked=asked, excess=excess)


def _saved(
    folder: str,
    at: Mapping[str, tuple[float, ...]],
    targets: tuple[float, ...] | None,
    group: str | None,
    level: float | None,
    interval: str | None,
) -> Predictions | Reached:
    """Return the predictions of a saved fit, or of one of its groups, with bands."""
    import numpy as np

    from jaxscale.fitting import new_runs, predicted_sample
    from jaxscale.intervals import INTERVALS, band
    from jaxscale.laws import predict_with
    from jaxscale.reports import Predictions
    from jaxscale.reports.predictions import is_in_other_units
    from jaxscale.results import Study
    from jaxscale.store import load

    method = None if interval is None else INTERVALS.resolve(interval)
    whole = load(folder).shown(level=level, interval=method)
    part = sources.part_named(whole, group)
    study = Study(part.fit, part.ensemble, level=part.level, interval=part.interval)  # of its frontier nothing is said
    if targets is not None:
        return _reached(study, targets, at)
    fit, limits, single, draws = study.fit, None, None, None
    columns, asked = _columns(fit.law, at)
    check_sizes(fit.law, fit.runs, columns)
    if study.ensemble is not None and study.has_bands:
        sample = predicted_sample(study.ensemble, columns)
        limits, draws = band(sample, level=study.level, method=study.interval), sample.values
        if len(fit.runs) > len(fit.free):
            single = band(new_runs(study.ensemble, columns), level=study.level)
    losses = predict_with(fit.law, fit.coefs, columns)
    is_unknown = (bool(fit.unidentified) and not fit.is_usable) or is_in_other_units(fit)
    if is_unknown:
        losses, limits, single, draws = np.full_like(losses, np.nan), None, None, None
    excess = None if is_unknown else _over_optimum(fit.law, fit.coefs, columns)
    return Predictions(study, columns, losses, limits, single, asked, draws, excess)


def _over_optimum(law: Law, coefs: Mapping[str, float], columns: Mapping[str, tuple[float, ...]]) -> np.ndarray | None:
    import numpy as np

    from jaxscale.allocation.frontier import over_optimum

    return over_optimum(law, coefs, {name: np.asarray(column) for name, column in columns.items()})


def _reached(study: Study, targets: tuple[float, ...], at: Mapping[str, tuple[float, ...]]) -> Reached:
    """Return the inputs that losses need by a saved fit, with bands where it has them."""
    from jaxscale.allocation import solve_for
    from jaxscale.reports import Reached

    if study.fit.unidentified:
        raise UsageError(UNIDENTIFIED)
    if study.ensemble is None or not study.has_bands:
        return Reached(solve_for(study.fit, loss=targets, at=at), {}, study)
    found = solve_for(study.ensemble, loss=targets, at=at)
    bands = {name: found.interval(name, level=study.level, method=study.interval) for name in found.arrays}
    return Reached(found, {name: band for name, band in bands.items() if band is not None}, study)


def _columns(
    law: Law, at: Mapping[str, tuple[float, ...]]
) -> tuple[dict[str, tuple[float, ...]], dict[str, tuple[float, ...]]]:
    """Return the inputs in the law's order, each as long as the longest, and the sizes from which some were made.

    Raises UsageError for unknown names and, as `js.predict`, for numbers that an input cannot be.
    """
    import numpy as np

    from jaxscale.allocation.inputs import check_asked, run_columns

    if any(law.input(name).is_vector for name in law.inputs):
        raise UsageError(WHOLE_SCHEDULES.format(name=law.name))
    if set(at) & set(law.derived_from):
        raise UsageError(OF_A_SCHEDULE.format(name=law.name, inputs=" and ".join(law.inputs)))
    check_asked(law, at)
    count = max(map(len, at.values()))
    if any(len(values) not in (1, count) for values in at.values()):
        raise UsageError(OTHER_LENGTHS.format(found=", ".join(f"{name} has {len(v)}" for name, v in at.items())))
    given = {name: np.resize(values, count) for name, values in at.items()}
    try:
        every = run_columns(law, given)
    except UsageError as error:
        raise UsageError(f"--at {error}") from error
    columns = {name: tuple(column.tolist()) for name, column in every.items()}
    return columns, {name: tuple(values.tolist()) for name, values in given.items() if name not in law.inputs}


def _show(found: Predictions | Reached, *, is_json: bool) -> None:
    from jaxscale.reports import (
        Reached,
        json_text,
        predictions_document,
        print_predictions,
        print_reached,
        reached_document,
    )

    if isinstance(found, Reached):
        if is_json:
            printing.write(json_text(reached_document(found)))
        else:
            printing.print_page(lambda console, width: print_reached(found, console, width=width))
    elif is_json:
        printing.write(json_text(predictions_document(found)))
    else:
        printing.print_page(lambda console, width: print_predictions(found, console, width=width))

"""`jaxscale predict`: the loss of runs that were not made, from a saved result or from coefs that are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from jaxscale.cli import cache, choosing, printing
from jaxscale.cli.options import (
    Choosing,
    Given,
    band_options,
    choosing_options,
    given_options,
    json_option,
    target_loss_option,
)
from jaxscale.cli.outcomes import NOT_TRUSTWORTHY
from jaxscale.cli.parameters import Pair, number_lists
from jaxscale.cli.session import Session, talking
from jaxscale.errors import UsageError

if TYPE_CHECKING:
    from jaxscale.laws import Law
    from jaxscale.reports import Answer, Predictions, Reached

NO_SOURCE = "name a SAVED folder, or give the coefs: --law chinchilla --constants besiroglu2024, or --set for each coef"
NOTHING_ASKED = "say where to predict, --at params=1e9 --at tokens=2e10, or what to reach, --target-loss 2.5"
UNIDENTIFIED = "the coefs of this fit are not identified, so nothing can be said of what a loss needs"
NO_GROUPS = "--of names a group of a SAVED fit over groups, and there is no such folder here"
TWO_SOURCES = "'{folder}' holds a law and its coefs already: leave --{option} out, or the folder"
WHICH_GROUP = "this fit is of several groups: say for which one with --of, as in --of {first}; groups: {groups}"
WHOLE_SCHEDULES = (
    "'{name}' takes whole schedules, which no --at can hold; in Python: "
    "js.predict(fit, **jaxscale.schedules.columns_of([schedule], [step]))"
)
OF_A_SCHEDULE = (
    "'{name}' takes {inputs}, made of a whole schedule; in Python jaxscale.schedules.columns_of([schedule], [step]) "
    "gives them"
)
OTHER_LENGTHS = "--at takes lists of one length, or single numbers: {found}"


@click.command()
@click.argument("saved", required=False)
@click.option("--at", type=Pair("input=number,…"), multiple=True, callback=number_lists, help=(
    "Where to predict, in the input's unit, as in --at params=1e9,2e9 --at tokens=2e10; one for each input of the law, "
    "or two sizes of params, tokens, flops and tokens_per_param in place of others; a single number goes with every "
    "item of a list. [default: none]"))  # fmt: skip
@target_loss_option
@click.option("--of", "group", metavar="GROUP", help="Which group of a SAVED fit over groups. [default: none]")
@choosing_options
@given_options
@band_options[0]
@band_options[1]
@json_option
@talking
def predict(
    session: Session,
    saved: str | None,
    at: Mapping[str, tuple[float, ...]],
    targets: tuple[float, ...] | None,
    group: str | None,
    chosen: Choosing,
    given: Given,
    level: float,
    interval: str,
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
    cache.prepare(session)
    found = _known(chosen, given, at, targets) if saved is None else _saved(saved, at, targets, group, level, interval)
    _show(found, is_json=is_json)
    if found.answer is not None and not found.answer.is_trustworthy:
        raise click.exceptions.Exit(NOT_TRUSTWORTHY)


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
    """Return what a law says at coefs that were given."""
    from jaxscale.allocation import solve_for
    from jaxscale.laws import predict_with
    from jaxscale.reports import Known, Predictions, Reached

    law = choosing.law_of(chosen)
    coefs = choosing.given_coefs(law, given) or {}
    known = Known(law, coefs, choosing.set_of(law, given))
    if targets is not None:
        return Reached(solve_for(law=law, coefs=coefs, loss=targets, at=at), {}, known=known)
    columns, asked = _columns(law, at)
    return Predictions(law, coefs, columns, predict_with(law, coefs, columns), asked=asked, known=known)


def _saved(
    folder: str,
    at: Mapping[str, tuple[float, ...]],
    targets: tuple[float, ...] | None,
    group: str | None,
    level: float,
    interval: str,
) -> Predictions | Reached:
    """Return what a saved fit, or one group of it, says, with the band of its replicates."""
    import numpy as np

    from jaxscale.fitting import group_of, predict_ensemble
    from jaxscale.intervals import INTERVALS, band
    from jaxscale.laws import predict_with
    from jaxscale.laws.grouped import grouping_of
    from jaxscale.reports import Answer, Predictions
    from jaxscale.reports.predictions import is_in_other_units
    from jaxscale.store import load

    INTERVALS.resolve(interval)
    found = load(folder)
    fit, ensemble, grouping = found.fit, found.ensemble, grouping_of(found.fit.law)
    if grouping is not None and group is None:
        raise UsageError(WHICH_GROUP.format(first=grouping.groups[0], groups=", ".join(grouping.groups)))
    if group is not None:
        fit, ensemble = group_of(fit, group), None if ensemble is None else group_of(ensemble, group)
    answer = Answer(fit, ensemble, None, level, interval)
    if targets is not None:
        return _reached(answer, targets, at)
    columns, asked = _columns(fit.law, at)
    limits = None
    if ensemble is not None and answer.has_bands:
        limits = band(predict_ensemble(ensemble, columns), level=level, method=interval)
    losses = predict_with(fit.law, fit.coefs, columns)
    is_unknown = (bool(fit.unidentified) and not fit.is_usable) or is_in_other_units(fit)
    losses, limits = (np.full_like(losses, np.nan), None) if is_unknown else (losses, limits)
    return Predictions(fit.law, fit.coefs, columns, losses, limits, answer, asked)


def _reached(answer: Answer, targets: tuple[float, ...], at: Mapping[str, tuple[float, ...]]) -> Reached:
    """Return what losses need by a saved fit, with bands where it has them."""
    from jaxscale.allocation import solve_for
    from jaxscale.reports import Reached

    if answer.fit.unidentified:
        raise UsageError(UNIDENTIFIED)
    if answer.ensemble is None or not answer.has_bands:
        return Reached(solve_for(answer.fit, loss=targets, at=at), {}, answer)
    found = solve_for(answer.ensemble, loss=targets, at=at)
    bands = {name: found.interval(name, level=answer.level, method=answer.method) for name in found.arrays}
    return Reached(found, {name: band for name, band in bands.items() if band is not None}, answer)


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

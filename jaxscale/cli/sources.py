"""Where coefs come from: a saved folder, a table that is fitted first, or options that give them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import Field, fields
from pathlib import Path
from typing import TYPE_CHECKING

from jaxscale.cli import choosing, tables
from jaxscale.cli.options import Fitting, Given, Reading, Showing
from jaxscale.cli.reach import check_reach
from jaxscale.cli.session import Bar, Session
from jaxscale.errors import UsageError

if TYPE_CHECKING:
    from jaxscale.laws import Law
    from jaxscale.reports import Constants
    from jaxscale.results import Study

BELONGS_TO_FIT = "--{option} belongs to a fit, and '{folder}' holds one already; fit again with it, or leave it out"
NOTHING_FITTED = "--{option} belongs to a fit, and with --constants or --set nothing is fitted; leave it out"
NO_SOURCE = "name a SAVED folder or a TABLE, or give the coefs: --law chinchilla --constants besiroglu2024"
TWO_SOURCES = "'{source}' brings coefs of its own: leave it out, or leave out --constants and --set"
DATA_SET = "there is no folder '{name}'; the data set of that name is fitted"
NO_GROUPS = "--of names a group of a fit over groups, and this is none"
WHICH_GROUP = "this fit is of several groups: say for which one with --of, as in --of {first}; groups: {groups}"
OF_THE_LAW = ("law", "law_expr", "coef", "law_name")


def check_sources(source: str | None, given: Given, *, kept: Collection[str] = ()) -> None:
    """Raise UsageError unless there is one source of coefs, and for options that a source has no use for.

    kept: options of a table that the command has a use for all the same.
    """
    is_known = given.constants is not None or bool(given.set)
    if source is None and not is_known:
        raise UsageError(NO_SOURCE)
    if source is not None and is_known:
        raise UsageError(TWO_SOURCES.format(source=source))
    if is_known:
        _check_options(NOTHING_FITTED, (*fields(Fitting), *fields(Reading)), (*OF_THE_LAW, *kept))


def known_coefs(fitting: Fitting, given: Given) -> Constants:
    """Return the law and the coefs that the options give."""
    from jaxscale.reports import Constants

    law = choosing.law_of(fitting)
    return Constants(law, choosing.given_coefs(law, given) or {}, choosing.set_of(law, given))


def study_from(
    source: str,
    fitting: Fitting,
    reading: Reading,
    showing: Showing,
    session: Session,
    bar: Bar,
    *,
    saved: Callable[[str], Study],
    check: Callable[[Law], object],
    budgets: Iterable[float] = (),
    kept: Collection[str] = (),
) -> Study:
    """Return the study of a saved folder, or of a table that is fitted with the options.

    saved: reads a folder.   check: raises UsageError for a law that cannot be used, before a table is read.   budgets:
    in FLOP, as of `check_reach`, before a table is fitted.   kept: as of `check_sources`.
    """
    if Path(source).is_dir():
        _check_options(BELONGS_TO_FIT, (*fields(Fitting), *fields(Reading)), kept, folder=source)
        study = saved(source)
        check_reach(study.fit.law, study.fit.runs, budgets)
        return study
    choosing.check_names(fitting, showing)
    check(choosing.law_of(fitting))
    if tables.data_set_of(source) is not None:
        session.say(DATA_SET.format(name=source))
    runs = tables.runs_of(source, reading, fitting)
    choosing.check_scheme(runs, fitting)
    check_reach(choosing.law_of(fitting), runs, budgets)
    return choosing.study_of(runs, fitting, showing, bar)


def part_named(study: Study, group: str | None) -> Study:
    """Return the study, or that of one of its groups; raise UsageError for a group too few, or too many."""
    from jaxscale.laws.grouped import grouping_of
    from jaxscale.studying import part_of

    grouping = grouping_of(study.fit.law)
    if grouping is None and group is not None:
        raise UsageError(NO_GROUPS)
    if grouping is not None and group is None:
        raise UsageError(WHICH_GROUP.format(first=grouping.groups[0], groups=", ".join(grouping.groups)))
    return study if group is None else part_of(study, group)


def _check_options(message: str, options: Iterable[Field], kept: Collection[str], **words: str) -> None:
    """Raise UsageError for an option that stands on the command line and has no effect; those kept have one."""
    for option in options:
        if option.name not in kept and choosing.was_typed(option.name):
            raise UsageError(message.format(option=option.name.replace("_", "-"), **words))

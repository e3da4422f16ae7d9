"""The TABLE of a command: a file, standard input, or a data set by its name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jaxscale.cli import choosing
from jaxscale.cli.options import Fitting, Reading
from jaxscale.errors import RunsError, UsageError
from jaxscale.meant import near_path
from jaxscale.names import DATASETS
from jaxscale.registry import nearest

if TYPE_CHECKING:
    from jaxscale.laws import Law
    from jaxscale.runs import Runs

SHIPPED = DATASETS[0]
"""The data set that is read where no table is named."""
OF_FILES = ("sep", "decimal", "thousands", "encoding", "units", "scale")
"""Options that say how a file is written."""

NO_SCHEDULE = "--warmup belongs to laws of schedules, such as 'multi-power'; '{law}' takes none"
NO_LOSS = "what the law '{law}' gives is {target}, not loss: say which column of the table holds it, --map loss=COLUMN"
NOT_DECLARED = "'{name}' is neither a column of {table} nor a coef: add --coef {name}:positive, or --map {name}=COLUMN"
NOT_A_FILE = "--{option} says how a file is written, and the data set '{name}' is no file of yours: leave it out"
MISSPELT = "{table}: there is no such file, and no data set of that name; did you mean {near}?"


def data_set_of(table: str | None) -> str | None:
    """Return the name of the data set; None for standard input, and for a file, which takes precedence."""
    if table is None:
        return SHIPPED
    return table if table in DATASETS and not Path(table).is_file() else None


def runs_of(table: str | None, reading: Reading, fitting: Fitting) -> Runs:
    """Return the runs of a table, with the columns derived from schedules where the law takes them.

    Where whole groups are drawn and no --group is given, the column that names the runs of a log is the group.

    Raises UsageError, RunsError or MissingDependencyError.
    """
    from jaxscale.counting import WORDS
    from jaxscale.resampling import SCHEMES
    from jaxscale.runs.naming import grouped_by_run
    from jaxscale.schedules import with_schedules
    from jaxscale.text import shown_name

    law = choosing.law_of(fitting)
    if law.target != "loss" and "loss" not in reading.map:
        raise UsageError(NO_LOSS.format(law=law.name, target=law.target))
    if reading.warmup and not law.derived_from:
        raise UsageError(NO_SCHEDULE.format(law=law.name))
    inputs = (*(name for name in law.inputs if not law.input(name).derived_from), *law.derived_from)
    try:
        runs = read(table, reading, inputs=inputs, beside=WORDS, positive_loss=fitting.space == "log")
    except RunsError as error:
        _check_declared(law, error.missing, shown_name(table or SHIPPED))
        raise
    runs = with_schedules(runs, warmup=reading.warmup) if law.derived_from else runs
    return grouped_by_run(runs) if SCHEMES.resolve(fitting.scheme).has_groups else runs


def _check_declared(law: Law, missing: Sequence[str], table: str) -> None:
    """Raise UsageError, with a caret, where a name in a typed law is neither a coef nor a column of the table."""
    from jaxscale.laws import ExpressionLoss

    if isinstance(law.loss, ExpressionLoss):
        for name in missing:
            law.loss.check_input_name(name, NOT_DECLARED.format(name=name, table=table))


def read(
    table: str | None,
    reading: Reading,
    *,
    inputs: tuple[str, ...] = ("params", "tokens"),
    beside: tuple[str, ...] = (),
    positive_loss: bool = True,
) -> Runs:
    """Return the runs of a table; the options are those of `read_runs`.

    Raises UsageError for an invalid option, RunsError for a table that is refused, MissingDependencyError.
    """
    from jaxscale import datasets
    from jaxscale.runs import read_runs

    name = data_set_of(table)
    if name is None:
        assert table is not None  # without one it is a data set
        _check_spelling(table)
        return read_runs(table, inputs=inputs, beside=beside, positive_loss=positive_loss, **reading.of_table())
    for option in OF_FILES:
        if choosing.was_typed(option):
            raise UsageError(NOT_A_FILE.format(option=option, name=name))
    return datasets.load(
        name,
        map=reading.map,
        where=reading.where,
        missing=reading.missing,
        group=reading.group,
        inputs=inputs,
        beside=beside,
        positive_loss=positive_loss,
        units_ok=reading.units_ok,
        final=reading.final,
        annealed=reading.annealed,
        lowest_per=reading.lowest_per,
    )


def _check_spelling(table: str) -> None:
    """Raise RunsError for a misspelt data set: a bare word near to the name of one, and no file."""
    is_bare = table.isprintable() and not set(table) & set("/\\.:") and not os.path.lexists(table)
    near = nearest(table, DATASETS) if is_bare and not near_path(table) else ""
    if near:
        raise RunsError(MISSPELT.format(table=table, near=near))

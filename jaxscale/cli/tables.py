"""What a TABLE on the command line is: a file, standard input, or a data set by its name."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from jaxscale.cli import options
from jaxscale.cli.options import Reading
from jaxscale.errors import UsageError

if TYPE_CHECKING:
    from jaxscale.runs import Runs

SHIPPED = "pilot"
"""The data set that is fitted where no table is named."""
NAMED = ("map", "where", "group")
"""What may be said of a data set; the other options are about how a file is written."""
PLAIN = Reading({}, (), ",", ".", None, "utf-8", False, "refuse", None, 0)

NOT_A_FILE = "--{option} says how a file is written, and the data set '{name}' is no file of yours: leave it out"


def name_of(table: str | None) -> str | None:
    """Return the name of the data set that is meant; None for a file, which goes first, and for standard input."""
    from jaxscale import datasets

    if table is None:
        return SHIPPED
    return table if table in datasets.names() and not Path(table).exists() else None


def budgets_of(table: str | None) -> tuple[float, ...]:
    """Return the budgets of a frontier that nobody asked for, in FLOP."""
    return options.SHIPPED_FLOPS if name_of(table) == SHIPPED else options.FLOPS


def read(
    table: str | None,
    reading: Reading,
    *,
    inputs: tuple[str, ...] = ("params", "tokens"),
    beside: tuple[str, ...] = (),
    positive_loss: bool = True,
) -> Runs:
    """Return the runs of a table; the options are those of `read_runs`.

    Raises UsageError for an option that cannot be meant, RunsError for a table that is refused, MissingPartError.
    """
    from jaxscale import datasets
    from jaxscale.runs import read_runs

    name = name_of(table)
    if name is None:
        assert table is not None  # without one it has a name
        return read_runs(table, inputs=inputs, beside=beside, positive_loss=positive_loss, **reading.of_table())
    for field in fields(Reading):
        is_said = getattr(reading, field.name) != getattr(PLAIN, field.name)
        if is_said and field.name not in (*NAMED, "warmup"):
            raise UsageError(NOT_A_FILE.format(option=field.name, name=name))
    return datasets.load(
        name,
        map=reading.map,
        where=reading.where,
        group=reading.group,
        inputs=inputs,
        beside=beside,
        positive_loss=positive_loss,
    )

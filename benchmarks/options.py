"""What several commands take: a table, the rows of it, how often to run, and where to write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import jaxscale as js

SHIPPED = "pilot"
"""The table that is measured where none is named."""
POSITIVE = click.IntRange(1)

repeats = click.option("--repeats", default=3, show_default=True, type=POSITIVE, help="Warm runs of each.")
seed = click.option("--seed", default=0, show_default=True, help="Seed of the draws.")
out = click.option("--out", type=click.Path(dir_okay=False), help="JSON file.  [default: results/COMMAND-BACKEND.json]")


def table(command: Callable[..., None]) -> Callable[..., None]:
    """Add TABLE, a CSV file or nothing for the table that ships with jaxscale, and --where."""
    path = click.Path(exists=True, dir_okay=False, resolve_path=True)
    chosen = click.option("--where", multiple=True, metavar="CONDITION", help="Rows of TABLE to use; repeatable.")(
        command
    )
    return click.argument("table", required=False, type=path)(chosen)


def integers(context: click.Context, parameter: click.Parameter, given: str) -> tuple[int, ...]:
    """Return the positive integers of a list such as 100,1e6; refuse anything else."""
    try:
        numbers = tuple(int(float(word)) for word in given.split(",") if word)
    except ValueError as fault:
        raise click.BadParameter(f"{given!r} is not a list of numbers such as 100,1e6") from fault
    if any(number < 1 for number in numbers):
        raise click.BadParameter("every number must be at least 1")
    return numbers


def name_of(table: str | None) -> str:
    """Return what a table is called in a record."""
    return Path(table).name if table else SHIPPED


def runs_of(table: str | None, where: tuple[str, ...]) -> js.Runs:
    """Return the runs of a table; end the process as `jaxscale` does where it is refused."""
    import jaxscale as js
    from jaxscale.errors import JaxscaleError

    try:
        return js.read_runs(table, where=where) if table else js.datasets.load(SHIPPED, where=where)
    except JaxscaleError as refusal:
        click.echo(str(refusal), err=True)
        raise click.exceptions.Exit(refusal.exit_code) from refusal

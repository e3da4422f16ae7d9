"""`jaxscale plot`: the figures of a saved result, as files."""

from __future__ import annotations

from pathlib import Path

import click

from jaxscale.cli import cache, names, printing
from jaxscale.cli.drawing import draw_all, draw_named
from jaxscale.cli.options import band_options
from jaxscale.cli.session import Session, talking


@click.command()
@click.argument("saved", metavar="SAVED", type=click.Path(path_type=Path))
@click.option(
    "--figure",
    "chosen",
    metavar="NAME",
    multiple=True,
    help=f"Figure to draw: {names.listed(names.FIGURES)}; repeatable. [default: all that the result allows]",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder for the files. [default: SAVED]")
@click.option(
    "--format", type=click.Choice(["png", "pdf", "svg"]), default="png", show_default=True, help="Kind of file."
)
@band_options[0]
@band_options[1]
@talking
def plot(
    session: Session,
    saved: Path,
    chosen: tuple[str, ...],
    out: Path | None,
    format: str,
    level: float,
    interval: str,
) -> None:
    """Draw the figures of a SAVED result and print the paths of the files.

    SAVED is a folder that `jaxscale fit` has written; nothing is fitted again.
    """
    cache.prepare(session)
    from jaxscale.fitting import group_of
    from jaxscale.intervals import INTERVALS
    from jaxscale.reports import Answer
    from jaxscale.store import load

    INTERVALS.resolve(interval)
    found = load(saved)
    parts = {
        group: Answer(
            group_of(found.fit, group),
            None if found.ensemble is None else group_of(found.ensemble, group),
            frontier,
            level,
            interval,
        )
        for group, frontier in found.by_group.items()
    }
    answer = Answer(found.fit, found.ensemble, found.frontier, level, interval, by_group=parts)
    folder = out or saved
    named = tuple(dict.fromkeys(chosen))
    paths = draw_named(named, answer, folder, format) if named else draw_all(answer, folder, session, format)
    for path in paths:
        printing.write(str(path))

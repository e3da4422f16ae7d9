"""`jaxscale plot`: the figures of a saved result, as files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from jaxscale import names
from jaxscale.cli import cache, outputs, printing
from jaxscale.cli.helping import command
from jaxscale.cli.known import Name, OneOf
from jaxscale.cli.options import saved_band_options, width_option
from jaxscale.cli.session import Session, talking


@command()
@click.argument("saved", metavar="SAVED", type=click.Path(path_type=Path))
@click.option(
    "--figure",
    "chosen",
    metavar="NAME",
    type=Name(names.FIGURES),
    multiple=True,
    help=f"Figure to draw: {names.comma_list(names.FIGURES)}; repeatable. [default: all that the result allows]",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder for the files. [default: SAVED]")
@click.option("--format", type=OneOf(["png", "pdf", "svg"]), default="png", show_default=True, help="Kind of file.")
@width_option
@saved_band_options[0]
@saved_band_options[1]
@talking
def plot(
    session: Session,
    saved: Path,
    chosen: tuple[str, ...],
    out: Path | None,
    format: str,
    width: Literal["page", "column"],
    level: float | None,
    interval: str | None,
) -> None:
    """Draw the figures of a SAVED result and print the paths of the files.

    SAVED is a folder that `jaxscale fit` has written; nothing is fitted again.
    """
    cache.prepare(session)
    from jaxscale.figures import FIGURES, draw_each
    from jaxscale.intervals import INTERVALS
    from jaxscale.store import load

    method = None if interval is None else INTERVALS.resolve(interval)
    study, folder = load(saved).shown(level=level, interval=method), out or saved
    named = [FIGURES.resolve(name) for name in dict.fromkeys(chosen)]
    paths = (
        draw_each(named, study, folder, format, width) if named else outputs.draw(study, folder, session, format, width)
    )
    for path in paths:
        printing.write(str(path))

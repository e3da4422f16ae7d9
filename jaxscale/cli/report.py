"""`jaxscale report`: one HTML page of a saved result, which needs nothing else to be read."""

from __future__ import annotations

from pathlib import Path

import click

from jaxscale.cli import cache, printing
from jaxscale.cli.helping import command
from jaxscale.cli.options import saved_band_options
from jaxscale.cli.session import Session, progress, talking

STAGE = "writing the page"
NAME = "report.html"


@command()
@click.argument("saved", metavar="SAVED", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help=f"Where the page goes. [default: SAVED/{NAME}]"
)
@saved_band_options[0]
@saved_band_options[1]
@talking
def report(session: Session, saved: Path, out: Path | None, level: float | None, interval: str | None) -> None:
    """Write one HTML page of a SAVED result and print its path.

    SAVED is a folder that `jaxscale fit` has written; nothing is fitted again but for the diagnostics. The page has the
    answer first, then how sure it is, what it rests on, the frontier, sliders of budget and caps, methods for a paper
    and what repeats it. It stands alone, and takes the extra `report`.
    """
    cache.prepare(session)
    from jaxscale.intervals import INTERVALS
    from jaxscale.store import load
    from jaxscale.webpages import report as write_page
    from jaxscale.webpages.charts import check_packages

    check_packages()
    method = None if interval is None else INTERVALS.resolve(interval)
    with progress(session) as bar:
        study = load(saved).shown(level=level, interval=method)
        bar.stage(STAGE)
        path = write_page(study, saved / NAME if out is None else out)
    printing.write(str(path if out is None or out.is_absolute() else out))

"""`jaxscale doctor`: what this installation has, and whether its arithmetic can be relied on."""

from __future__ import annotations

import click

from jaxscale.cli import cache, printing
from jaxscale.cli.options import json_option
from jaxscale.cli.session import Session, talking


@click.command()
@json_option
@talking
def doctor(session: Session, is_json: bool) -> None:
    """Show versions, devices, precision, the compile cache and optional parts.

    Exit code 1 says that float64 arithmetic does not work on the default device.
    """
    cache.prepare(session)
    from jaxscale.cli.checkup import checkup
    from jaxscale.reports import json_text
    from jaxscale.reports.facts import fact_table
    from jaxscale.reports.safe import plain

    found = checkup()
    if is_json:
        printing.write(json_text(found.document()))
    else:
        rows = [(label, plain(text, "" if is_good else "bold red")) for label, text, is_good in found.lines()]
        printing.print_page(lambda console, width: console.print(fact_table(rows), width=width))
    if not found.has_float64:
        raise click.exceptions.Exit(1)

"""`jaxscale merge`: shares of a large study joined."""

from __future__ import annotations

from pathlib import Path

import click

from jaxscale.cli import printing
from jaxscale.cli.helping import command
from jaxscale.cli.options import json_option
from jaxscale.cli.session import Session, talking


@command()
@click.argument("target", metavar="TARGET", type=click.Path(path_type=Path))
@click.argument("folders", metavar="[FOLDER]...", type=click.Path(path_type=Path), nargs=-1)
@json_option
@talking
def merge(session: Session, target: Path, folders: tuple[Path, ...], is_json: bool) -> None:
    """Join the parts of one large study that several processes or machines have made.

    TARGET is the study's folder, or a new one. A FOLDER is a copy of it in which shares were made, or a share alone;
    shares within TARGET are taken, too. Parts of another study are refused by what differs; what is missing is said.
    """
    from jaxscale.parts import merge as join
    from jaxscale.reports import inventory_document, json_text, print_inventory

    found = join(target, folders)
    for line in found.damaged:
        session.say(line)
    if is_json:
        printing.write(json_text(inventory_document(found)))
    else:
        printing.print_page(lambda console, width: print_inventory(found, None, console))

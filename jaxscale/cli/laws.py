"""`jaxscale laws`: the laws that ship, and one of them in full."""

from __future__ import annotations

import click

from jaxscale.cli import printing
from jaxscale.cli.options import json_option
from jaxscale.cli.session import Session, talking


@click.command()
@click.argument("name", required=False)
@json_option
@talking
def laws(session: Session, name: str | None, is_json: bool) -> None:
    """List the laws, or show the law NAME.

    Shows equations, inputs, coefs with units, supports and meaning, published constants, and sources.
    """
    from jaxscale.laws import LAWS
    from jaxscale.reports import json_text, law_document, print_law, print_laws

    chosen = None if name is None else LAWS.resolve(name)
    if is_json and chosen is None:
        printing.write(json_text({"schema_version": 1, "laws": [law_document(law) for law in LAWS]}))
    elif is_json and chosen is not None:
        printing.write(json_text({"schema_version": 1, **law_document(chosen)}))
    elif chosen is None:
        printing.print_page(lambda console, width: print_laws(LAWS, console, width=width))
    else:
        law = chosen
        printing.print_page(lambda console, width: print_law(law, console, width=width))

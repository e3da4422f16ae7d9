"""`jaxscale laws`: the laws that ship, and one of them in full."""

from __future__ import annotations

import click

from jaxscale.cli import printing
from jaxscale.cli.helping import command
from jaxscale.cli.known import Name, laws_known
from jaxscale.cli.options import json_option
from jaxscale.cli.session import Session, talking
from jaxscale.errors import UsageError
from jaxscale.names import SCHEMA_VERSION

WHOLE_PAGE = "--markdown writes one page of all laws: give neither a NAME nor --json nor --search with it"
ALL_WARNINGS = "--warnings writes one page of all warnings: give nothing else with it"
SEARCH_OR_NAME = "--search looks through all laws: leave the NAME out"
NO_WORDS = "--search needs a word to look for; jaxscale laws lists all laws"
ONLY_MENTIONED = "no law is called '{name}'; {laws} mention it: jaxscale laws --search {name}"
MOST_MENTIONED = 8
"""Largest number of laws that mention a word and are still listed as suggestions."""
NONE_FOUND = "no law says all of '{words}'; jaxscale laws lists them all"


@command()
@click.argument("name", required=False, type=Name(laws_known))
@click.option(
    "--search",
    metavar="WORDS",
    help=(
        "List only laws that are called so, or in whose description every one of these words stands, as in 'moe' or "
        "'experts sparsity'. [default: all]"
    ),
)
@click.option("--markdown", "is_markdown", is_flag=True, help="Write all of it as one page of Markdown to stdout.")
@click.option("--warnings", "is_warnings", is_flag=True, help="Write the page of all warnings to stdout instead.")
@json_option
@talking
def laws(
    session: Session,
    name: str | None,
    search: str | None,
    is_markdown: bool,
    is_warnings: bool,
    is_json: bool,
) -> None:
    """List the laws, or show the law NAME.

    Shows equations, inputs and coefs with units, ranges and meaning, published constants, how the frontier is found,
    and sources.
    """
    if is_warnings:
        if is_markdown or is_json or name is not None or search is not None:
            raise UsageError(ALL_WARNINGS)
        from jaxscale.codes import warnings_markdown

        printing.write(warnings_markdown().rstrip("\n"))
        return
    if is_markdown and (name is not None or is_json or search is not None):
        raise UsageError(WHOLE_PAGE)
    if name is not None and search is not None:
        raise UsageError(SEARCH_OR_NAME)
    if search is not None and not search.split():
        raise UsageError(NO_WORDS)
    from jaxscale.laws import LAWS
    from jaxscale.registry import nearest
    from jaxscale.reports import laws_markdown, matching, print_law, print_laws
    from jaxscale.text import listed as listed_names

    if is_markdown:
        printing.write(laws_markdown().rstrip("\n"))
        return

    found = None if search is None else matching(LAWS, search)
    if found == []:
        raise UsageError(NONE_FOUND.format(words=search))
    is_unknown = (
        name is not None and name.strip() and name not in (*LAWS.names, *LAWS.aliases) and not nearest(name, LAWS.names)
    )
    mentioned = matching(LAWS, name or "") if is_unknown else []
    if 0 < len(mentioned) <= MOST_MENTIONED:
        raise UsageError(ONLY_MENTIONED.format(name=name, laws=listed_names([law.name for law in mentioned])))
    chosen = None if name is None else LAWS.resolve(name)
    if is_json:
        from jaxscale.reports import json_text, law_document  # which import what a report of a fit needs

        several = LAWS if found is None else found
        told = {"laws": [law_document(law) for law in several]} if chosen is None else law_document(chosen)
        printing.write(json_text({"schema_version": SCHEMA_VERSION, **told}))
    elif chosen is None:
        printing.print_page(lambda console, width: print_laws(found, console, width=width))
    else:
        law = chosen
        printing.print_page(lambda console, width: print_law(law, console, width=width))

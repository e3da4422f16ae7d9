"""`jaxscale laws`: the laws that ship, and one of them in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from jaxscale.cli import printing
from jaxscale.cli.helping import command
from jaxscale.cli.known import Name, laws_known
from jaxscale.cli.options import json_option
from jaxscale.cli.session import Session, talking
from jaxscale.errors import UsageError
from jaxscale.names import SCHEMA_VERSION

if TYPE_CHECKING:
    from jaxscale.reports.lawindex import LawIndex
    from jaxscale.reports.lawpages import Family, LawDocument

ALONE = "{option} writes {what}: give nothing else with it"
FILES = {
    "--markdown": "one page of all laws",
    "--warnings": "one page of all warnings",
    "--index": "one file of all laws",
}
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
@click.option(
    "--index", "is_index", is_flag=True, help="Write the file that this command reads the laws from to stdout."
)
@json_option
@talking
def laws(
    session: Session,
    name: str | None,
    search: str | None,
    is_markdown: bool,
    is_warnings: bool,
    is_index: bool,
    is_json: bool,
) -> None:
    """List the laws, or show the law NAME.

    Shows equations, inputs and coefs with units, ranges and meaning, published constants, how the frontier is found,
    and sources.
    """
    asked = {"--markdown": is_markdown, "--warnings": is_warnings, "--index": is_index}
    written = [option for option, is_given in asked.items() if is_given]
    if written:
        if len(written) > 1 or is_json or name is not None or search is not None:
            raise UsageError(ALONE.format(option=written[0], what=FILES[written[0]]))
        printing.write(_file_text(written[0]).rstrip("\n"))
        return
    if name is not None and search is not None:
        raise UsageError(SEARCH_OR_NAME)
    if search is not None and not search.split():
        raise UsageError(NO_WORDS)
    from jaxscale.reports import json_text, matching, print_law, print_laws, shipped

    index = shipped()
    if name is not None:
        law = _named(index, name)
        if is_json:
            printing.write(json_text({"schema_version": SCHEMA_VERSION, **law}))
        else:
            printing.print_page(lambda console, width: print_law(law, console, width=width))
        return
    found = list(index) if search is None else matching(index, search)
    if not found:
        raise UsageError(NONE_FOUND.format(words=search))
    families: Sequence[Family] = [{"file": "", "sentence": "", "laws": found}] if search else index.families
    if is_json:
        printing.write(json_text({"schema_version": SCHEMA_VERSION, "laws": found}))
    else:
        printing.print_page(lambda console, width: print_laws(families, console, width=width))


def _named(index: LawIndex, name: str) -> LawDocument:
    """Return the law of a name; raise UsageError, with laws that mention it where no name is near, for any other."""
    from jaxscale.registry import nearest
    from jaxscale.reports import matching
    from jaxscale.text import listed

    is_unknown = name.strip() and name not in (*index.names, *index.aliases) and not nearest(name, index.names)
    mentioned = [law["name"] for law in matching(index, name)] if is_unknown else []
    if 0 < len(mentioned) <= MOST_MENTIONED:
        raise UsageError(ONLY_MENTIONED.format(name=name, laws=listed(mentioned)))
    return index.find(name)


def _file_text(option: str) -> str:
    """Return the text of a file of the project, made from the laws or the codes."""
    if option == "--warnings":
        from jaxscale.codes import warnings_markdown

        return warnings_markdown()
    from jaxscale.reports import index_text, laws_markdown, made_index

    return index_text() if option == "--index" else laws_markdown(made_index().families)

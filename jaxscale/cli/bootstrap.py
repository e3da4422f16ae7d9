"""`jaxscale bootstrap`: the parts of a large study that are missing, or one share of them."""

from __future__ import annotations

from pathlib import Path

import click

from jaxscale import names
from jaxscale.cli import cache, printing
from jaxscale.cli.helping import command
from jaxscale.cli.known import OneOf
from jaxscale.cli.large import Work, kept_words, work_options
from jaxscale.cli.options import json_option
from jaxscale.cli.parameters import PartOf, Whole
from jaxscale.cli.session import Session, progress, talking


@command()
@click.argument("study", metavar="STUDY", type=click.Path(path_type=Path))
@click.option(
    "--part",
    "share",
    type=PartOf(),
    help=(
        "Make one of N equal shares of the parts, as 3/16, in a folder of its own within STUDY; N processes or "
        "machines may work at once, and `jaxscale merge` joins the shares. [default: all parts, in STUDY]"
    ),
)
@click.option("--replicates", type=Whole(1), help="How many to have in all. [default: as many as were asked for]")
@work_options
@click.option(
    "--device",
    type=OneOf(names.DEVICES),
    default="auto",
    show_default=True,
    help="Where to compute; auto is JAX's own choice.",
)
@json_option
@talking
def bootstrap(
    session: Session,
    study: Path,
    share: tuple[int, int] | None,
    replicates: int | None,
    work: Work,
    device: str,
    is_json: bool,
) -> None:
    """Make the parts of a large STUDY that are missing, and say what is there.

    STUDY is a folder that `jaxscale fit` has begun with more than 65,536 replicates, as by --max-seconds 0. A
    part that is there is not made again, unless its file is damaged.
    """
    cache.prepare(session)
    from jaxscale.parts import go_on, inventory
    from jaxscale.parts.limits import share_folder
    from jaxscale.reports import inventory_document, json_text, print_inventory

    target = share_folder(study, share)
    session.keep = lambda: kept_words(target)
    with progress(session) as bar:
        made = go_on(
            study,
            share=share,
            replicates=replicates,
            device=device,
            executor=work.executor,
            max_seconds=work.max_seconds,
            on_stage=bar.stage,
            on_done=bar.advance,
        )
    found = inventory(target)
    if is_json:
        printing.write(json_text(inventory_document(found, made)))
    else:
        printing.print_page(lambda console, width: print_inventory(found, made, console))

"""`jaxscale compare TABLE --by COLUMN`: recipes in place of laws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import click

from jaxscale.cli import printing, tables
from jaxscale.cli.options import Reading
from jaxscale.cli.outcomes import NOT_TRUSTWORTHY
from jaxscale.cli.reach import check_reach
from jaxscale.cli.session import Session, progress
from jaxscale.errors import UsageError

TWO_GROUPS = "--by and --group both say which column the recipes are in; leave --group out"
WITHOUT_BY = "{option} belongs to recipes: give --by COLUMN too"
WITH_BY = "{option} belongs to laws that are compared, not to recipes: leave it or --by out"
BAD_FLOOR = "--floor {floor}: free, shared, or the number at which E is held"


@dataclass(frozen=True)
class Recipes:
    """What is asked of recipes; None where an option was not given."""

    by: str | None
    law: str | None
    floor: str | None
    base: str | None
    flops: tuple[float, ...] | None
    plot: Path | None
    width: Literal["page", "column"]

    def check_unused(self) -> None:
        """Raise UsageError for an option of recipes without `--by`."""
        for name in ("law", "floor", "base", "flops"):
            if getattr(self, name) is not None:
                raise UsageError(WITHOUT_BY.format(option=f"--{name}"))


def compare_by(
    session: Session,
    table: str,
    asked: Recipes,
    reading: Reading,
    *,
    objective: str,
    replicates: int,
    seed: int,
    level: float,
    at: Mapping[str, float],
    device: str,
    is_json: bool,
) -> None:
    """Read the table, compare its recipes, and print or draw what is found."""
    from jaxscale import names
    from jaxscale.comparing import compare_recipes
    from jaxscale.laws import LAWS
    from jaxscale.reports import json_text, print_recipes, recipes_document

    if reading.group is not None and reading.group != asked.by:
        raise UsageError(TWO_GROUPS)
    floor = _floor(asked.floor)
    law = LAWS.resolve(asked.law or "chinchilla")
    roles = tuple(name for name in law.inputs if name in names.ROLES)
    further = tuple(name for name in law.inputs if name not in names.ROLES)
    runs = tables.read(table, replace(reading, group=asked.by), inputs=roles, beside=further)
    check_reach(law, runs, asked.flops or ())
    with progress(session) as bar:
        found = compare_recipes(
            runs,
            law,
            floor=floor,
            base=asked.base,
            budgets=asked.flops,
            objective=objective,
            replicates=replicates,
            seed=seed,
            level=level,
            at=at,
            device=device,
            on_stage=bar.stage,
            on_done=bar.advance,
        )
    if asked.plot is not None:
        from jaxscale.figures import draw_recipes, save_figure

        save_figure(draw_recipes(found, width=asked.width), asked.plot)
    if is_json:
        printing.write(json_text(recipes_document(found)))
    else:
        printing.print_page(lambda console, width: print_recipes(found, console, width=width))
    if not found.is_trustworthy:
        raise click.exceptions.Exit(NOT_TRUSTWORTHY)


def _floor(given: str | None) -> str | float:
    """Return what `--floor` says, a number where it is one."""
    if given is None or given in ("free", "shared"):
        return given or "free"
    try:
        return float(given)
    except ValueError:
        raise UsageError(BAD_FLOOR.format(floor=given)) from None

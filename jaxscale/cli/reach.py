"""How far beyond the runs a command answers unasked: from a thousand times their compute on, --yes-extrapolate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from jaxscale.cli import choosing
from jaxscale.errors import UsageError

if TYPE_CHECKING:
    from jaxscale.laws import Law
    from jaxscale.runs import Runs

TOO_FAR = (
    "{budget} FLOP is {times} times the largest measured compute, {measured} FLOP: over so far a distance no band says "
    "how wrong the law may be. Ask nearer to the runs, or add --yes-extrapolate"
)

far_option = click.option(
    "--yes-extrapolate",
    is_flag=True,
    expose_value=False,
    help="Answer for 1,000 times the largest measured compute and beyond, too. [default: refuse]",
)
"""The option; whether it was typed is all that `check_reach` asks."""


def check_reach(law: Law, runs: Runs, flops: Iterable[float]) -> None:
    """Raise UsageError for compute a thousand times beyond that of the runs, unless that was agreed to."""
    from jaxscale.allocation.budgets import far_beyond
    from jaxscale.digits import scientific, significant
    from jaxscale.finding import forbids_plan
    from jaxscale.laws.grouped import core_of

    found = far_beyond(law, runs, flops)
    if found is None or choosing.was_typed("yes_extrapolate") or forbids_plan(runs.check(core_of(law).inputs)):
        return  # numbers that are not what they are taken for are far from anything, and are told as that
    times = found[0] / found[1]
    told = f"{times:,.0f}" if times < 1e6 else significant(times, 2)
    raise UsageError(TOO_FAR.format(budget=scientific(found[0]), times=told, measured=scientific(found[1])))

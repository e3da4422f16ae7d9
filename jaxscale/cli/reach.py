"""How far beyond the runs a command answers unasked: from a thousand times their compute on, --yes-extrapolate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import click

from jaxscale.cli import choosing
from jaxscale.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from jaxscale.laws import Law
    from jaxscale.runs import Runs

TOO_FAR = (
    "{budget} FLOP is {times} times the largest measured compute{of}, {measured} FLOP: over so far a distance no band "
    "says how wrong the law may be. Ask nearer to the runs, or add --yes-extrapolate"
)

far_option = click.option(
    "--yes-extrapolate",
    is_flag=True,
    expose_value=False,
    help="Answer for 1,000 times the largest measured compute and beyond, too. [default: refuse]",
)
"""The option; whether it was typed is all that `check_reach` asks."""


def check_reach(law: Law, runs: Runs, flops: Iterable[float], *, of: str = "") -> None:
    """Raise UsageError for compute a thousand times beyond that of the runs, unless that was agreed to.

    of: which table it is, where a command has several.
    """
    from jaxscale.allocation.budgets import far_beyond
    from jaxscale.digits import scientific, significant
    from jaxscale.finding import forbids_plan
    from jaxscale.laws.grouped import core_of

    found = far_beyond(law, runs, flops)
    if found is None or choosing.was_typed("yes_extrapolate") or forbids_plan(runs.check(core_of(law).inputs)):
        return  # numbers that are not what they are taken for are far from anything, and are told as that
    times = found[0] / found[1]
    told = f"{times:,.0f}" if times < 1e6 else significant(times, 2)
    sizes = {"budget": scientific(found[0]), "measured": scientific(found[1])}
    raise UsageError(TOO_FAR.format(times=told, of=of and f" of {of}", **sizes))


def check_sizes(law: Law, runs: Runs, columns: Mapping[str, ArrayLike]) -> None:
    """Raise UsageError, as `check_reach` does, for the compute of sizes that are asked about.   columns: by name."""
    import numpy as np

    from jaxscale.allocation.inputs import all_sizes

    flops = all_sizes(law, columns).get("flops")
    check_reach(law, runs, () if flops is None else np.ravel(flops).tolist())

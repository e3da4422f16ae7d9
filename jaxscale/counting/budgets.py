"""A budget as people say it, in FLOP: 1e21, 100 PF-days, 3 ZFLOP, 1e5 H100-hours@0.4."""

from __future__ import annotations

import math
import re

from jaxscale.costs.machines import flops_of_hours, machine_of
from jaxscale.errors import UsageError
from jaxscale.runs.numbers import spelled

NOT_A_BUDGET = "'{text}' is no budget: write FLOP, as 1e21 or 3 ZFLOP, 100 PF-days, or 1e5 H100-hours@0.4"
NO_SHARE = (
    "'{text}' needs the share of its peak, {peak:.4g} FLOP a second ({source}), that runs reach: {text}@0.4 for 40 %"
)
NOT_POSITIVE = "'{text}' is not a positive, finite number of FLOP"

_HOURS = re.compile(
    r"\s*(?P<count>[0-9.eE+-]+)\s*(?P<machine>[A-Za-z][A-Za-z0-9]*?)[\s-]*(?P<unit>hours?|hrs?|h|days?)\s*"
    r"(?:@\s*(?P<share>[0-9.eE+-]+)\s*(?P<percent>%)?)?\s*"
)


def flops_of(text: str) -> float:
    """Return the FLOP of a budget; hours of a machine at the share of its peak rate that stands behind the @.

    Peak rates with their sources are `counting.MACHINES`.   Raises UsageError for anything else.
    """
    number = _number(text)
    said = spelled(text)
    hours = _HOURS.fullmatch(text)
    if number is not None:
        flops = number
    elif said is not None and said.noun == "flops":
        flops = float(said.decimal)
    elif hours is not None and hours["machine"].casefold() not in ("pf", "tf", "ef"):
        flops = _of_machine(text, hours)
    else:
        raise UsageError(NOT_A_BUDGET.format(text=text))
    if not (math.isfinite(flops) and flops > 0.0):
        raise UsageError(NOT_POSITIVE.format(text=text))
    return flops


def _of_machine(text: str, hours: re.Match[str]) -> float:
    count = _number(hours["count"])
    if count is None:
        raise UsageError(NOT_A_BUDGET.format(text=text))
    machine = machine_of(hours["machine"])
    share = None if hours["share"] is None else _number(hours["share"])
    if share is None:
        told = {"text": text.partition("@")[0].strip(), "peak": machine.peak, "source": machine.source}
        raise UsageError(NO_SHARE.format(**told))
    share = share / 100.0 if hours["percent"] else share
    count = count * 24.0 if hours["unit"].startswith("d") else count
    return float(flops_of_hours(count, machine.name, utilisation=share))


def _number(text: str) -> float | None:
    """Return the number that ASCII text without underscores holds, None for anything else."""
    try:
        return float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        return None

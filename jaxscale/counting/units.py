"""Units of compute and of loss: budgets as text, PF-days, nats, bits, and losses per byte."""

from __future__ import annotations

import math
import re

from jaxscale.costs.machines import flops_of_hours, machine_of
from jaxscale.costs.spec import Numbers
from jaxscale.errors import UsageError
from jaxscale.runs.numbers import DAY, spelled
from jaxscale.text import decimal_in, number_in

PF_DAY = 1e15 * DAY
"""FLOP of 1e15 FLOP a second for a day, 8.64e19.   Source: Kaplan et al. 2020, arXiv 2001.08361, §1.3."""
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
    """Return the FLOP of a budget; hours of a machine count at the share of its peak rate behind the @.

    Peak rates with their sources are `counting.MACHINES`.   Raises UsageError for anything else.
    """
    number = decimal_in(text)  # 300B are tokens, and no FLOP
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


def pf_days(flops: Numbers) -> Numbers:
    """Return FLOP in PF-days."""
    return flops / PF_DAY


def flops_of_pf_days(days: Numbers) -> Numbers:
    """Return PF-days in FLOP."""
    return PF_DAY * days


def bits(nats: Numbers) -> Numbers:
    """Return nats in bits: over ln 2."""
    return nats / math.log(2.0)


def nats(bits: Numbers) -> Numbers:
    """Return bits in nats: times ln 2."""
    return math.log(2.0) * bits


def bits_per_byte(loss: Numbers, *, tokens_per_byte: Numbers) -> Numbers:
    """Return a loss in nats per token as bits per byte; tokens_per_byte is the tokenizer's on that text."""
    return bits(loss) * tokens_per_byte


def nats_per_byte(loss: Numbers, *, tokens_per_byte: Numbers) -> Numbers:
    """Return a loss in nats per token as nats per byte of the text."""
    return loss * tokens_per_byte


def nats_per_character(loss: Numbers, *, tokens_per_character: Numbers) -> Numbers:
    """Return a loss in nats per token as nats per character of the text."""
    return loss * tokens_per_character


def loss_of_bits_per_byte(bits_per_byte: Numbers, *, tokens_per_byte: Numbers) -> Numbers:
    """Return bits per byte as a loss in nats per token."""
    return nats(bits_per_byte) / tokens_per_byte


def _of_machine(text: str, hours: re.Match[str]) -> float:
    count = number_in(hours["count"])
    if count is None:
        raise UsageError(NOT_A_BUDGET.format(text=text))
    machine = machine_of(hours["machine"])
    share = None if hours["share"] is None else number_in(hours["share"])
    if share is None:
        told = {"text": text.partition("@")[0].strip(), "peak": machine.peak, "source": machine.source}
        raise UsageError(NO_SHARE.format(**told))
    share = share / 100.0 if hours["percent"] else share
    count = count * 24.0 if hours["unit"].startswith("d") else count
    return float(flops_of_hours(count, machine.name, utilisation=share))

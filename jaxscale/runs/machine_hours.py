"""Hours of an accelerator in the column of flops: no multiple of FLOP until a machine and its utilisation are given."""

from __future__ import annotations

import re

from jaxscale.costs.machines import MACHINES, machine_of
from jaxscale.expressions.tree import quoted
from jaxscale.finding import UNITS_SUSPECT, Finding
from jaxscale.runs.aliases import words_of
from jaxscale.runs.table import Runs
from jaxscale.text import shown, typed

HOURS = (
    "column {header} (flops) holds {unit} of an accelerator, by its name, and no FLOP: they take the peak rate of the "
    "machine and the share of it that the runs reached. Nothing is planned from such numbers: read the table with "
    "{option} for example, which is {machine} at its peak of {peak} FLOP a second (dense, {precision}) and a share of "
    "{share:g}, or with --units-ok if they are FLOP"
)
EXAMPLE, SHARE = "H100", 0.4
"""The machine of the example where the name of the column says none, and the utilisation of every example."""

_DEVICES = frozenset({"gpu", "gpus", "tpu", "tpus", "accelerator", "accelerators", "chip", "chips", "device",
                      "devices"})  # fmt: skip
_SECONDS = {**dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600), **dict.fromkeys(("day", "days"), 86_400)}
_JOINED = re.compile(r"([a-z]+?(?:v?\d+[a-z]?)?)(hours?|hrs?|h|days?)")


def hours_finding(runs: Runs) -> Finding | None:
    """Return that flops are hours or days of a machine, by the name of their column; None once a factor is given."""
    header = runs.origin.columns.get("flops")
    if header is None or header in runs.origin.scale:
        return None
    found = _machine_time(header)
    if found is None:
        return None
    unit, seconds, name = found
    machine = machine_of(name or EXAMPLE)
    peak = f"{machine.peak / 1e12:g}e12"
    option = f"--map flops={typed(f'{quoted(header)} * {seconds} * {peak} * {SHARE:g}')}"
    told = {"machine": machine.name, "peak": peak, "precision": _precision(machine.source), "share": SHARE}
    return Finding(UNITS_SUSPECT, HOURS.format(header=shown(header), unit=unit, option=option, **told))


def _machine_time(header: str) -> tuple[str, int, str] | None:
    """Return the unit, its seconds and the machine, "" for none, that a header names; None for no such header."""
    names = {machine.name.casefold(): machine.name for machine in MACHINES}
    words = words_of(header)
    for word in tuple(words):
        joined = _JOINED.fullmatch(word)
        if joined is not None and joined.group(1) in (*_DEVICES, *names):
            words += joined.groups()
    seconds = next((_SECONDS[word] for word in words if word in _SECONDS), None)
    machine = next((names[word] for word in words if word in names), "")
    if seconds is None or "per" in words or not (machine or _DEVICES & set(words)):
        return None
    return ("hours" if seconds == _SECONDS["hours"] else "days"), seconds, machine


def _precision(source: str) -> str:
    """Return FP16 for a machine whose peak its source states in FP16, BF16 for others."""
    return "FP16" if "FP16" in source else "BF16"

"""Units that a header names: magnitudes, compute, bits of a loss, hours of an accelerator."""

from __future__ import annotations

import re
from itertools import pairwise
from math import isclose, log
from typing import TYPE_CHECKING

from jaxscale.costs.machines import MACHINES, machine_of
from jaxscale.expressions.tree import quoted
from jaxscale.finding import UNITS_SUSPECT, Finding
from jaxscale.runs.aliases import UNIT_WORDS, words_of
from jaxscale.text import shown, typed

if TYPE_CHECKING:
    from jaxscale.runs.table import Runs

_PREFIXES = {"mega": 1e6, "giga": 1e9, "tera": 1e12, "peta": 1e15, "exa": 1e18, "zetta": 1e21, "yotta": 1e24} | {
    "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15, "e": 1e18, "z": 1e21, "y": 1e24,
}  # fmt: skip
_FLOP = re.compile(r"(mega|giga|tera|peta|exa|zetta|yotta|[mgtpezy])f(?:lops?)?(/?s)?(days?|d)?")
_POWER = re.compile(r"1?e(\d{1,2})")

IN_BITS = (
    "column {header} (loss) holds {unit}, by its name: it is fitted as it stands, and E and every loss that is "
    "reported are then in {unit}; {option} reads it as nats{still}"
)
STILL = (
    " per {size}, and no nats per token: those take the {size}s of a token besides, which depend on tokenizer and text"
)
LN2 = "0.693147"
"""Nats in a bit."""
_UNITS = {"bpb": "byte", "bpc": "character", "bpt": "token"}
_SIZES = {"byte": "byte", "bytes": "byte", "char": "character", "chars": "character", "character": "character",
          "characters": "character", "token": "token", "tokens": "token", "tok": "token"}  # fmt: skip

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


def factor_named(role: str, header: str) -> float | None:
    """Return the factor that the header of a role names; None where it names none."""
    words = _unit_parts(header)
    if role == "flops":
        factor = flop_factor(header)
        if factor is not None:
            return factor
    return next((factor for word in words[1:] if (factor := _factor(word)) is not None), None)


def flop_factor(header: str) -> float | None:
    """Return the FLOP in a unit of compute that a header names, as EFLOP or PF-days; None where it names none."""
    words = _unit_parts(header)
    joined = [*words, *("".join(pair) for pair in pairwise(words))]
    found = [match for match in map(_FLOP.fullmatch, joined) if match is not None]
    for match in found[::-1]:
        return _PREFIXES[match.group(1)] * (86_400.0 if match.group(3) else 1.0)
    return None


def without_units(header: str) -> str:
    """Return the name in front of its unit, in plain letters: "params" for "Params (M)"."""
    words = _unit_parts(header)
    return " ".join([*words[:1], *(word for word in words[1:] if word != "in" and _factor(word) is None)])


def factor_text(factor: float) -> str:
    """Return 1e9 for 1e+09."""
    return re.sub(r"e([+-])0*", lambda match: "e" + match.group(1).strip("+"), f"{factor:g}")


def _factor(word: str) -> float | None:
    power = _POWER.fullmatch(word)
    return 10.0 ** int(power.group(1)) if power is not None else UNIT_WORDS.get(word)


def _unit_parts(header: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9/]+", header.casefold()) if word]


def bits_finding(runs: Runs) -> Finding | None:
    """Return that the losses are in bits, by the header of a column that is read as it stands; None for others."""
    header = runs.origin.columns.get("loss")
    if header is None or isclose(runs.origin.scale.get(header, 1.0), log(2.0), rel_tol=1e-2):
        return None
    size = bits_per(header)
    if size is None:
        return None
    option = f"--map loss={typed(f'{quoted(header)} * {LN2}')}"
    told = {"header": shown(header), "unit": f"bits per {size}" if size else "bits", "option": option}
    still = STILL.format(size=size) if size in ("byte", "character") else " per token" if size else ""
    return Finding("loss-in-bits", IN_BITS.format(**told, still=still))


def bits_per(header: str) -> str | None:
    """Return byte, character or token for the header of a loss in bits, "" for bits of nothing named; None for others.

    As bits_per_byte, bpb, bpc, loss (bits).
    """
    words = words_of(header)
    short = next((_UNITS[word] for word in words if word in _UNITS), None)
    before = [one for one, word in zip(["", *words], words, strict=False) if word in ("bit", "bits")]
    if short is not None or not before or before[0].isdigit():  # a loss at 4 bits is one of rounded weights
        return short
    return next((_SIZES[word] for word in words if word in _SIZES), "")


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

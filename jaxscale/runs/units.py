"""Units: columns that are not in plain counts or nats, by their numbers and headers, and the options that read them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import isclose, log
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.costs.machines import MACHINES, machine_of
from jaxscale.costs.training import FLOPS_PER_PARAM_TOKEN, FORMULAS, SOURCES
from jaxscale.expressions.tree import quoted
from jaxscale.finding import UNITS_SUSPECT, Finding
from jaxscale.runs.headers import factor_named, factor_text, words_of
from jaxscale.runs.mixed_units import mixed_units_finding
from jaxscale.runs.plausible import COUNTS, FLOP_UNITS, LIMITS, Middle, best_units
from jaxscale.text import shown, typed

if TYPE_CHECKING:
    from jaxscale.runs.table import Runs

NO_PLAN = (
    " Nothing is planned from such numbers: read the table with {options}, or with --units-ok if they are plain counts"
)
SUSPECT = "{remarks}: {culprits}." + NO_PLAN
UNEXPLAINED = (
    "{remarks}, and no usual units explain it: correct the columns, or read the table with --units-ok if they are right"
)
CULPRIT = "column {header}{role} looks as if it were {unit}, a factor of {factor}"
OR_ELSE = " (or {units})"
UNIT = "in {name}"
PER_TOKEN = (
    "column {header} (flops) has {times:.2g} FLOP per param in half of the runs, as one token costs and no whole run."
) + NO_PLAN
REMARKS = {
    "params": ("half of the params are below {limit:.3g}", "half of the params are above {limit:.3g}"),
    "tokens": (
        "half of the runs saw fewer than {limit:.3g} tokens",
        "half of the runs saw more than {limit:.3g} tokens",
    ),
    "flops": ("half of the flops are below {limit:.3g}", "half of the flops are above {limit:.3g}"),
    "ratio": (
        "half of the runs saw fewer than {limit:.3g} tokens per parameter",
        "half of the runs saw more than {limit:.3g} tokens per parameter",
    ),
    "share": ("flops are {value:.2g} times 6 params tokens", "flops are {value:.2g} times 6 params tokens"),
}
ROLES = ("params", "tokens", "flops")
FOLLOWING = {"tokens_per_param": ("tokens", "params")}
MOST_REMARKS = 2
"""Oddities, and other units, that are named."""
NEAR_CONSTANT = 0.3
"""Standard deviation, in decades, within which FLOP per param count as the same in all runs."""

IN_BITS = (
    "column {header} (loss) holds {unit}, by its name: it is fitted as it stands, and E and every loss that is "
    "reported are then in {unit}; {option} reads it as nats{still}"
)
STILL = (
    " per {size}, and no nats per token: those take the {size}s of a token besides, which depend on tokenizer and text"
)
LN2 = "0.693147"
"""Nats in a bit."""
_BITS_PER = {"bpb": "byte", "bpc": "character", "bpt": "token"}
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


def units_finding(runs: Runs, inputs: Sequence[str] = ()) -> Finding | None:
    """Return the finding that params, tokens or flops are no plain counts, by the medians of the table, or in two units
    at once; None without.

    inputs: those of a law, which the rest of the table does not concern; of no law, all are looked at.
    """
    if runs.origin.units_ok:
        return None
    concerned = _concerned(runs, inputs)
    hours = hours_finding(runs) if "flops" in concerned else None
    if hours is not None:
        return hours
    mixed = mixed_units_finding(runs, concerned)
    if mixed is not None:  # whose medians mean nothing
        return mixed
    middle = _middle(runs, concerned)
    outside = middle.outside
    if not outside:
        return None
    per_token = _per_token(runs, middle)
    if per_token is not None:
        return per_token
    remarks = " and ".join(_remark(name, getattr(middle, name)) for name in outside[:MOST_REMARKS])
    factors, others = best_units(middle, {role: hint for role in middle.measured if (hint := _hint(runs, role))})
    if not factors:
        return Finding(UNITS_SUSPECT, UNEXPLAINED.format(remarks=remarks))
    culprits = " and ".join(_culprit(runs, role, factor) for role, factor in factors.items())
    units = [f"{_unit(role, other[role])}, {factor_text(other[role])}" for other in others for role in other]
    culprits += OR_ELSE.format(units=" or ".join(units[:MOST_REMARKS])) if units and len(factors) == 1 else ""
    return Finding(UNITS_SUSPECT, SUSPECT.format(remarks=remarks, culprits=culprits, options=_options(runs, factors)))


def _concerned(runs: Runs, inputs: Sequence[str]) -> tuple[str, ...]:
    """Return the roles on which the inputs of a law rest; all three where there is no law, or where it takes two."""
    wanted = {role for name in inputs for role in FOLLOWING.get(name, (name,)) if role in ROLES}
    wanted |= {source for role in wanted if _is_derived(runs, role) for source in SOURCES[role]}
    return ROLES if not inputs or len(wanted) > 1 else tuple(role for role in ROLES if role in wanted)


def _middle(runs: Runs, roles: Sequence[str]) -> Middle:
    """Return the medians of the runs that count, in decades."""
    counted = runs.weight > 0
    with np.errstate(all="ignore"):
        logs = {role: np.log10(runs.columns[role][counted]) for role in roles if _is_column(runs, role)}
    measured = tuple(role for role in logs if not _is_derived(runs, role))
    known = {role: _median(log) for role, log in logs.items()}
    known["loss"] = float(np.median(runs.loss[counted]))
    if {"params", "tokens"} <= set(logs):
        known["ratio"] = _median(logs["tokens"] - logs["params"])
    if set(ROLES) <= set(measured):
        known["share"] = _median(logs["flops"] - np.log10(FLOPS_PER_PARAM_TOKEN) - logs["params"] - logs["tokens"])
    return Middle(measured, **known)


def _is_derived(runs: Runs, role: str) -> bool:
    """Return whether a role was made of the other two; one that a formula of the table's owner makes is measured."""
    return runs.origin.derived.get(role) == FORMULAS[role]


def _is_column(runs: Runs, role: str) -> bool:
    return role in runs.columns and runs.columns[role].ndim == 1


def _median(logs: np.ndarray) -> float | None:
    finite = logs[np.isfinite(logs)]
    return float(np.median(finite)) if finite.size else None


def _remark(name: str, value: float) -> str:
    low, high = LIMITS[name]
    is_low = value < low
    return REMARKS[name][0 if is_low else 1].format(limit=10.0 ** (low if is_low else high), value=10.0**value)


def _culprit(runs: Runs, role: str, factor: float) -> str:
    header = runs.origin.columns.get(role, role)
    beside = "" if header == role else f" ({role})"
    return CULPRIT.format(header=shown(header), role=beside, unit=_unit(role, factor), factor=factor_text(factor))


def _unit(role: str, factor: float) -> str:
    names = FLOP_UNITS if role == "flops" else COUNTS
    if factor in names:
        return UNIT.format(name=names[factor])
    return f"{factor_text(1.0 / factor)} times a count" if factor < 1.0 else f"in units of {factor_text(factor)}"


def _options(runs: Runs, factors: Mapping[str, float]) -> str:
    headers = {role: runs.origin.columns.get(role, role) for role in factors}
    return " ".join(f"--scale {typed(f'{headers[role]}={factor_text(factor)}')}" for role, factor in factors.items())


def _hint(runs: Runs, role: str) -> float | None:
    """Return the factor that the header of a role names."""
    return factor_named(role, runs.origin.columns.get(role, role))


def _per_token(runs: Runs, middle: Middle) -> Finding | None:
    """Return the finding that flops are those of one token, proportional to params alone; None without."""
    if middle.share is None or middle.flops is None or middle.params is None or "share" not in middle.outside:
        return None
    with np.errstate(all="ignore"):
        logs = np.log10(runs["flops"]) - np.log10(runs["params"])
    finite = logs[np.isfinite(logs)]
    times = 10.0 ** float(np.median(finite))
    if not (1.0 <= times <= 60.0 and np.std(finite) < NEAR_CONSTANT):
        return None
    header = runs.origin.columns.get("flops", "flops")
    tokens = runs.origin.columns.get("tokens", "tokens")
    options = f"--map flops={typed(f'`{header}` * `{tokens}`')}"
    return Finding(UNITS_SUSPECT, PER_TOKEN.format(header=shown(header), times=times, options=options))


def bits_finding(runs: Runs) -> Finding | None:
    """Return the finding that losses are in bits, by the header of an unscaled column; None for others."""
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
    short = next((_BITS_PER[word] for word in words if word in _BITS_PER), None)
    before = [one for one, word in zip(["", *words], words, strict=False) if word in ("bit", "bits")]
    if short is not None or not before or before[0].isdigit():  # a loss at 4 bits is one of rounded weights
        return short
    return next((_SIZES[word] for word in words if word in _SIZES), "")


def hours_finding(runs: Runs) -> Finding | None:
    """Return the finding that flops are machine hours or days, by their header; None once a factor is given."""
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

"""Which column is not in plain counts, and by which factor it would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from jaxscale.finding import UNITS_SUSPECT, Finding
from jaxscale.runs.deriving import FORMULAS, SOURCES
from jaxscale.runs.machine_hours import hours_finding
from jaxscale.runs.plausible import COUNTS, FLOP_UNITS, LIMITS, Middle, best_units
from jaxscale.runs.table import Runs
from jaxscale.runs.unit_words import factor_named, factor_text
from jaxscale.text import shown, typed

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


def units_finding(runs: Runs, inputs: Sequence[str] = ()) -> Finding | None:
    """Return that numbers of params, tokens or flops cannot be plain counts, where the middle of the table says so.

    inputs: those of a law, which the rest of the table does not concern; of no law, all are looked at.
    """
    if runs.origin.units_ok:
        return None
    concerned = _concerned(runs, inputs)
    hours = hours_finding(runs) if "flops" in concerned else None
    if hours is not None:
        return hours
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
        known["share"] = _median(logs["flops"] - np.log10(6.0) - logs["params"] - logs["tokens"])
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
    """Return that flops are those of one token, where they go with params alone."""
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

"""The report of a check of scaling: phase, verdict and evidence of each series; or all as JSON."""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.text import Text

from jaxscale.digits import scientific, significant
from jaxscale.reports.document import SCHEMA_VERSION, written_warning
from jaxscale.reports.facts import warning_table
from jaxscale.reports.jsontext import number
from jaxscale.reports.layout import Column, fact_table, plain, whole_table
from jaxscale.results.check import Check, Series
from jaxscale.text import Json, shown, shown_name

GO, NO_GO = "go: up to {times} times the largest {along}, {last}", "no-go"
PHASE = "{name} from {first} to {last}"
OFFSET = "b = {exponent} of A x^-b"
WITH_FLOOR = (
    "b = {above} above a floor of {floor} (at most {high}), which the power law does not replace (p = {chance})"
)
NO_FLOOR = "; a floor is not shown (p = {chance}) and is at most {high}"
BREAK = "at {x} ({low} … {high}): {before} before, {after} after (p = {chance})"
NO_BREAK = "none shown (p = {chance})"
NO_PLACE = "too few runs to test"
HEADERS = ("window", "exponent", "from", "to")


def print_check(found: Check, console: Console, *, width: int) -> None:
    """Print for each series its phase, verdict and evidence, then what the table has to say."""
    origin = found.runs.origin
    console.print(fact_table([("data", plain(f"{shown_name(origin.source)}: {len(found.runs):,} runs"))]), width=width)
    for one in found.series:
        console.print()
        _print_series(one, console, width)
    if found.findings:
        console.print()
        console.print(warning_table(found.findings), width=width)


def _print_series(one: Series, console: Console, width: int) -> None:
    facts = [("series", plain(f"{shown(one.name)}, " * bool(one.name) + f"{len(one.x)} runs along {one.along}"))]
    facts.append(("phase", plain(one.phase)))
    verdict = GO.format(times=significant(one.reach, 2), along=one.along, last=scientific(one.reach * float(one.x[-1])))
    facts.append(("verdict", plain(verdict if one.is_go else NO_GO, "green" if one.is_go else "yellow")))
    facts.append(("reason", plain(one.reason)))
    for part in one.phases:
        ends = {"first": scientific(part.first), "last": scientific(part.last)}
        facts.append(("stretch", plain(PHASE.format(name=part.name, **ends))))
    if one.offset is not None:
        facts.append(("noise", plain(f"{one.noise:.2%} of the loss")))
        offset = one.offset
        told = {"high": significant(offset.floor_high, 3), "chance": significant(offset.chance, 2)}
        text = OFFSET.format(exponent=significant(offset.exponent, 3))
        fitted = {"above": significant(offset.exponent_above, 3), "floor": significant(offset.floor, 4)}
        facts.append(
            ("floor", plain(WITH_FLOOR.format(**fitted, **told) if offset.is_found else text + NO_FLOOR.format(**told)))
        )
        facts.append(("break", plain(_break(one))))
    console.print(fact_table(facts), width=width)
    windows = one.exponents
    if windows is not None and len(windows.x):
        columns = [Column(name, is_right=True) for name in HEADERS]
        rows = [
            (scientific(float(windows.x[at])), *(significant(float(part[at]), 2) for part in _limits(one)))
            for at in range(len(windows.x))
        ]
        console.print()
        console.print(Text("Local exponents -d ln loss / d ln x, limits at 95 % for all together"), width=width)
        console.print(whole_table(columns, rows, width=width))


def _limits(one: Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    assert one.exponents is not None  # the caller has looked
    return one.exponents.exponent, one.exponents.low, one.exponents.high


def _break(one: Series) -> str:
    bend = one.breakpoint
    if bend is None:
        return NO_PLACE
    chance = significant(bend.chance, 2)
    if not bend.is_found:
        return NO_BREAK.format(chance=chance)
    places = {name: scientific(getattr(bend, name)) for name in ("x", "low", "high")}
    slopes = {name: significant(getattr(bend, name), 2) for name in ("before", "after")}
    return BREAK.format(chance=chance, **places, **slopes)


def check_document(found: Check) -> dict[str, Json]:
    """Return everything that is printed at full precision, null for what does not exist."""
    origin = found.runs.origin
    return {
        "schema_version": SCHEMA_VERSION,
        "data": {"source": origin.source, "rows": origin.rows, "used": len(found.runs)},
        "is_go": found.is_go,
        "tolerance": found.tolerance,
        "seed": found.seed,
        "series": [_written(one) for one in found.series],
        "warnings": [written_warning(one) for one in found.findings],
    }


def _written(one: Series) -> dict[str, Json]:
    phases: list[Json] = [{"name": part.name, "first": part.first, "last": part.last} for part in one.phases]
    written: dict[str, Json] = {
        "name": one.name,
        "along": one.along,
        "x": one.x.tolist(),
        "loss": one.loss.tolist(),
        "rows": one.rows.tolist(),
        "phase": one.phase,
        "phases": phases,
        "is_go": one.is_go,
        "reach": one.reach,
        "reason": one.reason,
        "noise": number(one.noise),
    }
    for name in ("exponents", "offset", "breakpoint"):
        part = getattr(one, name)
        written[name] = None if part is None else {key: _value(value) for key, value in vars(part).items()}
    return written


def _value(value: object) -> Json:
    if isinstance(value, np.ndarray):
        return [number(float(item)) for item in value]
    return value if isinstance(value, bool) else number(float(value))  # type: ignore[arg-type]

"""From a raw table to the fields of runs: roles, selected rows, invalid cells, derived sizes, findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Literal

import numpy as np

from jaxscale.costs.training import FORMULAS, SOURCES
from jaxscale.errors import RunsError, UsageError
from jaxscale.finding import Finding
from jaxscale.registry import unknown
from jaxscale.runs.candidates import Cells
from jaxscale.runs.cells import Fields, Origin, RawTable, RowCheck
from jaxscale.runs.checking import dropped_finding, findings_of_errors, reading_findings
from jaxscale.runs.headers import GROUP, RECOGNISED, SIGMA
from jaxscale.runs.invalid import INFINITE, MISSING, NOT_POSITIVE, UNREADABLE, Fault, check_no_faults
from jaxscale.runs.lookups import RawTableLookup, check_factors, scale_of
from jaxscale.runs.lowest import check_widths
from jaxscale.runs.mapping import add_derived, check_derived, recorded, undefined
from jaxscale.runs.numbers import Kind, NumberStyle, numbers
from jaxscale.runs.roles import Assigned, assigned
from jaxscale.runs.selecting import selected
from jaxscale.runs.states import unfinished
from jaxscale.text import listed, shown, shown_name

NO_ROWS = "{source}: 0 runs: the table has a header and no rows below it; add a row for each run"
NO_EFFECTIVE_DATA = (
    "{source}: every weight in column {header} is zero, so there is no effective data; give weights above zero"
)
NONE_COMPLETE = "{source}: 0 runs are left: each of the {rows} selected rows lacks a number in {headers}; check --map"
WHERE_IS_TEXT = "where takes a list of selections, not one text; write where=[{text!r}]"

NOT_A_MAPPING = "{name} = {value!r} is no mapping; write for example {name}={example}"
NOT_A_HEADER = "map: {role} = {value!r} is neither a header nor a formula; write for example map={example}"
NOT_A_TUPLE = "{name} = {value!r} is one text; write {name}=({value!r},)"
EXAMPLES = {"map": "{'params': 'Model Size'}", "scale": "{'tokens': 1e9}", "lowest_per": "{'params': 0.5}"}

UNDEFINED = (
    "{source}: {role} = {formula} is no finite number in {places}; "
    "mend the formula, or leave these rows out with --where"
)

POSITIVE = ("params", "tokens", "flops", "weight", SIGMA)


@dataclass(frozen=True)
class Request:
    """The request for a table; the fields are the options of `read_runs`."""

    map: Mapping[str, str]
    where: Sequence[str]
    inputs: tuple[str, ...]
    beside: tuple[str, ...]
    group: str | None
    missing: Literal["refuse", "drop"]
    positive_loss: bool
    style: NumberStyle
    scale: Mapping[str, float] = field(default_factory=dict)
    units_ok: bool = False
    final: bool = False
    annealed: bool = False
    has_loss: bool = True
    lowest_per: Mapping[str, float] = field(default_factory=dict)

    @property
    def targets(self) -> tuple[str, ...]:
        """The roles that are needed besides the inputs: the loss, but of runs that are not made yet."""
        return ("loss",) if self.has_loss else ()

    def __post_init__(self) -> None:
        if self.missing not in ("refuse", "drop"):
            raise UsageError(unknown("--missing", str(self.missing), ("refuse", "drop")))
        if isinstance(self.where, str):
            raise UsageError(WHERE_IS_TEXT.format(text=self.where))
        for name, value in (("map", self.map), ("scale", self.scale), ("lowest_per", self.lowest_per)):
            if not isinstance(value, Mapping):
                raise UsageError(NOT_A_MAPPING.format(name=name, value=value, example=EXAMPLES[name]))
        for role, formula in self.map.items():
            if not isinstance(formula, str):
                raise UsageError(NOT_A_HEADER.format(role=role, value=formula, example=EXAMPLES["map"]))
        for name in ("inputs", "beside"):
            if isinstance(getattr(self, name), str):
                raise UsageError(NOT_A_TUPLE.format(name=name, value=getattr(self, name)))
        check_factors(self.scale)
        check_widths(self.lowest_per)


def fields_of(raw_table: RawTable, request: Request) -> tuple[Fields, RowCheck]:
    """Return the fields of the runs of a raw table, NaN where a cell holds no number, and the check of those kept.

    The check raises RunsError for what forbids a fit, all of it at once; rows that are not kept may hold anything.
    Raises RunsError for what does not depend on them.
    """
    source = shown_name(raw_table.source)
    found = assigned(
        tuple(raw_table.columns),
        _cells(raw_table, request.style),
        given=request.map,
        inputs=request.inputs,
        beside=request.beside,
        group=request.group,
        source=source,
        targets=request.targets,
    )
    if raw_table.rows == 0:
        raise RunsError(NO_ROWS.format(source=source))
    roles = _numeric_roles(raw_table, found, request)
    lookup = RawTableLookup(raw_table, roles, request.style, found.computed)
    lookup.scale = scale_of(lookup, request.scale)
    chosen = selected(request.where, lookup.selection_table)
    needed = _needed(lookup.roles, request)
    rows, dropped = _complete(lookup, needed, chosen, request)
    _check_weights(lookup, rows)
    columns, labels, findings = _columns(lookup, needed, rows)
    left = unfinished(raw_table, rows)
    findings += [left.finding] if left is not None else []
    left_out = {"where": raw_table.rows - chosen.size, **{reason: lost.size for reason, lost in dropped.items()}}
    made = {role: header for role, header in roles.items() if header in found.computed}
    derived = tuple(role for role in FORMULAS if role in columns and role not in roles)
    is_sigma = SIGMA in roles and SIGMA not in request.inputs
    own = ("loss", "weight", *([SIGMA] if is_sigma else []))
    named = {name: column for name, column in columns.items() if name not in own}
    free = [header for header in raw_table.columns if header in named]
    loss = columns.get("loss", np.full(rows.size, np.nan))
    faulty = np.concatenate([fault.rows for fault in _faults(lookup, needed, rows, request)])
    is_sound = ~np.isin(rows, faulty)
    errors = findings_of_errors(roles, free, loss[is_sound], {name: one[is_sound] for name, one in columns.items()})

    def check(kept: np.ndarray) -> None:
        is_kept = np.isin(rows, kept - 1)
        faults = _faults(lookup, needed, rows[is_kept], request)
        check_no_faults(faults, _with_computed(raw_table, lookup), request.style)
        _check_defined(lookup, rows[is_kept])
        sizes = {name: column[is_kept] for name, column in columns.items()}
        check_derived(derived, sizes, row=rows[is_kept] + 1, source=source)

    fields = Fields(
        columns=named,
        loss=loss,
        weight=columns.get("weight", np.ones(rows.size)),
        sigma=columns[SIGMA] if is_sigma else None,
        group=lookup.texts(roles[GROUP])[rows] if GROUP in roles else None,
        labels=labels,
        row=rows + 1,
        origin=Origin(
            source=raw_table.source,
            sha256=raw_table.sha256,
            rows=raw_table.rows,
            columns={role: header for role, header in roles.items() if role not in made},
            derived=made | recorded(derived),
            where=tuple(request.where),
            left_out={reason: count for reason, count in left_out.items() if count},
            scale=lookup.scale,
            units_ok=request.units_ok,
        ),
        findings=(*raw_table.findings, *found.findings, *dropped_finding(dropped, rows, lookup), *findings, *errors),
    )
    return fields, check


def _cells(raw_table: RawTable, style: NumberStyle) -> Cells:
    """Return the numbers of the columns of a raw table; each is read at most once."""
    read, read_units = (
        cache(lambda header, style=one: numbers(raw_table.columns[header], style))
        for one in (style, replace(style, units=True))
    )
    return Cells(read, read_units)


def _numeric_roles(raw_table: RawTable, found: Assigned, request: Request) -> dict[str, str]:
    """Return the roles without those that only a name suggests: columns that are not needed and hold no number."""
    needed = (*_needed(found.headers, request), *request.map)
    lookup = RawTableLookup(raw_table, found.headers, request.style, found.computed)
    return {
        role: header
        for role, header in found.headers.items()
        if role in needed or (role != "loss" and (lookup.read(header).kind == Kind.NUMBER).any())
    }


def _needed(roles: Mapping[str, str], request: Request) -> tuple[str, ...]:
    """Return the roles whose cells must all be usable: inputs or what they are derived from, loss, weight, group."""
    wanted: list[str] = []
    for name in request.inputs:
        wanted += [name] if name in roles else SOURCES[name]
    return tuple(
        dict.fromkeys([*wanted, *request.targets, *(role for role in ("weight", SIGMA, GROUP) if role in roles)])
    )


def _complete(
    lookup: RawTableLookup, needed: tuple[str, ...], chosen: np.ndarray, request: Request
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the chosen rows without those that --missing drop leaves out, and reason → rows left out."""
    if request.missing == "refuse":
        return chosen, {}
    numeric = [lookup.read(lookup.roles[role]).kind[chosen] for role in needed if role != GROUP]
    is_missing = np.any([_is_missing(lookup, role)[chosen] for role in needed], axis=0)
    is_infinite = (np.stack(numeric) == Kind.INFINITE).any(axis=0) & ~is_missing
    rows = chosen[~is_missing & ~is_infinite]
    if not rows.size:
        headers = listed([shown(lookup.roles[role]) for role in needed])
        raise RunsError(NONE_COMPLETE.format(source=lookup.source, rows=chosen.size, headers=headers))
    return rows, {MISSING: chosen[is_missing], INFINITE: chosen[is_infinite]}


def _check_weights(lookup: RawTableLookup, rows: np.ndarray) -> None:
    """Raise RunsError where no row has a weight, which says more than that each of them has none."""
    header = lookup.roles.get("weight")
    if header is not None and not lookup.read(header).values[rows].any():
        raise RunsError(NO_EFFECTIVE_DATA.format(source=lookup.source, header=shown(header)))


def _faults(lookup: RawTableLookup, needed: tuple[str, ...], rows: np.ndarray, request: Request) -> list[Fault]:
    faults = []
    for role, header in lookup.roles.items():
        values = lookup.read(header).values[rows]
        if role in needed and role == GROUP:
            faults.append(Fault(MISSING, role, header, rows[_is_missing(lookup, role)[rows]]))
        elif role in needed:
            for one in lookup.sources(header):
                faults += _unusable(role, one, lookup.read(one).kind, rows)
        if role in POSITIVE or (role == "loss" and request.positive_loss):
            faults.append(Fault(NOT_POSITIVE, role, header, rows[values <= 0]))
    return faults


def _unusable(role: str, header: str, kind: np.ndarray, rows: np.ndarray) -> list[Fault]:
    """Return the faults of a column of numbers, by kind."""
    kinds = ((MISSING, Kind.MISSING), (INFINITE, Kind.INFINITE), (UNREADABLE, Kind.UNREADABLE))
    return [Fault(name, role, header, rows[kind[rows] == one]) for name, one in kinds]


def _with_computed(raw_table: RawTable, lookup: RawTableLookup) -> RawTable:
    """Return the raw table with the computed columns, for messages."""
    return replace(
        raw_table, columns={**raw_table.columns, **{key: lookup.read(key).values for key in lookup.computed}}
    )


def _check_defined(lookup: RawTableLookup, rows: np.ndarray) -> None:
    """Raise RunsError for rows in which a formula gives no finite number although its columns hold numbers."""
    for role, header in lookup.roles.items():
        wrong = rows[undefined(lookup.read(header))[rows]] if header in lookup.computed else rows[:0]
        if wrong.size:
            places = listed([lookup.raw_table.place(index) for index in wrong.tolist()])
            told = {"role": role, "formula": header, "places": places}
            raise RunsError(UNDEFINED.format(source=lookup.source, **told))


def _is_missing(lookup: RawTableLookup, role: str) -> np.ndarray:
    """Return (n,) bool; a group may be called "none", so of groups only a blank is missing."""
    kind = lookup.read(lookup.roles[role]).kind
    return (kind == Kind.MISSING) & (lookup.texts(lookup.roles[role]) == "") if role == GROUP else kind == Kind.MISSING


def _columns(
    lookup: RawTableLookup, needed: tuple[str, ...], rows: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], list[Finding]]:
    """Return role or header → float64, header → text, and the findings about them."""
    numeric = {role: lookup.read(header) for role, header in lookup.roles.items() if role != GROUP}
    columns = {role: read.values[rows] for role, read in numeric.items()}
    add_derived(columns)
    labels: dict[str, np.ndarray] = {}
    shadowed = []
    used = {header for role, header in lookup.roles.items() if role != GROUP}
    sources = {header for key in lookup.computed for header in lookup.sources(key)}
    for header in lookup.raw_table.columns:
        if header in used:
            continue
        if header in columns or header in RECOGNISED:
            shadowed += [] if header in sources else [header]
        elif lookup.is_label(header, rows):
            labels[header] = lookup.texts(header)[rows]
        else:
            columns[header] = lookup.read(header).values[rows]
    return columns, labels, reading_findings(lookup, needed, numeric, shadowed, rows)

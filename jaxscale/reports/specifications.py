"""The report of a specification curve: the parts of the spread and every specification; or all as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxscale.digits import ABSENT, count, scientific, significant, span
from jaxscale.reports.document import SCHEMA_VERSION, written_warning
from jaxscale.reports.facts import warning_table
from jaxscale.reports.jsontext import number
from jaxscale.reports.layout import Column, fact_table, plain, whole_table
from jaxscale.results import PARTS, Decomposition, SpecificationCurve, SpecificationFit
from jaxscale.results.specifications import ANSWERS
from jaxscale.text import Json, escaped, shown_name

MOST = 40
"""Specifications that are listed, of which the lowest and the highest stand where there are more."""
COMBINED = "{count:,} specifications, of all combinations of the choices"
APART = "{count:,} specifications: the base, and others that differ from it on one axis each"
RESAMPLED = "{replicates:,} replicates of each, seed {seed}"
NO_ANSWER = "{count} of {total:,} specifications have no answer: {why}"
MEANINGS = (
    "share: of the variance of a replicate of a specification, both drawn at random from those listed",
    "noise: the mean variance within a specification; the others, the variance between them, by Shapley's rule",
    "s: the standard deviation that the part alone would make, of ln N and in nats per token",
)
BASE = "base"
LOSS_INTERVAL, WIDE = 5, 100
"""The column that a page of fewer letters leaves out."""
GAP = 1


def print_specifications(found: SpecificationCurve, console: Console, *, width: int) -> None:
    """Print where the spread comes from, one row per part and axis, then the specifications and the base's warnings."""
    console.print(fact_table(_facts(found)), width=width)
    parts = [found.decomposition(answer) for answer in ANSWERS if found.ordered(answer)]
    if parts:
        console.print()
        console.print(_part_table(found, parts, width))
        console.print()
        for line in MEANINGS:
            console.print(plain(line, "dim"), width=width)
    console.print()
    console.print(_fit_table(found, width))
    reasons = _reasons(found)
    if reasons:
        console.print()
        console.print(fact_table(reasons), width=width)
    cautions = found.base.fit.findings if found.base.fit is not None else ()
    if cautions:
        console.print()
        console.print(warning_table(cautions), width=width)


def specifications_document(found: SpecificationCurve) -> dict[str, Json]:
    """Return everything that is printed, and every specification, at full precision; null for what does not exist."""
    origin = found.runs.origin
    cautions = found.base.fit.findings if found.base.fit is not None else ()
    return {
        "schema_version": SCHEMA_VERSION,
        "data": {"source": origin.source, "rows": origin.rows, "used": len(found.runs)},
        "flops": found.flops,
        "level": found.level,
        "replicates": found.replicates,
        "seed": found.seed,
        "product": found.is_product,
        "axes": {axis: list(found.choices(axis)) for axis in PARTS},
        "left_out": dict(found.left_out),
        "spread": {answer: _written(found.decomposition(answer)) for answer in ANSWERS if found.ordered(answer)},
        "specifications": [_specification(one) for one in found.fits],
        "warnings": [written_warning(one) for one in cautions],
    }


def specification_notes(found: SpecificationCurve) -> list[str]:
    """Return the statements below a figure of the curve."""
    made = (COMBINED if found.is_product else APART).format(count=len(found))
    notes = [
        f"at {scientific(found.flops, 3)} FLOP",
        made,
        f"{100 * found.level:g} % percentile intervals",
        RESAMPLED.format(replicates=found.replicates, seed=found.seed),
        f"vermillion: the base, {', '.join(found.base.specification.value_of(axis) for axis in PARTS)}",
    ]
    return [*notes, *_unanswered(found)]


def _facts(found: SpecificationCurve) -> Iterator[tuple[str, Text]]:
    origin = found.runs.origin
    yield "data", plain(f"{shown_name(origin.source)}: {len(found.runs):,} of {origin.rows:,} runs used")
    yield "target", plain(f"{scientific(found.flops, 4)} FLOP")
    yield "choices", plain((COMBINED if found.is_product else APART).format(count=len(found)))
    base = ", ".join(f"{axis} {escaped(found.base.specification.value_of(axis))}" for axis in PARTS)
    yield BASE, plain(base)
    yield "bootstrap", plain(RESAMPLED.format(replicates=found.replicates, seed=found.seed))
    for why in _unanswered(found):
        yield "no answer", plain(why, "yellow")
    for choice, why in found.left_out.items():
        yield "left out", plain(f"{choice}: {why}")


def _unanswered(found: SpecificationCurve) -> list[str]:
    """Return how many specifications have no answer with replicates, and their statuses; nothing where all have."""
    failed = [one for one in found.fits if not one.is_answered("loss")]
    if not failed:
        return []
    statuses = [one.status for one in failed]
    why = ", ".join(f"{statuses.count(status)} {status}" for status in dict.fromkeys(statuses))
    return [NO_ANSWER.format(count=len(failed), total=len(found), why=why)]


def _part_table(found: SpecificationCurve, parts: list[Decomposition], width: int) -> Table:
    """Return one row per part of the spread, and below each its axes where it has several that vary."""
    headers = {"params": ("ln N share", "s"), "loss": ("loss share", "s")}
    columns = [Column("spread", "bold"), Column("choices", is_right=True)]
    columns += [Column(name, is_right=True) for one in parts for name in headers[one.answer]]
    rows, varied = [], found.varied()
    for name in parts[0].parts:
        axes = [axis for axis in varied if PARTS[axis] == name]
        sizes = [len(found.choices(axis)) for axis in axes]
        told = " + ".join(map(str, sizes)) if sizes else ABSENT
        rows.append([name, told, *_shares([(one, one.parts[name]) for one in parts])])
        if len(axes) > 1:
            for axis, size in zip(axes, sizes, strict=True):
                rows.append([f"  {axis}", str(size), *_shares([(one, one.axes[axis]) for one in parts])])
    rows.append(["all", str(len(found)), *_shares([(one, one.total) for one in parts])])
    return whole_table(columns, rows, width=width, gap=GAP)


def _shares(variances: list[tuple[Decomposition, float]]) -> list[str]:
    """Return the share and the standard deviation of a part, of every answer."""
    cells = []
    for one, variance in variances:
        cells += [f"{100 * variance / one.total:.1f} %" if one.total > 0 else ABSENT, significant(variance**0.5, 2)]
    return cells


def _fit_table(found: SpecificationCurve, width: int) -> Table:
    """Return one row per specification, by N_opt; those without an answer last. A wide page has intervals of losses."""
    ordered = [*found.ordered("params")]
    others = [one for one in found.fits if one not in ordered]
    level = f"{100 * found.level:g} %"
    columns = [
        Column("specification", "bold", is_wrapped=True), Column("runs", is_right=True),
        Column("params N", is_right=True), Column(level), Column("loss", is_right=True), Column(level),
        Column("status"),
    ]  # fmt: skip
    half = len(found) if len(found) <= MOST else MOST // 2
    rows = [_row(found, one) for one in ordered[:half]]
    rows += _more(len(ordered) - 2 * half)
    rows += [_row(found, one) for one in ordered[max(half, len(ordered) - half) :]]
    rows += [_row(found, one) for one in others[:half]]
    rows += _more(len(others) - half)
    kept = [at for at in range(len(columns)) if at != LOSS_INTERVAL or width >= WIDE]
    return whole_table([columns[at] for at in kept], [[row[at] for at in kept] for row in rows], width=width, gap=GAP)


def _more(count: int) -> list[list[str]]:
    """Return the row in place of those that are not listed; none where all are."""
    return [[f"… {count:,} more in --json", *[""] * 6]] if count > 0 else []


def _row(found: SpecificationCurve, one: SpecificationFit) -> list[str]:
    return [
        _name(found, one),
        str(one.used) if one.used else ABSENT,
        count(one.params),
        span(count(one.low["params"]), count(one.high["params"])),
        significant(one.loss, 4),
        span(significant(one.low["loss"], 4), significant(one.high["loss"], 4)),
        one.status,
    ]


def _name(found: SpecificationCurve, one: SpecificationFit) -> str:
    """Return the choices in which a specification differs from the base."""
    axes = one.specification.differences(found.base.specification)
    return ", ".join(f"{axis} {escaped(one.specification.value_of(axis))}" for axis in axes) or BASE


def _reasons(found: SpecificationCurve) -> list[tuple[str, Text]]:
    """Return why specifications have no answer, each reason once with how many it is true of."""
    failed = [one for one in found.fits if one.reason]
    reasons = dict.fromkeys(one.reason for one in failed)
    told = []
    for reason in list(reasons)[:MOST]:
        those = [one for one in failed if one.reason == reason]
        more = f" and {len(those) - 1:,} more" if len(those) > 1 else ""
        told.append((those[0].status, plain(f"{_name(found, those[0])}{more}: {escaped(reason)}", "yellow")))
    return told


def _written(parts: Decomposition) -> dict[str, Json]:
    return {
        "specifications": parts.count,
        "variance": number(parts.total),
        "shares": {name: number(share) for name, share in parts.shares.items()},
        "parts": {name: number(variance) for name, variance in parts.parts.items()},
        "axes": {axis: number(variance) for axis, variance in parts.axes.items()},
    }


def _specification(one: SpecificationFit) -> dict[str, Json]:
    return {
        **{axis: getattr(one.specification, axis) for axis in PARTS},
        "status": one.status,
        "reason": one.reason,
        "used": one.used,
        "usable": one.usable,
        "coefs": None if one.fit is None else {name: number(value) for name, value in one.fit.coefs.items()},
        "objective_value": None if one.fit is None else number(one.fit.value),
        **{
            answer: {
                "value": number(getattr(one, answer)),
                "low": number(one.low[answer]),
                "high": number(one.high[answer]),
                "variance": number(one.variance[answer]),
            }
            for answer in ANSWERS
        },
    }

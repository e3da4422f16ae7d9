"""A count of how often intervals hold the truth, as a page and as a document."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxscale.digits import ABSENT, scientific, significant
from jaxscale.reports.document import SCHEMA_VERSION, written_warning
from jaxscale.reports.facts import warning_table
from jaxscale.reports.jsontext import number
from jaxscale.reports.layout import Column, fact_table, plain, whole_table
from jaxscale.results import Coverage, Held
from jaxscale.text import Json, shown_name

SIMULATED = (
    "{studies:,} with the table's runs and losses by the fit, noise by {noise}; {replicates:,} replicates, seed {seed}"
)
FAILED = "{count} of {studies} studies have no interval: {reasons}"
NO_REPLICATES = "no replicate has a value of it"
UNUSABLE = "{scheme}: {share} % of the replicates are not usable"
MEANINGS = (
    "held: share of the studies whose {level:g} % interval holds the truth, with its standard error",
    "below, above: share in which the truth lies below the interval, and above it",
    "width: median of upper over lower limit less 1, in %; of a quantity that may be negative, their difference",
)
NO_INTERVAL = "{method}, {quantity}: {count} of {studies} studies have no interval: {why}"


def print_coverage(found: Coverage, console: Console, *, width: int) -> None:
    """Print one row per method, quantity and budget, and why studies have no interval."""
    console.print(fact_table(_facts(found)), width=width)
    console.print()
    console.print(_table(found, width))
    console.print()
    for line in MEANINGS:
        console.print(plain(line.format(level=100 * found.level), "dim"), width=width)
    for line in dict.fromkeys(_without(found)):
        console.print(plain(line, "yellow"), width=width)
    if found.fit.findings:
        console.print()
        console.print(warning_table(found.fit.findings), width=width)


def coverage_document(found: Coverage) -> dict[str, Json]:
    """Return everything that is printed at full precision; null for what does not exist."""
    origin = found.fit.runs.origin
    return {
        "schema_version": SCHEMA_VERSION,
        "data": {"source": origin.source, "rows": origin.rows, "used": len(found.fit.runs)},
        "law": found.fit.law.name,
        "coefs": {name: number(coef) for name, coef in found.fit.coefs.items()},
        "noise": found.noise,
        "level": found.level,
        "studies": found.studies,
        "replicates": found.replicates,
        "seed": found.seed,
        "flops": list(found.flops),
        "coverage": [_entry(one) for one in found.held],
        "failed": dict(found.failed),
        "unusable": {scheme: number(share) for scheme, share in found.unusable.items()},
        "warnings": [written_warning(one) for one in found.fit.findings],
    }


def _entry(one: Held) -> Json:
    return {
        "scheme": one.scheme,
        "interval": one.interval,
        "quantity": one.quantity,
        "flops": number(one.flops),
        "truth": number(one.truth),
        "held": number(one.share),
        "error": number(one.error),
        "below": number(one.below),
        "above": number(one.above),
        "studies": one.studies,
        "width": number(one.width),
        "reason": one.refusal,
    }


def _facts(found: Coverage) -> Iterator[tuple[str, Text]]:
    origin, law = found.fit.runs.origin, found.fit.law
    yield "data", plain(f"{shown_name(origin.source)}: {len(found.fit.runs):,} of {origin.rows:,} runs used")
    yield "truth", plain(", ".join([law.name, *(f"{name} {coef:.4g}" for name, coef in found.fit.coefs.items())]))
    told = {"studies": found.studies, "noise": found.noise, "replicates": found.replicates, "seed": found.seed}
    yield "studies", plain(SIMULATED.format(**told))
    if found.failed:
        reasons = ", ".join(f"{count} {status}" for status, count in found.failed.items())
        line = FAILED.format(count=sum(found.failed.values()), studies=found.studies, reasons=reasons)
        yield "failed", plain(line, "yellow")
    for scheme, share in found.unusable.items():
        if share > 0:
            yield "failed", plain(UNUSABLE.format(scheme=scheme, share=significant(100 * share, 2)), "yellow")


def _table(found: Coverage, width: int) -> Table:
    headers = ("FLOP", "held %", "below %", "above %", "width")
    columns = [Column("method", "bold"), Column("of"), *(Column(name, is_right=True) for name in headers)]
    rows, last = [], ""
    for one in found.held:
        method = f"{one.scheme}, {one.interval}"
        rows.append(
            [
                "" if method == last else method,
                one.quantity,
                "" if one.flops is None else scientific(one.flops, 3),
                f"{100 * one.share:.1f} ± {100 * one.error:.1f}" if one.studies else ABSENT,
                f"{100 * one.below:.1f}" if one.studies else ABSENT,
                f"{100 * one.above:.1f}" if one.studies else ABSENT,
                significant(100 * one.width, 2) if np.isfinite(one.width) else ABSENT,
            ]
        )
        last = method
    return whole_table(columns, rows, width=width, gap=1)


def _without(found: Coverage) -> Iterator[str]:
    """Yield why studies with a fit have no interval, once for each method and reason."""
    fitted = found.studies - sum(found.failed.values())
    seen = set()
    for one in found.held:
        key = (one.scheme, one.interval, one.refusal)
        if one.studies < fitted and key not in seen:
            seen.add(key)
            why = one.refusal or NO_REPLICATES
            told = {"method": f"{one.scheme}, {one.interval}", "quantity": one.quantity, "why": why}
            yield NO_INTERVAL.format(count=fitted - one.studies, studies=fitted, **told)

"""The report of the three approaches: exponents, sizes at budgets, and how far they differ; or all as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxscale.costs.training import SIX
from jaxscale.digits import ABSENT, count, scientific, significant, span
from jaxscale.finding import Finding, forbids_plan
from jaxscale.intervals import Band, band
from jaxscale.reports.document import SCHEMA_VERSION
from jaxscale.reports.facts import rows_of
from jaxscale.reports.jsontext import number
from jaxscale.reports.layout import bare_table, plain
from jaxscale.text import Json, counted

if TYPE_CHECKING:
    from jaxscale.approaches import Agreement, Approach, Difference

LABELS = {"envelope": "1 envelope", "isoflop": "2 IsoFLOP", "parametric": "3 fit"}
MEANT = "1 is the minimum over training curves, 2 the vertices of IsoFLOP profiles, 3 the fit of L(N, D)."
OWN_PRICE = (
    "C is the table's own; 2 and 3 buy tokens at the power law nearest to it, C = {k:.3g} N^{u:.3f} D, not 6 N D."
)
PARTS = {"envelope": "curve", "isoflop": "profile"}
NO_PLAN = "no sizes"
OF_A_PLAN = ("params", "tokens", "params_band", "tokens_band", "bias")
"""Keys of an approach that are null where nothing is planned."""
FEWEST = 20
"""Replicates that an interval needs at least."""


def print_agreement(found: Agreement, console: Console, *, level: float, width: int) -> None:
    """Print the results of each approach with bands, their differences with bands, and the warnings."""
    unit = "run" if found.scheme == "cluster" else "row"
    text = (
        f"{found.rows} rows of {found.source}; {found.replicates:,} tables resampled by {unit}, seed {found.seed}, the"
    )
    console.print(plain(f"{text} same under all approaches; bands: {100 * level:g} % percentile"), width=width)
    console.print(Text(MEANT), width=width)
    if found.price != SIX:
        console.print(Text(OWN_PRICE.format(k=float(found.price.k), u=float(found.price.u))), width=width)
    console.print(plain(f"What they rest on: {', '.join(map(_seen, found.approaches))}."), width=width)
    console.print()
    console.print(_exponents(found, level))
    forbidding = forbids_plan(found.findings)
    if forbidding is None:
        console.print()
        console.print(_sizes(found, level))
    differences = found.differences(level) if len(found.approaches) > 1 and forbidding is None else ()
    if differences:
        console.print()
        console.print(_differences(found, differences))
    notes = [(LABELS[name], f"absent: {why}") for name, why in found.absent.items()]
    for one in found.approaches:
        notes += [(LABELS[one.name], f"{item.message}{rows_of(item)}") for item in one.findings]
    notes += [] if forbidding is None else [(NO_PLAN, forbidding.message)]
    if notes:
        console.print()
        console.print(_notes(notes), width=width)


def agreement_document(found: Agreement, level: float) -> dict[str, Json]:
    """Return everything that is printed, at full precision; null for numbers that do not exist."""
    is_planned = forbids_plan(found.findings) is None
    differences = found.differences(level) if len(found.approaches) > 1 and is_planned else ()
    approaches = [_approach(one, found.flops, level) for one in found.approaches]
    if not is_planned:
        approaches = [{**one, **dict.fromkeys(OF_A_PLAN)} for one in approaches]
    return {
        "schema_version": SCHEMA_VERSION,
        "source": found.source,
        "rows": found.rows,
        "flops": [float(one) for one in found.flops],
        "price": {"k": number(float(found.price.k)), "u": number(float(found.price.u))},
        "bootstrap": {"scheme": found.scheme, "replicates": found.replicates, "seed": found.seed, "level": level},
        "approaches": approaches,
        "differences": [_difference(one) for one in differences],
        "absent": dict(found.absent),
        "coefs": None if found.fit is None else {name: number(value) for name, value in found.fit.coefs.items()},
        "warnings": [_finding(one) for one in found.findings],
    }


def _exponents(found: Agreement, level: float) -> Table:
    table = bare_table("approach", "N* ~ C^a", f"{100 * level:g} %", "D* ~ C^b", f"{100 * level:g} %", "replicates")
    for one in found.approaches:
        cells = [LABELS[one.name]]
        for line, ensemble in ((one.point.params, one.ensemble.params), (one.point.tokens, one.ensemble.tokens)):
            cells += [_three(float(line.exponent)), _span(band(ensemble.exponent, level=level), _three)]
        table.add_row(*cells, f"{one.usable:,}")
    return table


def _seen(one: Approach) -> str:
    """Return on how much of the table an approach rests: "2 on 45 rows in 9 profiles"."""
    rows = f"{LABELS[one.name][0]} on {counted(one.rows, 'row')}"
    return rows if one.parts is None else f"{rows} in {counted(one.parts, PARTS[one.name])}"


def _sizes(found: Agreement, level: float) -> Table:
    table = bare_table("FLOP", "approach", "params N", f"{100 * level:g} %", "tokens D", f"{100 * level:g} %")
    for place, flops in enumerate(found.flops):
        for order, one in enumerate(found.approaches):
            cells = [scientific(float(flops)) if order == 0 else "", LABELS[one.name]]
            for line, ensemble in ((one.point.params, one.ensemble.params), (one.point.tokens, one.ensemble.tokens)):
                at = found.flops[place : place + 1]
                cells += [count(float(line.at(at)[0])), _span(band(ensemble.at(at)[:, 0], level=level), count)]
            table.add_row(*cells)
    return table


def _differences(found: Agreement, differences: tuple[Difference, ...]) -> Table:
    table = bare_table("approach", "a less a", "", "FLOP", "N over N", "")
    for one in differences:
        for place, flops in enumerate(found.flops):
            name = f"{LABELS[one.first][0]} against {LABELS[one.second][0]}"
            first = [name, f"{one.exponent:+.3f}", _span(one.exponent_band, lambda x: f"{x:+.3f}")]
            lower, upper = float(one.params_band.lower[place]), float(one.params_band.upper[place])
            ratio = ABSENT if one.params_band.n_used < FEWEST else span(_three(lower), _three(upper))
            last = [scientific(float(flops)), _three(float(one.params[place])), ratio]
            table.add_row(*(first if place == 0 else ["", "", ""]), *last)
    return table


def _notes(notes: list[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="yellow")
    table.add_column(overflow="fold")
    for label, message in notes:
        table.add_row(plain(label), plain(message))
    return table


def _three(value: float) -> str:
    return significant(value, 3)


def _span(limits: Band, write: Callable[[float], str]) -> str:
    if limits.n_used < FEWEST:
        return ABSENT
    return span(write(float(limits.lower)), write(float(limits.upper)))


def _approach(one: Approach, flops: np.ndarray, level: float) -> dict[str, Json]:
    """Return one approach: exponents, params and tokens at the budgets, their bands, its bias, its findings."""
    document: dict[str, Json] = {"name": one.name, "replicates_used": one.usable, "rows": one.rows, "parts": one.parts}
    for name in ("params", "tokens"):
        line, ensemble = getattr(one.point, name), getattr(one.ensemble, name)
        document[f"{name}_exponent"] = number(float(line.exponent))
        document[f"{name}_exponent_band"] = _band(band(ensemble.exponent, level=level))
        document[name] = [number(float(value)) for value in line.at(flops)]
        document[f"{name}_band"] = _band(band(ensemble.at(flops), level=level))
    bias = one.bias
    document["bias"] = None
    if bias is not None:
        document["bias"] = {
            "flops": [float(value) for value in bias.flops],
            "params": [number(float(value)) for value in bias.params],
            "exponent": number(bias.exponent),
        }
    document["findings"] = [_finding(item) for item in one.findings]
    return document


def _finding(item: Finding) -> dict[str, Json]:
    return {"code": item.code, "message": item.message, "rows": list(item.rows)}


def _difference(one: Difference) -> dict[str, Json]:
    return {
        "first": one.first,
        "second": one.second,
        "exponent": number(one.exponent),
        "exponent_band": _band(one.exponent_band),
        "params_ratio": [number(float(value)) for value in one.params],
        "params_ratio_band": _band(one.params_band),
        "tokens_ratio": [number(float(value)) for value in one.tokens],
        "tokens_ratio_band": _band(one.tokens_band),
    }


def _band(limits: Band) -> dict[str, Json]:
    def numbers(values: np.ndarray) -> Json:
        listed = [number(float(value)) for value in np.atleast_1d(values)]
        return listed if np.ndim(values) else listed[0]

    return {"lower": numbers(limits.lower), "upper": numbers(limits.upper), "n_used": limits.n_used}

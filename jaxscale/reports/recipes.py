"""The report of recipes side by side: loss and compute at each budget, then coefs and exponents; or all as JSON."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxscale.digits import ABSENT, scientific, signed, significant, span
from jaxscale.intervals import Band
from jaxscale.reports.document import SCHEMA_VERSION, written_limits, written_warning
from jaxscale.reports.facts import warning_table
from jaxscale.reports.jsontext import number
from jaxscale.reports.layout import Column, fact_table, plain, whole_table
from jaxscale.results import Contrast, RecipeComparison, RecipePair
from jaxscale.text import Json, shown_name

RESAMPLED = "{replicates:,} replicates, seed {seed}, {level:g} % percentile bands"
FLOORS = {"free": "E of each recipe, by a fit of its own", "shared": "one E, by a joint fit"}
HELD = "E held at {floor:g}"
LEFT_OUT = "{count} runs without a finite loss or a weight"
MEANINGS = (
    "loss: the other's least loss of the budget less that of {base}, in nats",
    "better: share of the replicates in which the other's loss is lower",
    "×compute: what the other needs for the loss that {base} reaches, over the budget; below 1 it needs less",
    "Δ: the other's less that of {base}, with limits",
    "p: two-sided, of no difference, by the replicates; Wald: by the standard errors of the fits",
)
GAP = 1


def print_recipes(found: RecipeComparison, console: Console, *, width: int) -> None:
    """Print one row per other recipe and budget, one per coef and exponent, what they mean, and the warnings."""
    console.print(fact_table(_facts(found)), width=width)
    console.print()
    console.print(_budget_table(found, width))
    console.print()
    console.print(_contrast_table(found, width))
    console.print()
    for line in MEANINGS:
        console.print(plain(line.format(base=shown_name(found.base)), "dim"), width=width)
    for name, one in found.ensembles.items():
        if one.fit.findings:
            console.print()
            console.print(plain(f"warnings of {shown_name(name)}", "dim"))
            console.print(warning_table(one.fit.findings), width=width)


def recipes_document(found: RecipeComparison) -> dict[str, Json]:
    """Return everything that is printed, at full precision; null for what does not exist or is infinite."""
    origin = found.runs.origin
    return {
        "schema_version": SCHEMA_VERSION,
        "law": _law(found),
        "data": {"source": origin.source, "rows": origin.rows, "used": len(found.runs) - found.left_out},
        "floor": found.floor,
        "base": found.base,
        "is_paired": found.is_paired,
        "pairing": found.pairing,
        "level": found.level,
        "replicates": found.replicates,
        "seed": found.seed,
        "recipes": {
            name: {
                "runs": len(one.fit.runs),
                "status": str(one.fit.status),
                "objective_value": number(one.fit.value),
                "coefs": {coef: number(value) for coef, value in one.fit.coefs.items()},
                "usable": int(one.usable.sum()),
                "warnings": [written_warning(finding) for finding in one.fit.findings],
            }
            for name, one in found.ensembles.items()
        },
        "pairs": [_pair(found, pair) for pair in found.pairs],
    }


def _pair(found: RecipeComparison, pair: RecipePair) -> dict[str, Json]:
    return {
        "base": pair.base,
        "recipe": pair.other,
        "budgets": [
            {
                "flops": flops,
                "loss_difference": {
                    "value": number(pair.difference[at]),
                    **written_limits(pair.difference_band, at),
                },
                "share_better": number(pair.share_better[at]),
                "compute_multiplier": {
                    "value": number(pair.multiplier[at]),
                    **written_limits(pair.multiplier_band, at),
                    "replicates": pair.multiplier_band.n_used,
                },
            }
            for at, flops in enumerate(found.budgets.tolist())
        ],
        "differences": {
            one.name: {
                "base": number(one.base),
                "recipe": number(one.other),
                "value": number(one.difference),
                **written_limits(one.band),
                "std": number(one.std),
                "p_bootstrap": number(one.p_bootstrap),
                "p_wald": number(one.p_wald),
            }
            for one in pair.contrasts
        },
    }


def _law(found: RecipeComparison) -> str:
    return found.ensembles[found.base].fit.law.name


def _facts(found: RecipeComparison) -> Iterator[tuple[str, Text]]:
    origin = found.runs.origin
    counts = ", ".join(f"{shown_name(name)} {len(one.fit.runs)}" for name, one in found.ensembles.items())
    yield "data", plain(f"{shown_name(origin.source)}: runs by recipe: {counts}")
    yield "law", plain(f"{_law(found)}, beside {shown_name(found.base)}")
    floor = found.floor
    if found.has_floor:
        yield "floor", plain(FLOORS[floor] if isinstance(floor, str) else HELD.format(floor=floor))
    yield "draws", plain(found.pairing)
    told = {"replicates": found.replicates, "seed": found.seed, "level": 100 * found.level}
    yield "bootstrap", plain(RESAMPLED.format(**told))
    if found.left_out:
        yield "left out", plain(LEFT_OUT.format(count=found.left_out), "yellow")
    for name, one in found.ensembles.items():
        if not one.fit.is_usable:
            yield "no minimum", plain(f"{shown_name(name)}: the fit is {one.fit.status}", "yellow")


def _budget_table(found: RecipeComparison, width: int) -> Table:
    headers = ("FLOP", "loss", "limits", "better", "×compute", "limits")
    columns = [Column("recipe", "bold"), *(Column(name, is_right=True) for name in headers)]
    rows = []
    for pair in found.pairs:
        for at, flops in enumerate(found.budgets.tolist()):
            share, factor = pair.share_better[at], pair.multiplier[at]
            rows.append(
                [
                    shown_name(pair.other),
                    scientific(flops, 3),
                    signed(float(pair.difference[at]), 2),
                    _span(pair.difference_band, at),
                    f"{100 * share:.0f} %" if np.isfinite(share) else ABSENT,
                    _number(factor),
                    _span(pair.multiplier_band, at),
                ]
            )
    return whole_table(columns, rows, width=width, gap=GAP)


def _contrast_table(found: RecipeComparison, width: int) -> Table:
    """Return one row per coef or exponent; the recipe is named where there are several beside the base."""
    has_several = len(found.pairs) > 1
    headers = (shown_name(found.base), "other", "Δ", "limits", "p", "Wald")
    first = [Column("recipe", "bold")] if has_several else []
    columns = [*first, Column("coef", "bold"), *(Column(name, is_right=True) for name in headers)]
    rows = [
        [
            *([shown_name(pair.other)] if has_several else []),
            one.name,
            *(_number(value, 2) for value in (one.base, one.other)),
            *_tested(one),
        ]
        for pair in found.pairs
        for one in pair.contrasts
    ]
    return whole_table(columns, rows, width=width, gap=GAP)


def _tested(one: Contrast) -> list[str]:
    wald = ABSENT if one.p_wald is None else significant(one.p_wald, 2)
    return [signed(one.difference, 2), _span(one.band, digits=2), significant(one.p_bootstrap, 2), wald]


def _span(band: Band, at: int | None = None, digits: int = 3) -> str:
    low, high = (float(one if at is None else one[at]) for one in (band.lower, band.upper))
    return ABSENT if np.isnan(low) or np.isnan(high) else span(_number(low, digits), _number(high, digits))


def _number(value: float, digits: int = 3) -> str:
    return ABSENT if np.isnan(value) else "∞" if np.isposinf(value) else significant(float(value), digits)

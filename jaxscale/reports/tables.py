"""The two tables of a report: coefs with their intervals, and the frontier with its bands."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from rich.table import Table
from rich.text import Text

from jaxscale.digits import ABSENT, count, scientific, significant, span, times
from jaxscale.intervals import Band
from jaxscale.reports.layout import Column, bare_table, whole_table
from jaxscale.reports.spreads import heavy_spread
from jaxscale.reports.warnings import FAR, BandOf, times_measured
from jaxscale.results import QUANTITIES, Frontier, Study

BAND, FAR_STYLE = "dim", "yellow"
INFINITE = "∞"
HEADERS = {"params": "params N", "tokens": "tokens D", "loss": "loss", "tokens_per_param": "tokens/param"}


def coef_table(study: Study, width: int) -> Table:
    """Return one row per coef, on a page of that width: value, standard error, interval, meaning."""
    fit = study.fit
    band = f"{100.0 * study.level:g} % {study.interval.name}"
    spans = _aligned([_limits(study.coef_band(name), None, bounded) for name in fit.coefs])
    rows = []
    for coef, limits in zip(fit.law.coefs, spans, strict=True):
        value, error = value_and_error(study, coef.name)
        rows.append((coef.name, value, error, *([limits] if study.has_bands else []), coef.meaning))
    columns = [Column("coef"), Column("value", "bold", is_right=True), Column("std error", is_right=True)]
    columns += [Column(band)] if study.has_bands else []
    return whole_table([*columns, Column("", BAND, is_wrapped=True)], rows, width=width)


def value_and_error(study: Study, name: str) -> tuple[str, str]:
    """Return a coef and its standard error as texts.

    In place of the error it says where a coef is fixed, at a bound, or not identified; the last has no value either.
    Where a scale has a heavy tail, so that its error is more than half of it, it is the error of its logarithm.
    """
    fit, value = study.fit, study.coef(name)
    marks = {"fixed": fit.fixed, "not identified": fit.unidentified, "at bound": fit.at_bound}
    std, log_std = study.coef_std(name) if study.has_bands else fit.std.get(name), heavy_spread(study, name)
    spread = significant(std, 3) if log_std is None else f"ln ± {significant(log_std, 3)}"
    error = next((mark for mark, names in marks.items() if name in names), spread)
    return ABSENT if value is None else INFINITE if math.isinf(value) else significant(value), error


def frontier_table(frontier: Frontier, band_of: BandOf | None = None) -> Table:
    """Return two lines per budget: the optimum, and its band beneath; the budget, and how far beyond the data it lies.

    Quantities that the law does not determine at any budget have no column.   band_of: None where nothing has a band.
    """
    measured = times_measured(frontier)
    shown = [name for name in QUANTITIES if np.isfinite(getattr(frontier.point, name)).any()] or ["loss"]
    table = bare_table("FLOP", *(HEADERS[name] for name in shown))
    bands = {name: None if band_of is None else band_of(name) for name in shown}
    for index, flops in enumerate(frontier.flops):
        values = [_style_of(name)(float(getattr(frontier.point, name)[index])) for name in shown]
        table.add_row(Text(scientific(float(flops)), style="bold"), *(Text(value, style="bold") for value in values))
        limits = [span(*_limits(bands[name], index, _style_of(name))) for name in shown]
        beyond = Text("") if measured is None else _beyond(float(measured[index]), _least(frontier))
        if band_of is not None or beyond.plain:
            table.add_row(beyond, *(Text(text if band_of is not None else "", style=BAND) for text in limits))
    return table


def _style_of(quantity: str) -> Callable[[float], str]:
    return count if quantity in ("params", "tokens") else _four if quantity == "loss" else _three


def bounded(value: float) -> str:
    """Return a coef in four figures, or ∞ for one at infinity."""
    return INFINITE if value == math.inf else _four(value)


def _four(value: float) -> str:
    return significant(value, 4)


def _three(value: float) -> str:
    return significant(value, 3)


def _limits(band: Band | None, index: int | None, write: Callable[[float], str]) -> tuple[str, str]:
    """Return both limits of a band as texts, of one budget where the band has several."""
    if band is None:
        return ABSENT, ABSENT
    lower, upper = (np.asarray(limit) if index is None else limit[index] for limit in (band.lower, band.upper))
    return write(float(lower)), write(float(upper))


def _aligned(limits: list[tuple[str, str]]) -> list[str]:
    """Return the spans with their dots below one another."""
    width = max((len(low) for low, _ in limits), default=0)
    return [span(low if high == low == ABSENT else low.rjust(width), high) for low, high in limits]


def _least(frontier: Frontier) -> float:
    """Return the smallest measured compute as a multiple of the largest."""
    return 0.0 if frontier.measured is None else frontier.measured[0] / frontier.measured[1]


def _beyond(factor: float, least: float) -> Text:
    """Return where a budget lies, times the largest measured compute."""
    if factor <= 1.0:
        return Text("measured" if factor >= least else "below data", style=BAND)
    return Text(f"{times(factor)} data", style=FAR_STYLE if factor >= FAR else BAND)

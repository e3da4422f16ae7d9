"""A forest of exponents: a of N ∝ C^a of every law, cut-off, group, convention or study of a result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from jaxscale.allocation.frontier import frontier
from jaxscale.digits import number_label, scientific
from jaxscale.errors import JaxscaleError, UsageError
from jaxscale.figures.captions import table_rows
from jaxscale.figures.pages import BLUE, GREY, PALE, VERMILLION, Page, Width, house_style, page, set_caption
from jaxscale.figures.spec import Figure, Panels
from jaxscale.figures.symbols import literal
from jaxscale.intervals import Interval
from jaxscale.results import (
    Comparison,
    Ensemble,
    Fit,
    Frontier,
    LawScore,
    SpecificationCurve,
    Studies,
    Study,
)

NONE_THERE = "figure 'exponents' needs a best size at two budgets or more; {what}"
NO_LAW = "none of the laws here splits a budget"
NO_SPLIT = "law '{law}' does not split a budget at these"
ROW = 0.17
"""Inches of a row."""
MOST = 60
"""Rows that are drawn; of more, the first."""
LABEL: dict[Width, int] = {"column": 24, "page": 44}
"""Letters of a row's name."""
OF_ALL = "all runs"
NOTE = r"$a$ of $N \propto C^a$: the mean slope between {span}"
WITHOUT = "a row without a bar has no replicates"


@dataclass(frozen=True)
class Row:
    """One exponent with its limits, NaN where there are none.   is_first: whether it is the one to compare with."""

    label: str
    value: float
    low: float = float("nan")
    high: float = float("nan")
    is_first: bool = False


@dataclass(frozen=True)
class Forest:
    """Rows, the level of their limits, the compute between whose ends the slopes are taken, and what is left out."""

    rows: tuple[Row, ...]
    level: float
    span: tuple[float, float] | None
    left_out: int
    notes: tuple[str, ...] = ()


def forest_of(result: Study | Comparison | SpecificationCurve | Studies) -> Forest:
    """Return the exponents of a result; raise UsageError where it has none.

    Of a study: of itself, its groups and its conventions. Of a comparison: of each law on all runs, and up to each
    cut-off. Of a specification curve: of each specification's fit. Of several studies: of each.
    """
    if isinstance(result, Study):
        found = _of_study(result)
    elif isinstance(result, Comparison):
        found = _of_comparison(result)
    elif isinstance(result, SpecificationCurve):
        found = _of_specifications(result)
    else:
        found = _of_studies(result)
    if not found.rows:
        what = NO_SPLIT.format(law=result.fit.law.name) if isinstance(result, Study) else NO_LAW
        raise UsageError(NONE_THERE.format(what=what))
    return found


def draw_exponents(result: Study | Comparison | SpecificationCurve | Studies, *, width: Width = "page") -> Page:
    """Return the page of the exponents of a result.   Raises UsageError where it has none."""
    found = forest_of(result)
    with house_style():
        rows = found.rows[:MOST]
        figure = page(width, ROW * max(len(rows), 2) + 0.65)
        _draw(figure.subplots(), found, most=LABEL[width])
        span = (
            "the ends of each frontier"
            if found.span is None
            else " and ".join(scientific(one, 3) for one in found.span)
        )
        notes = [NOTE.format(span=f"{span} FLOP" if found.span else span), *found.notes]
        if any(np.isfinite(one.low) for one in rows):
            notes.append(f"bars: {100.0 * found.level:g} % intervals")
        if any(not np.isfinite(one.low) for one in rows):
            notes.append(WITHOUT)
        left = found.left_out + len(found.rows) - len(rows)
        notes += [f"{left} without an exponent, or not drawn"] if left else []
        set_caption(figure, " · ".join(notes))
        return figure


def panels_of_exponents(result: Study | Comparison | SpecificationCurve | Studies) -> Panels:
    """Return the one panel of the exponents of a result; raise UsageError where it has none."""
    return {"exponents": partial(_draw, found=forest_of(result), most=LABEL["page"])}


def _draw(ax: Axes, found: Forest, *, most: int) -> None:
    """Draw rows from the top, with their intervals, and the line of equal growth of size and data."""
    rows = found.rows[:MOST]
    values = np.array([one.value for one in rows])
    ends = np.array([[one.low, one.high] for one in rows])
    known = np.concatenate([values, ends[np.isfinite(ends)], [0.5]])
    shown = known[
        np.abs(known - np.median(values)) <= max(4.0 * float(np.quantile(np.abs(values - np.median(values)), 0.9)), 0.3)
    ]
    low, high = float(shown.min()), float(shown.max())
    room = 0.06 * (high - low) or 0.05
    ax.set_xlim(low - room, high + room)
    ax.axvline(0.5, color=PALE, linewidth=1.0, zorder=1)
    for place, one in enumerate(rows):
        colour = VERMILLION if one.is_first else BLUE
        ax.hlines(place, one.low, one.high, color=colour, linewidth=1.4, alpha=0.6, zorder=2)
        edge = np.clip(one.value, low - room, high + room)
        mark = "o" if edge == one.value else ">" if edge < one.value else "<"
        ax.plot(edge, place, color=colour, marker=mark, markersize=4, linestyle="none", zorder=3, clip_on=mark == "o")
    ax.set_yticks(range(len(rows)), [literal(one.label, limit=most) for one in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    for label in ax.get_yticklabels():
        label.set_color(GREY)
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(FuncFormatter(number_label))
    ax.set_xlabel(r"exponent $a$ of the best size, $N \propto C^a$")


def _of_frontier(
    label: str, front: Frontier | None, *, level: float, method: Interval | str, is_first: bool = False
) -> Row | None:
    value = None if front is None else front.exponent("params")
    if front is None or value is None:
        return None
    try:
        band = front.exponent_interval("params", level=level, method=method)
    except JaxscaleError:  # an interval that takes standard errors, which an exponent does not have
        band = front.exponent_interval("params", level=level)
    if band is None or not band.n_used:
        return Row(label, value, is_first=is_first)
    return Row(label, value, float(band.lower), float(band.upper), is_first)


def _of_study(study: Study) -> Forest:
    def row(label: str, part: Study, *, is_first: bool = False) -> Row | None:
        return _of_frontier(label, part.frontier, level=study.level, method=part.interval, is_first=is_first)

    rows = [row("this study" if study.groups or study.comparison else OF_ALL, study, is_first=True)]
    rows += [row(name, part) for name, part in study.groups.items()]
    for one in () if study.comparison is None else study.comparison.counts:
        value = one.exponent
        rows.append(None if value is None or one.same_as else Row(f"counted {one.convention.name}", value))
    if study.reduced is not None:
        rows.append(row(f"along {study.line}", study.reduced))
    asked = len(rows) - (study.frontier is None)
    kept = tuple(one for one in rows if one is not None)
    return Forest(kept, study.level, _span(study.frontier), asked - len(kept), (table_rows(study.fit),))


def _of_comparison(found: Comparison) -> Forest:
    """Return each law's exponent on all runs, and up to each cut-off, over the compute of the whole table."""
    span = (float(np.nanmin(found.size)), float(np.nanmax(found.size))) if found.along == "flops" else None
    rows: list[Row | None] = []
    for one in found.scores if span else ():
        rows += list(_of_score(one, span, found.level))
    kept = tuple(one for one in rows if one is not None)
    notes = ("≤: the law fitted to the runs up to that FLOP",) if any("≤" in one.label for one in kept) else ()
    return Forest(kept, found.level, span, len(rows) - len(kept), notes)


def _of_score(score: LawScore, span: tuple[float, float] | None, level: float) -> Iterator[Row | None]:
    name = score.law.name
    yield _of_frontier(
        f"{name}, all runs", _try_frontier(score.ensemble, span), level=level, method="percentile", is_first=True
    )
    for test in sorted(score.backtests, key=lambda one: -one.cut):
        label = f"{name} ≤ {scientific(test.cut, 2)}"
        yield _of_frontier(label, _try_frontier(test.fit, span), level=level, method="percentile")


def _of_specifications(found: SpecificationCurve) -> Forest:
    """Return the exponent of each specification between a tenth of the target's compute and the target's."""
    span = (0.1 * found.flops, found.flops)
    rows: list[Row | None] = []
    for one in found.fits:
        front = None if one.fit is None or not one.is_answered("params") else _try_frontier(one.fit, span)
        changed = one.specification.differences(found.base.specification)
        label = ", ".join(_choice(axis, one.specification.value_of(axis)) for axis in changed) or "base"
        rows.append(_of_frontier(label, front, level=found.level, method="percentile", is_first=one is found.base))
    kept = tuple(one for one in rows if one is not None)
    return Forest(kept, found.level, span, len(rows) - len(kept))


def _choice(axis: str, value: str) -> str:
    return f"δ = {value}" if axis == "delta" else value


def _of_studies(found: Studies) -> Forest:
    several: Mapping[str, int] = {name: len(getattr(found, name)) for name in ("tables", "laws", "objectives")}
    rows: list[Row | None] = []
    level = 0.95
    for key in found:
        study = found.found.get(key)
        words = [word for word, count in zip(key, several.values(), strict=True) if count > 1] or [key.law]
        level = level if study is None else study.level
        front = None if study is None else study.frontier
        method = "percentile" if study is None else study.interval
        rows.append(_of_frontier(", ".join(words), front, level=level, method=method))
    kept = tuple(one for one in rows if one is not None)
    return Forest(kept, level, None, len(rows) - len(kept))


def _try_frontier(source: Fit | Ensemble, span: tuple[float, float] | None) -> Frontier | None:
    """Return the frontier at both ends of a span; None for a law, or a fit, that has none."""
    try:
        return None if span is None else frontier(source, flops=np.array(span))
    except JaxscaleError:
        return None


def _span(front: Frontier | None) -> tuple[float, float] | None:
    return None if front is None else (float(front.flops.min()), float(front.flops.max()))


def compose(study: Study, *, width: Width) -> Page:
    """Return the page of the exponents of a study, its groups and its conventions."""
    return draw_exponents(study, width=width)


def _panels(study: Study) -> Panels:
    return panels_of_exponents(study)


EXPONENTS = Figure(
    "exponents", (), "the exponent of the best size of a study, its groups and conventions", compose,
    _panels, ("frontier",), at_budgets=True,
)  # fmt: skip

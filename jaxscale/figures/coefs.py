"""Pair plot of the coefs: every pair of them over the replicates, each one alone on the diagonal.

Where a pair would have no room, each coef alone, and the rank correlations in a matrix.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from jaxscale.errors import IntervalError, UsageError
from jaxscale.figures.captions import banded, caption
from jaxscale.figures.coefaxes import FEW, CoefAxis, coef_axes
from jaxscale.figures.pages import (
    BLUE,
    GREY,
    INK,
    SIZE,
    VERMILLION,
    WIDTHS,
    Page,
    Width,
    page,
    set_caption,
    set_legend,
)
from jaxscale.figures.spec import Figure, Panels
from jaxscale.figures.symbols import ems, symbol, unit
from jaxscale.intervals import Band
from jaxscale.results import Fit, Study

MANY = 1500
"""From this many replicates on, pairs are drawn as hexagons instead of points."""
CENTRAL_NOTE = "axes cover the central 99 % of the replicates"
RANK_NOTE = "above the diagonal: rank correlation"
MATRIX_NOTE = "below: rank correlations, from −1, blue, to 1, red"
NOTHING_FITTED = "figure 'coefs' needs a fitted coef; every coef of '{law}' was held fixed"
LABELS = 0.55
"""Inches beside and below the panels for what their axes say."""
LEAST = 0.6
"""Inches of a panel of a pair; where the page has less for it, there are no pairs."""
TALLEST = 1.45
HUNDREDTHS = 0.29
"""Inches of a cell of the matrix that has room for a number."""
CELL = 0.17
"""Inches of a row of the matrix."""
ALONE: dict[Width, int] = {"column": 3, "page": 6}
"""Panels in a row where coefs are drawn without pairs."""


def compose(study: Study, *, width: Width) -> Page:
    """Return the page of an ensemble, which must be there.

    Replicates that are not usable are left out, and so are coefs that were held fixed.
    """
    ensemble, fit = study.ensemble, study.fit
    assert ensemble is not None  # Figure.make refuses first
    coefs = coef_axes(ensemble) if fit.free else ()
    if not coefs:
        raise UsageError(NOTHING_FITTED.format(law=fit.law.name))
    bands = [_band_of(study, name) for name in fit.free]
    side = min((WIDTHS[width] - LABELS) / len(coefs), TALLEST)
    has_pairs = side >= LEAST
    figure = _pairs(coefs, bands, width, side) if has_pairs else _alone(coefs, bands, width)
    set_legend(figure, _handles(study.level, is_empty=len(coefs[0].values) == 0))
    band = next((one for one in bands if one is not None), None)
    shown = [CENTRAL_NOTE, RANK_NOTE if has_pairs else MATRIX_NOTE] if band is not None and band.n_used else []
    set_caption(figure, caption(fit, [banded(band, ensemble), *_units(fit), *shown]))
    return figure


def _pairs(coefs: tuple[CoefAxis, ...], bands: list[Band | None], width: Width, side: float) -> Page:
    """Return a page with pairs below the diagonal, histograms on it and rank correlations above it."""
    figure = page(width, side * max(len(coefs), 2) + LABELS)
    panels = figure.subplots(len(coefs), len(coefs), squeeze=False)
    inner = side - 0.1
    for i, below in enumerate(coefs):
        for j, left in enumerate(coefs):
            ax = panels[i, j]
            if i == j:
                draw_one(ax, left, bands[i], inches=inner)
            elif i > j:
                draw_pair(ax, left, below, inches=inner)
            else:
                _write_correlation(ax, below, left)
            if i >= j:
                _keep_outer_labels(ax, left, below, is_left=j == 0 < i, is_bottom=i == len(coefs) - 1, inches=inner)
    figure.align_ylabels(list(panels[:, 0]))
    return figure


def _alone(coefs: tuple[CoefAxis, ...], bands: list[Band | None], width: Width) -> Page:
    """Return a page with a histogram of each coef, and the rank correlations below these."""
    columns = ALONE[width]
    rows = -(-len(coefs) // columns)
    heights = [0.95] * rows + [CELL * len(coefs) + 0.1]
    figure = page(width, sum(heights) + 0.25)
    beside = max(ems(symbol(one.name, limit=FEW)) for one in coefs) * SIZE / 72.0  # what the matrix says on its left
    inches = (WIDTHS[width] - beside) / columns - 0.2
    grid = figure.add_gridspec(rows + 1, columns, height_ratios=heights)
    for place, (coef, band) in enumerate(zip(coefs, bands, strict=True)):
        ax = figure.add_subplot(grid[place // columns, place % columns])
        draw_one(ax, coef, band, inches=inches)
        ax.set_xlabel(coef.short_label, labelpad=1.0)
    _draw_matrix(figure.add_subplot(grid[rows, :]), coefs, cell=(WIDTHS[width] - LABELS) / (len(coefs) - 1))
    return figure


def draw_one(ax: Axes, coef: CoefAxis, band: Band | None, inches: float = 1.2) -> None:
    """Draw the histogram of one coef with its band, where it has one, and the point fit."""
    ax.hist(coef.drawn, bins=coef.edges.tolist(), color=BLUE, alpha=0.55, linewidth=0)
    if band is not None and band.n_used > 0:
        ax.axvspan(
            coef.within(float(band.lower)),
            coef.within(float(band.upper)),
            color=VERMILLION,
            alpha=0.14,
            linewidth=0,
            zorder=0,
        )
    ax.axvline(coef.within(coef.point), color=VERMILLION, linewidth=1.2, clip_on=False)  # at an end it is whole, too
    coef.apply(ax, "x", inches)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)


def draw_pair(ax: Axes, across: CoefAxis, up: CoefAxis, inches: float = 1.2) -> None:
    """Draw the replicates of two coefs, as hexagons where there are many, and the point fit as a cross."""
    across.apply(ax, "x", inches)
    up.apply(ax, "y", inches)
    is_shown = _within(across) & _within(up)
    if is_shown.sum() >= MANY:
        _draw_hexagons(ax, across, up, is_shown, cells=26 if inches > 0.8 else 15)
        across.apply(ax, "x", inches)
        up.apply(ax, "y", inches)
    else:
        alpha = 0.6 if len(is_shown) < 200 else 0.3  # in every panel the same
        ax.scatter(
            across.drawn[is_shown],
            up.drawn[is_shown],
            s=3,
            c=BLUE,
            alpha=alpha,
            linewidths=0,
            rasterized=True,
            clip_on=False,
        )
    size = 5.0 if inches > 0.8 else 4.0
    point = across.within(across.point), up.within(up.point)
    for colour, part, edge in (("white", 1.3, 1.0), (VERMILLION, 1.0, 0.0)):
        ax.plot(
            *point,
            color=colour,
            marker="P",
            markersize=part * size,
            markeredgewidth=edge,
            linestyle="none",
            clip_on=False,  # at the end of an axis the mark is whole, too
            zorder=3,
        )


def _panels(study: Study) -> Panels:
    assert study.ensemble is not None  # Figure.panels refuses first
    bands = {name: _band_of(study, name) for name in study.fit.free}
    return {one.name: partial(draw_one, coef=one, band=bands[one.name]) for one in coef_axes(study.ensemble)}


def _band_of(study: Study, name: str) -> Band | None:
    """Return the band of a coef; None where it has no interval of that kind, as most have none at a bound."""
    assert study.ensemble is not None
    try:
        return study.ensemble.interval(name, level=study.level, method=study.interval)
    except IntervalError:
        return None


def _draw_hexagons(ax: Axes, across: CoefAxis, up: CoefAxis, is_shown: np.ndarray, cells: int) -> None:
    x, y = across.drawn[is_shown], up.drawn[is_shown]
    left, right = np.log10([across.low, across.high]) if across.is_log else (across.low, across.high)
    bottom, top = np.log10([up.low, up.high]) if up.is_log else (up.low, up.high)
    ax.hexbin(
        x,
        y,
        gridsize=cells,
        bins="log",
        mincnt=1,
        cmap="Blues",
        linewidths=0.1,
        extent=(float(left), float(right), float(bottom), float(top)),
        xscale="log" if across.is_log else "linear",
        yscale="log" if up.is_log else "linear",
    )


def rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Return Spearman's correlation of two samples (R,), NaN for fewer than three, or where one does not vary.

    Values that are equal, as several at infinity, share their rank.
    """
    if len(one) < 3 or np.all(one == one[0]) or np.all(other == other[0]):
        return float("nan")
    return float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks (R,), as `scipy.stats.rankdata` does, which takes half a second to import."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - 0.5 * count)[place]


def _write_correlation(ax: Axes, one: CoefAxis, other: CoefAxis) -> None:
    ax.set_axis_off()
    found = rank_correlation(one.values, other.values)
    if np.isfinite(found):
        colour = INK if abs(found) >= 0.5 else GREY
        ax.text(0.5, 0.5, f"{found:+.2f}".replace("-", "−"), ha="center", va="center", color=colour,
                transform=ax.transAxes)  # fmt: skip


def _draw_matrix(ax: Axes, coefs: tuple[CoefAxis, ...], cell: float) -> None:
    """Draw the rank correlations of all pairs as colours, and as hundredths where a cell of so many inches has room."""
    found = np.array([[rank_correlation(one.values, other.values) for other in coefs] for one in coefs])
    found[np.triu_indices(len(coefs))] = np.nan
    ax.imshow(found[1:, :-1], cmap="RdBu_r", vmin=-1.0, vmax=1.0, aspect="auto", interpolation="nearest")
    for row, column in zip(*np.nonzero(np.isfinite(found[1:, :-1])), strict=True) if cell > HUNDREDTHS else ():
        value = found[row + 1, column]
        ax.text(column, row, f"{value:.2f}".replace("-", "−").replace("0.", "."), ha="center", va="center",
                color="white" if abs(value) > 0.6 else INK)  # fmt: skip
    names = [symbol(one.name, limit=FEW) for one in coefs]
    is_wide = any(ems(name) * SIZE / 72.0 > cell for name in names)
    ax.set_xticks(range(len(coefs) - 1), names[:-1], rotation=90 if is_wide else 0)
    ax.set_yticks(range(len(coefs) - 1), names[1:])
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _keep_outer_labels(
    ax: Axes, across: CoefAxis, up: CoefAxis, *, is_left: bool, is_bottom: bool, inches: float
) -> None:
    if is_bottom:
        ax.set_xlabel(across.label if inches > 1.0 else across.short_label)
    else:
        ax.tick_params(labelbottom=False)
    if is_left:
        ax.set_ylabel(up.label if inches > 1.0 else up.short_label)
    else:
        ax.tick_params(labelleft=False)


def _units(fit: Fit) -> list[str]:
    coefs = [coef for coef in fit.law.coefs if coef.unit and coef.name not in fit.fixed]
    units = [f"{symbol(coef.name)} in {unit(coef.unit)}" for coef in coefs]
    return [f"units: {', '.join(units)}"] if units else []


def _within(coef: CoefAxis) -> np.ndarray:
    return (coef.drawn >= coef.low) & (coef.drawn <= coef.high)


def _handles(level: float, *, is_empty: bool) -> list[Line2D | Patch]:
    point = Line2D([], [], color=VERMILLION, marker="P", markersize=5, linewidth=1.2, label="point fit")
    if is_empty:
        return [point]
    return [
        point,
        Patch(color=VERMILLION, alpha=0.14, linewidth=0, label=f"{100.0 * level:g} % band"),
        Patch(color=BLUE, alpha=0.55, linewidth=0, label="usable replicates"),
    ]


COEFS = Figure("coefs", ("ensemble",), "every pair of fitted coefs over the replicates", compose, _panels)

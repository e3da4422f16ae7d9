"""The curve of a frontier and its band: measured range solid, extrapolation dashed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from jaxscale.figures.pages import GREY, PALE, VERMILLION
from jaxscale.intervals import Band

MEASURED, EXTRAPOLATED = "-", (0, (4.0, 2.0))
FEW = 12
"""With fewer budgets than this each of them gets a mark: the line between them is only a guide."""


@dataclass(frozen=True)
class Piece:
    """A stretch of the frontier on one side of an edge of the measured range: (k,) arrays, band None without one."""

    flops: np.ndarray
    centre: np.ndarray
    lower: np.ndarray | None
    upper: np.ndarray | None
    is_measured: bool


def draw_curve(
    ax: Axes, flops: np.ndarray, centre: np.ndarray, band: Band | None, measured: tuple[float, float] | None
) -> None:
    """Draw centre (b,) against flops (b,), solid inside the measured compute and dashed outside, with its band (b,).

    A single budget is drawn as a point with a bar. NaN leaves a gap.
    """
    has_band = band is not None and band.n_used > 0
    if len(flops) == 1:
        _draw_point(ax, flops, centre, band if has_band else None)
        return
    lower, upper = (band.lower, band.upper) if band is not None and has_band else (None, None)
    for piece in pieces(flops, centre, lower, upper, measured):
        if piece.lower is not None and piece.upper is not None:
            alpha = 0.30 if piece.is_measured else 0.16
            ax.fill_between(piece.flops, piece.lower, piece.upper, color=VERMILLION, alpha=alpha, linewidth=0, zorder=2)
        style = MEASURED if piece.is_measured else EXTRAPOLATED
        ax.plot(piece.flops, piece.centre, color=VERMILLION, linestyle=style, linewidth=1.8, zorder=4)
    if len(flops) < FEW:
        ax.plot(flops, centre, color=VERMILLION, linestyle="none", marker="D", markersize=4.5, zorder=5)


def shade_measured(ax: Axes, measured: tuple[float, float] | None) -> None:
    """Shade the compute that the table covers."""
    if measured is not None:
        ax.axvspan(*measured, color=PALE, alpha=0.45, linewidth=0, zorder=0)


def curve_handles(band: Band | None, measured: tuple[float, float] | None, budgets: int) -> list[Line2D | Patch]:
    """Return the legend's entries for what `draw_curve` and `shade_measured` draw."""
    handles: list[Line2D | Patch] = []
    if budgets == 1:
        handles.append(Line2D([], [], color=VERMILLION, marker="D", markersize=5, linestyle="none", label="optimum"))
    else:
        if measured is not None:
            handles.append(Line2D([], [], color=VERMILLION, linewidth=1.8, label="optimum, measured compute"))
        handles.append(
            Line2D([], [], color=VERMILLION, linewidth=1.8, linestyle=EXTRAPOLATED, label="optimum, extrapolated")
        )
    if band is not None and band.n_used > 0:
        handles.append(Patch(color=VERMILLION, alpha=0.3, linewidth=0, label=f"{100.0 * band.level:g} % band"))
    if measured is not None:
        handles.append(Patch(color=PALE, alpha=0.6, linewidth=0, label="compute in the table"))
    return handles


def pieces(
    flops: np.ndarray,
    centre: np.ndarray,
    lower: np.ndarray | None,
    upper: np.ndarray | None,
    measured: tuple[float, float] | None,
) -> list[Piece]:
    """Return the stretches below, inside and above the measured range, joined at its edges by straight lines in logs.

    Without a measured range everything is one extrapolated stretch. Stretches without two budgets are left out.
    """
    order = np.argsort(flops, kind="stable")
    low, high = measured if measured is not None else (np.inf, np.inf)
    edges = [edge for edge in (low, high) if flops[order[0]] < edge < flops[order[-1]]]
    grid = np.union1d(flops, edges)
    curve = _joined(grid, flops[order], centre[order])
    below, above = (None if side is None else _joined(grid, flops[order], side[order]) for side in (lower, upper))
    found = []
    for chosen, is_measured in (
        (grid <= low, False),
        ((grid >= low) & (grid <= high), True),
        (grid >= high, False),
    ):
        if chosen.sum() > 1:
            lower_side, upper_side = (None if side is None else side[chosen] for side in (below, above))
            found.append(Piece(grid[chosen], curve[chosen], lower_side, upper_side, is_measured))
    return found


def _joined(grid: np.ndarray, flops: np.ndarray, values: np.ndarray) -> np.ndarray:
    is_positive = bool(np.all(values[np.isfinite(values)] > 0))
    heights = np.log(values) if is_positive else values
    joined = np.interp(np.log(grid), np.log(flops), heights)
    return np.exp(joined) if is_positive else joined


def _draw_point(ax: Axes, flops: np.ndarray, centre: np.ndarray, band: Band | None) -> None:
    if band is not None:
        ax.vlines(flops, band.lower, band.upper, color=VERMILLION, linewidth=2.5, alpha=0.5, zorder=4)
    ax.plot(flops, centre, color=VERMILLION, marker="D", markersize=6, linestyle="none", zorder=5)
    ax.axvline(float(flops[0]), color=GREY, linewidth=0.6, linestyle=":", zorder=1)

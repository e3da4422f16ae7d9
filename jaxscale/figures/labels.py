"""Names beside points, placed so that no two of them overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from jaxscale.figures.style import EDGE_OF_TEXT, INK

SIZE = 7.5
POINT = 6.0
"""Side in pixels of the square that a point keeps free of words."""
PLACES = tuple(
    (x, y, "left" if x > 0 else "right" if x < 0 else "center")
    for far in (6.0, 16.0, 28.0)
    for x, y in ((far, 4.0), (-far, 4.0), (far, -8.0), (-far, -8.0), (0.0, far), (0.0, -far - 4.0))
)
"""Offsets from the point in points, nearest first, with the side of the text that faces the point."""


def label_points(ax: Axes, x: np.ndarray, y: np.ndarray, words: Sequence[str]) -> int:
    """Write a word beside each point, in order, where it stays in the axes and meets no word or point; return how many.

    x, y: (k,) in data units, NaN for none.   The figure's layout must be settled. A word without room is left out.
    """
    panel = ax.get_window_extent()
    pixels = ax.transData.transform(np.column_stack([x, y]))
    points = {at: _around(spot) for at, spot in enumerate(pixels) if np.isfinite(spot).all()}
    taken: list[Bbox] = []
    for at in points:
        others = [*taken, *(box for which, box in points.items() if which != at)]
        for dx, dy, side in PLACES:
            text = ax.annotate(
                words[at],
                (x[at], y[at]),
                xytext=(dx, dy),
                textcoords="offset points",
                ha=side,
                fontsize=SIZE,
                color=INK,
                bbox=EDGE_OF_TEXT,
                arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 2},
                parse_math=False,
                zorder=6,
            )
            box = text.get_window_extent()  # with its arrow, which reaches the point
            is_inside = panel.x0 <= box.x0 and box.x1 <= panel.x1 and panel.y0 <= box.y0 and box.y1 <= panel.y1
            if is_inside and not any(box.overlaps(other) for other in others):
                taken.append(box)
                break
            text.remove()
    return len(taken)


def _around(spot: np.ndarray) -> Bbox:
    return Bbox([spot - POINT / 2.0, spot + POINT / 2.0])

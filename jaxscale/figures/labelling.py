"""Words beside points: never on a point, never on another word, never outside the panel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from jaxscale.figures.pages import EDGE_OF_TEXT, INK

CLEAR = 3.5
"""Pixels around the middle of a point that a word keeps free."""
MARKED = 7.0
"""Those around the middle of a mark, which is larger."""
DISTANCES = (5.0, 11.0, 18.0, 27.0, 38.0)
SIDES = {1: ("left", "bottom"), 0: ("center", "center"), -1: ("right", "top")}
PLACES = tuple(
    (far * x, far * y, SIDES[x][0], SIDES[int(np.sign(y))][1])
    for far in DISTANCES
    for x, y in ((1, 0.5), (-1, 0.5), (1, -0.5), (-1, -0.5), (0, 1), (0, -1), (1, 0), (-1, 0))
)
"""Offsets from the point in points, nearest first, with the side of the text that faces the point."""
STOPS = 15
"""Places on a line between a word and its point at which it is looked at."""
ALONG = 41
"""Places along a line that are tried."""


def label_points(
    ax: Axes, x: np.ndarray, y: np.ndarray, words: Sequence[str], others: np.ndarray | None = None, *, colour: str = INK
) -> int:
    """Write a word beside each point, in order, where it stays in the axes and meets no word or point; return how many.

    x, y: (k,) in data units, NaN for none.   others: (m, 2) further points that words keep clear of, in data units.
    The figure's layout must be settled. A word without room is left out.
    """
    panel = ax.get_window_extent()
    pixels = ax.transData.transform(np.column_stack([x, y]))
    points = pixels if others is None else np.vstack([pixels, ax.transData.transform(others)])
    points = points[np.isfinite(points).all(axis=1)]
    taken: list[Bbox] = [box_of(text) for text in ax.texts]
    leaders = np.empty((0, 2))
    count = 0
    for at in np.flatnonzero(np.isfinite(pixels).all(axis=1)).tolist():
        for dx, dy, side, base in PLACES:
            text = ax.annotate(
                words[at],
                (x[at], y[at]),
                xytext=(dx, dy),
                textcoords="offset points",
                ha=side,
                va=base,
                color=colour,
                bbox=EDGE_OF_TEXT,
                arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 2},
                zorder=6,
            )
            box = box_of(text)
            leader = _leader(pixels[at], box)
            is_free = is_inside(box, panel) and not covers(box, points) and not covers(box, leaders, clear=1.0)
            if is_free and not any(box.overlaps(one) or covers(one, leader, clear=1.0) for one in taken):
                taken.append(box)
                leaders = np.vstack([leaders, leader])
                count += 1
                break
            text.remove()
    return count


def label_line(ax: Axes, x: np.ndarray, y: np.ndarray, word: str, others: np.ndarray) -> bool:
    """Write a word on a line, at the place nearest to its middle that meets no point and no other word.

    x, y: (k,) of the line, in data units and in its order.   others: (m, 2), points that the word keeps clear of, in
    data units.   Returns whether there was such a place; without one nothing is written.
    """
    panel, points = ax.get_window_extent(), ax.transData.transform(others) if len(others) else np.empty((0, 2))
    taken = [box_of(text) for text in ax.texts]
    places = np.unique(np.linspace(0, len(x) - 1, min(len(x), ALONG)).round().astype(int))
    for at in places[np.argsort(np.abs(places - 0.5 * len(x)), kind="stable")]:
        text = ax.annotate(word, (x[at], y[at]), color=INK, ha="center", va="center", bbox=EDGE_OF_TEXT, zorder=4)
        box = box_of(text).padded(2.0)
        if (
            is_inside(box, panel)
            and not covers(box, points, clear=MARKED)
            and not any(box.overlaps(one) for one in taken)
        ):
            return True
        text.remove()
    return False


def box_of(text: Text) -> Bbox:
    """Return where a text stands, in pixels, without the line that leads to its point."""
    text.get_window_extent()  # moves an annotation to its place
    return Text.get_window_extent(text)


def is_inside(box: Bbox, panel: Bbox) -> bool:
    """Return whether a box lies within a panel."""
    return bool(panel.x0 <= box.x0 and box.x1 <= panel.x1 and panel.y0 <= box.y0 and box.y1 <= panel.y1)


def covers(box: Bbox, points: np.ndarray, clear: float = CLEAR) -> bool:
    """Return whether a box comes nearer than `clear` to one of some points (m, 2), in pixels."""
    inside = (points > (box.x0 - clear, box.y0 - clear)) & (points < (box.x1 + clear, box.y1 + clear))
    return bool(inside.all(axis=1).any())


def _leader(point: np.ndarray, box: Bbox) -> np.ndarray:
    """Return places (k, 2) on the line from a point to the nearest of a word's box, in pixels."""
    end = np.clip(point, (box.x0, box.y0), (box.x1, box.y1))
    return point + np.linspace(0.0, 1.0, STOPS)[:, None] * (end - point)

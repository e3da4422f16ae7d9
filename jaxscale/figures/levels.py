"""Round levels for contours of a loss, and the colours of thin lines."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.colors import ListedColormap

from jaxscale.figures.pages import SHADES

SHADE = ListedColormap(matplotlib.colormaps[SHADES](np.linspace(0.0, 0.9, 256)))
"""Without the palest yellow, in which a thin line would not be seen."""
CONTOURS = 9
"""Contours that touch the frontier."""
STEPS = (5.0, 2.0, 1.0)
"""Leading digits of the steps on which a level may lie."""


def contour_levels(loss: np.ndarray) -> np.ndarray:
    """Return about a dozen round levels for a loss (params, flops): near the best loss at evenly spaced compute.

    Each such contour touches a vertical line of equal compute on the frontier; further levels stand above the first.
    """
    best = np.min(np.where(np.isfinite(loss), loss, np.inf), axis=0)
    middles = (np.arange(CONTOURS) + 0.5) / CONTOURS
    levels = best[(middles * len(best)).astype(int)]
    levels = levels[np.isfinite(levels)]
    steps = -np.diff(levels)
    if len(steps) == 0 or np.min(steps) <= 0:
        return np.empty(0)
    above = levels[0] + np.cumsum(steps[0] * 1.4 ** np.arange(1, 5))
    return rounded(np.sort(np.concatenate([levels, above])))


def rounded(levels: np.ndarray) -> np.ndarray:
    """Return rising levels (k,), each on the coarsest step of 1, 2 or 5 times a power of ten that keeps them apart.

    A level moves by at most half of the gap to the nearer of its neighbours, so that all of them stay in their order.
    """
    gaps = np.diff(levels)
    nearest = np.minimum(np.r_[gaps, np.inf], np.r_[np.inf, gaps])
    found = [_nearest_round(level, gap) for level, gap in zip(levels, nearest, strict=True)]
    return np.unique(found)


def _nearest_round(level: float, gap: float) -> float:
    power = int(np.floor(np.log10(gap)))
    step = next(lead * 10.0**power for lead in STEPS if lead * 10.0**power <= gap * (1 + 1e-12))
    return float(f"{round(level / step) * step:.12g}")

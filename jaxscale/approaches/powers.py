"""Straight lines in logarithms: how the best size and its tokens grow with compute, for many replicates at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jaxscale.intervals import Band, band


@dataclass(frozen=True)
class PowerLaw:
    """y = scale C^exponent: floats for one, (R,) each for an ensemble, NaN where fewer than two budgets were left."""

    exponent: np.ndarray
    scale: np.ndarray

    def at(self, flops: np.ndarray) -> np.ndarray:
        """Return y at budgets (b,): (b,), or (R, b) for an ensemble."""
        with np.errstate(over="ignore", invalid="ignore"):  # a line through two close budgets may be steep
            return np.asarray(self.scale)[..., None] * np.asarray(flops) ** np.asarray(self.exponent)[..., None]

    def interval(self, level: float = 0.95) -> Band:
        """Return the percentile band of the exponents of an ensemble."""
        return band(np.atleast_1d(self.exponent), level=level)


def power_law(flops: np.ndarray, values: np.ndarray, weight: np.ndarray | None = None) -> PowerLaw:
    """Return the weighted least-squares line of ln values (…, b) on ln flops (b,) or (…, b).

    weight: ≥ 0, of the values' shape or (b,), equal without it; values that are NaN have none.
    """
    x, y = np.broadcast_arrays(np.log(flops), np.log(values))
    w = np.where(np.isfinite(y), 1.0 if weight is None else weight, 0.0)
    y = np.where(w > 0, y, 0.0)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        total = w.sum(-1)
        x_mean, y_mean = (w * x).sum(-1) / total, (w * y).sum(-1) / total
        away = np.where(w > 0, x - x_mean[..., None], 0.0)
        square = (w * away**2).sum(-1)
        slope = np.where(square > 1e-12 * total, (w * away * y).sum(-1) / square, np.nan)
        return PowerLaw(slope, np.exp(y_mean - slope * x_mean))

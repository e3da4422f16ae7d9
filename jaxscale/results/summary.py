"""How far a law lies from the runs that it was fitted to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jaxscale.results.fit import Fit


@dataclass(frozen=True)
class ResidualSummary:
    """What the law predicts beside what was measured, over the runs of positive weight.

    In log space a residual is relative, predicted / measured - 1; in linear space predicted - measured.
    median, p90: quantiles of their sizes.   largest: the largest one, with its sign.   row: its row in the table.
    """

    median: float
    p90: float
    largest: float
    row: int


def residual_summary(fit: Fit) -> ResidualSummary | None:
    """Return the summary of the residuals of a fit; None where no residual is finite."""
    is_used = np.isfinite(fit.residuals) & (fit.runs.weight > 0)
    if not is_used.any():
        return None
    residuals = fit.residuals[is_used]
    with np.errstate(over="ignore"):
        relative = np.expm1(residuals) if fit.objective.space == "log" else residuals
    median, p90 = np.quantile(np.abs(relative), [0.5, 0.9])
    at = int(np.argmax(np.abs(relative)))
    return ResidualSummary(float(median), float(p90), float(relative[at]), int(fit.runs.row[is_used][at]))

"""How far a law lies from the runs that it was fitted to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jaxscale.results.fit import Fit


@dataclass(frozen=True)
class Misses:
    """What the law predicts beside what was measured, over the runs of positive weight.

    In log space a miss is relative, predicted / measured - 1; in linear space predicted - measured.
    median, p90: quantiles of their sizes.   largest: the largest one, with its sign.   row: its row in the table.
    """

    median: float
    p90: float
    largest: float
    row: int


def misses_of(fit: Fit) -> Misses | None:
    """Return the misses of a fit; None where no residual is finite."""
    is_used = np.isfinite(fit.residuals) & (fit.runs.weight > 0)
    if not is_used.any():
        return None
    residuals = fit.residuals[is_used]
    with np.errstate(over="ignore"):
        misses = np.expm1(residuals) if fit.objective.space == "log" else residuals
    median, p90 = np.quantile(np.abs(misses), [0.5, 0.9])
    at = int(np.argmax(np.abs(misses)))
    return Misses(float(median), float(p90), float(misses[at]), int(fit.runs.row[is_used][at]))

"""Laws weighed: the mixture under which the runs held out are likeliest, and Akaike's criterion beside it."""

from __future__ import annotations

import numpy as np

from jaxscale.results import Fit
from jaxscale.results.spread import spread_of

ROUNDS, GAP = 20_000, 1e-9


def stacking_weights(log_density: np.ndarray, share: np.ndarray | None = None) -> np.ndarray:
    """Return the weights (k,), ≥ 0 and of sum one, that maximise Σ_i ln Σ_k w_k p_ik; log_density: (m, k) of p.

    share: (m,), of what each run counts; alike without.

    The sum is concave. Each round of expectation-maximisation raises it, and max_k mean_i p_ik / Σ_j w_j p_ij - 1
    bounds what a run on average still lacks of the maximum; rounds end where that is 1e-9.   Source: Yao et al. 2018,
    Bayesian Analysis 13(3), eq. 6.
    """
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    weights = np.full(density.shape[1], 1.0 / density.shape[1])
    for _ in range(ROUNDS):
        gain = np.average(density / (density @ weights)[:, None], axis=0, weights=share)
        if gain.max() - 1.0 <= GAP:
            break
        weights = weights * gain
        weights /= weights.sum()
    return weights


def information_criteria(fit: Fit) -> tuple[float, float]:
    """Return AIC and AICc of a fit, of normal errors of ln loss whose variance is one more number that is fitted.

    AICc is NaN where there are no more runs than it needs.   Source: Hurvich & Tsai 1989, Biometrika 76(2).
    """
    count, numbers = int(np.sum(fit.runs.weight > 0)), len(fit.free) + 1
    spread, dof = spread_of(fit)
    aic = count * (np.log(2.0 * np.pi * spread**2 * dof / count) + 1.0) + 2.0 * numbers
    rest = count - numbers - 1
    return float(aic), float(aic + 2.0 * numbers * (numbers + 1) / rest) if rest > 0 else float("nan")

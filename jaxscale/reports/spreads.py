"""The spread of a scale that may be anything: in its logarithm, where a standard error says nothing."""

from __future__ import annotations

import numpy as np

from jaxscale.results import Study

HEAVY = 0.5
"""Standard error over the value from which the spread is that of a heavy tail."""


def log_spread(study: Study, name: str) -> float | None:
    """Return the standard deviation of ln of a positive coef over the usable replicates; None for any other coef."""
    std = study.coef_std(name)
    support = study.fit.law.supports[study.fit.law.names.index(name)]
    if std is None or study.ensemble is None or support.name != "positive":
        return None
    samples = study.ensemble.samples(name)
    samples = samples[np.isfinite(samples) & (samples > 0)]
    return float(np.std(np.log(samples), ddof=1)) if len(samples) > 1 else None


def heavy_spread(study: Study, name: str) -> float | None:
    """Return that spread where the standard error is more than half of the value; None elsewhere."""
    std, value = study.coef_std(name), study.coef(name)
    is_heavy = std is not None and value is not None and std > HEAVY * abs(value)
    return log_spread(study, name) if is_heavy else None

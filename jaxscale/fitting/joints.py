"""Constants into which coefs without a value fall together, as E and A where alpha is zero."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jaxscale.laws import predict_sets
from jaxscale.results import Fit, Joint

ALIKE = 1e-12
"""Relative difference between predictions that are the same."""


def joints_of(fit: Fit, std: Mapping[str, float | None]) -> tuple[Joint, ...]:
    """Return the constants into which coefs without a value fall together at a fit's bound.

    std: standard errors with the held coefs held. A coef that was minimised carries what it is together with coefs
    that were held; where no sum or product of them is constant, as where two grow without bound, there is none.
    """
    found = []
    for carrier in (name for name in fit.unidentified if name not in fit.held):
        others = [name for name in fit.unidentified if name in fit.held]
        for is_sum, moved in ((True, _halved), (False, _doubled)):
            parts = [name for name in others if _is_same(fit, moved(fit, carrier, name))]
            if parts:
                names = tuple(name for name in fit.coefs if name in (*parts, carrier))
                values = [fit.coefs[name] for name in names]
                value = float(np.sum(values) if is_sum else np.prod(values))
                error = std.get(carrier)
                scale = 1.0 if is_sum else abs(value / fit.coefs[carrier])
                found.append(Joint(names, is_sum, value, None if error is None else error * scale))
                break
    return tuple(found)


def _halved(fit: Fit, carrier: str, other: str) -> dict[str, float]:
    """Return coefs with half of one moved over to another, their sum unchanged."""
    half = fit.coefs[carrier] / 2.0
    return {**fit.coefs, carrier: half, other: fit.coefs[other] + half}


def _doubled(fit: Fit, carrier: str, other: str) -> dict[str, float]:
    """Return coefs with one doubled and the other halved, their product unchanged."""
    return {**fit.coefs, carrier: fit.coefs[carrier] * 2.0, other: fit.coefs[other] / 2.0}


def _is_same(fit: Fit, coefs: Mapping[str, float]) -> bool:
    """Return whether these coefs predict the runs as the fit does, and are not its own."""
    if dict(coefs) == dict(fit.coefs):
        return False
    both = np.stack([fit.law.vector(fit.coefs), fit.law.vector(coefs)])
    before, after = predict_sets(fit.law, both, fit.runs.columns)
    return bool(np.allclose(after, before, rtol=ALIKE, atol=0.0))

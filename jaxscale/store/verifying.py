"""Whether a law that the user hands over is the one that was fitted: a name cannot tell, the residuals can."""

from __future__ import annotations

import numpy as np

from jaxscale.errors import StoreError, UsageError
from jaxscale.laws import predict_with
from jaxscale.results import Fit
from jaxscale.text import shown

OTHER_FUNCTION = (
    "{place}: the law {name} that was given does not reproduce the saved residuals, so it is another equation.\n"
    "Give load the law that was fitted, or refit with this one."
)

TOLERANCE = 1e-6
"""Of a residual, absolute in log space and relative to the loss in linear space: far above rounding."""


def check_function(fit: Fit, *, place: str) -> None:
    """Raise StoreError unless the saved residuals are those of the law at the saved coefs and losses."""
    name = shown(fit.law.name)
    try:
        predicted = predict_with(fit.law, fit.coefs, fit.runs.columns)
    except UsageError as error:
        raise StoreError(OTHER_FUNCTION.format(place=place, name=name)) from error
    loss = fit.runs.loss
    with np.errstate(all="ignore"):
        is_log = fit.objective.space == "log"
        residual = np.log(predicted) - np.log(loss) if is_log else predicted - loss
        allowed = TOLERANCE * (1.0 if is_log else np.maximum(np.abs(loss), np.abs(predicted)))
        is_wrong = np.abs(residual - fit.residuals) > allowed  # False where either is NaN, as in a fit that failed
    if is_wrong.any():
        raise StoreError(OTHER_FUNCTION.format(place=place, name=name))

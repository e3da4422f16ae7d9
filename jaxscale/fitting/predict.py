"""Predictions by a law's name, from coefs or from a fit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from jaxscale.laws import LAWS, Law, predict_with
from jaxscale.results import Fit


def predict(law: Law | str | Fit, coefs: Mapping[str, float] | None = None, **columns: ArrayLike) -> np.ndarray:
    """Return the loss, float64, that a law with these coefs, or a fit, predicts for columns that broadcast.

    Raises UsageError for an unknown law, a missing coef or a missing input.
    """
    if isinstance(law, Fit):
        return predict_with(law.law, law.coefs if coefs is None else coefs, columns)
    return predict_with(LAWS.resolve(law), {} if coefs is None else coefs, columns)

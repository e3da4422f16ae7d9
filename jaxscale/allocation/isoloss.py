"""IsoLoss contours: every pair of params and tokens that reaches one loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from jaxscale.allocation.splits import check_held, check_trade_off
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS, Law, predict_with
from jaxscale.results import Fit

LOG_TOKENS = np.linspace(0.0, 80.0, 161)
"""ln tokens searched, from one token to 5e34: the first step that brings the loss down to the level is bisected."""
STEPS = 200

NO_SOURCE = "isoloss needs a Fit, or law= with coefs="


def isoloss(
    source: Fit | None = None,
    *,
    loss: float | Sequence[float] | np.ndarray,
    params: Sequence[float] | np.ndarray,
    law: Law | str | None = None,
    coefs: Mapping[str, float] | str | None = None,
    held: Mapping[str, float] | None = None,
) -> np.ndarray:
    """Return the tokens (k, m) with which a model of each size (m,) reaches each loss (k,); NaN where none does.

    held: the law's inputs that are neither sizes nor their ratio, name → number.   By bisection in ln tokens, for any
    law; where the loss rises again with tokens, the fewest that reach it.   Raises UsageError for a law without a
    trade-off.
    """
    if isinstance(source, Fit):
        law, coefs = source.law, source.coefs
    if law is None or coefs is None:
        raise UsageError(NO_SOURCE)
    law = LAWS.resolve(law)
    coefs, others = law.given(coefs), dict(held or {})
    check_trade_off(law)
    check_held(law, others)
    levels, sizes = np.atleast_1d(np.asarray(loss, float))[:, None], np.atleast_1d(np.asarray(params, float))[None, :]

    def losses(log_tokens: np.ndarray) -> np.ndarray:
        tokens = np.exp(log_tokens)
        columns = {"params": sizes, "tokens": tokens, "flops": 6.0 * sizes * tokens, "tokens_per_param": tokens / sizes}
        return predict_with(law, coefs, {**columns, **others})

    is_reached = losses(LOG_TOKENS[:, None])[:, None, :] <= levels  # at every step, for every level and size
    first = np.argmax(is_reached, axis=0)
    is_reachable = is_reached.any(axis=0) & (first > 0)
    low, high = LOG_TOKENS[np.maximum(first - 1, 0)], LOG_TOKENS[first]
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        is_above = ~(losses(middle) <= levels)
        low, high = np.where(is_above, middle, low), np.where(is_above, high, middle)
        if np.max(high - low) <= 4e-14:
            break
    return np.where(is_reachable, np.exp(0.5 * (low + high)), np.nan)

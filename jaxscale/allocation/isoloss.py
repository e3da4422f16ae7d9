"""IsoLoss contours: every pair of params and tokens that reaches one loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from jaxscale.allocation.inputs import all_sizes, check_trade_off, fixed_values
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS, Law, predict_with
from jaxscale.laws.checking import as_numbers, check_coefs, finite_numbers
from jaxscale.results import Fit

LOG_TOKENS = np.linspace(0.0, 80.0, 161)
"""ln tokens searched, from one token to 5e34: the first step that brings the loss down to the level is bisected."""
STEPS = 200
ZOOMS, FINER = 4, 33
"""How often, and by how many steps, the surroundings of the lowest loss are divided again."""

BAD_PARAMS = "params = {params!r}: sizes are positive, finite numbers"
NO_SOURCE = "isoloss needs a Fit, or law= with coefs="


def isoloss(
    source: Fit | None = None,
    *,
    loss: float | Sequence[float] | np.ndarray,
    params: Sequence[float] | np.ndarray,
    law: Law | str | None = None,
    coefs: Mapping[str, float] | str | None = None,
    fixed: Mapping[str, float] | None = None,
) -> np.ndarray:
    """Return the tokens (k, m) with which a model of each size (m,) reaches each loss (k,); NaN where none does.

    fixed: the law's inputs that are neither sizes nor their ratio, name → number.   By bisection in ln tokens, for any
    law. Where the loss rises again with tokens, it is the fewest that reach it. NaN also where one token is enough.
    Raises UsageError for a law without a trade-off, for sizes or fixed inputs that make no sense.
    """
    if isinstance(source, Fit):
        law, coefs = source.law, source.coefs
    if law is None or coefs is None:
        raise UsageError(NO_SOURCE)
    law = LAWS.resolve(law)
    if source is None and not isinstance(coefs, str):
        check_coefs(law, coefs)
    coefs = law.given(coefs)
    check_trade_off(law)
    others = fixed_values(law, fixed)
    levels = np.atleast_1d(finite_numbers("loss", loss))[:, None]
    sizes = np.atleast_1d(as_numbers("params", params))[None, :]
    if not (np.isfinite(sizes) & (sizes > 0)).all():
        raise UsageError(BAD_PARAMS.format(params=params))

    def losses(log_tokens: np.ndarray) -> np.ndarray:
        columns = all_sizes(law, {"params": sizes, "tokens": np.exp(log_tokens), **others})
        return predict_with(law, coefs, {**columns, **others})

    steps, found = _refined(losses)  # (s, m)
    is_reached = found[:, None, :] <= levels  # at every step, for every level and size
    first = np.argmax(is_reached, axis=0)
    is_reachable = is_reached.any(axis=0) & (first > 0)
    places = np.arange(sizes.shape[1])
    low, high = steps[np.maximum(first - 1, 0), places], steps[first, places]
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        is_above = ~(losses(middle) <= levels)
        low, high = np.where(is_above, middle, low), np.where(is_above, high, middle)
        if np.max(high - low) <= 4e-14:
            break
    return np.where(is_reachable, np.exp(0.5 * (low + high)), np.nan)


def _refined(losses: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return steps of ln tokens (s, m) for each size, finer on both sides of the lowest one, and the losses there.

    A loss that rises again may be reached between two steps only.
    """
    found = losses(LOG_TOKENS[:, None])
    steps = np.broadcast_to(LOG_TOKENS[:, None], found.shape)
    for _ in range(ZOOMS):
        lowest = np.argmin(np.where(np.isnan(found), np.inf, found), axis=0)
        left, right = np.maximum(lowest - 1, 0), np.minimum(lowest + 1, len(steps) - 1)
        low, high = (np.take_along_axis(steps, end[None], 0)[0] for end in (left, right))
        steps = np.sort(np.concatenate([steps, np.linspace(low, high, FINER)]), axis=0)
        found = losses(steps)
    return steps, found

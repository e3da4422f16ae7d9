"""Contours of equal loss: the tokens with which models of several sizes reach it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from jaxscale.allocation.inputs import all_sizes, check_trade_off, fixed_values, given_law
from jaxscale.allocation.solving import bisected
from jaxscale.errors import UsageError
from jaxscale.laws import Law, predict_with
from jaxscale.laws.checking import as_numbers, finite_numbers
from jaxscale.results import Fit

LOG_TOKENS = np.linspace(0.0, 80.0, 161)
"""ln tokens of a contour, from one token to 5e34: the first step that brings the loss down to the level is bisected."""
ZOOMS, FINER = 4, 33
"""How often, and by how many steps, the surroundings of a contour's lowest loss are divided again."""

BAD_PARAMS = "params = {params!r}: sizes are positive, finite numbers"


def isoloss(
    source: Fit | None = None,
    *,
    loss: float | Sequence[float] | np.ndarray,
    params: Sequence[float] | np.ndarray,
    law: Law | str | None = None,
    coefs: Mapping[str, float] | str | None = None,
    fixed: Mapping[str, float] | None = None,
) -> np.ndarray:
    """Return the tokens with which a model of each size reaches each loss.

    Parameters
    ----------
    source
        A Fit, or None with law= and coefs=.
    loss
        (k,) or a scalar, in nats per token.
    params
        Sizes (m,).
    law, coefs
        In place of a source: a law, and its coefs, name → number, or the name of a published set.
    fixed
        The law's inputs that are neither sizes nor their ratio, name → number.

    Returns
    -------
    ndarray
        Tokens (k, m); NaN where no number of them reaches the loss, and where one token is enough.

    Raises
    ------
    UsageError
        For a law without a trade-off, and for invalid sizes or fixed inputs.

    Notes
    -----
    By bisection in ln tokens, for any law. Where the loss rises again with tokens, it is the fewest that reach it.

    Examples
    --------
    >>> js.isoloss(law="chinchilla", coefs="besiroglu2024", loss=2.5, params=[1e9, 1e10]).round(-9)
    array([[2.5e+10, 7.0e+09]])
    """
    law, coefs = given_law(source, law, coefs, verb="isoloss", kinds="a Fit")
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
    low, high = bisected(lambda middle: losses(middle) <= levels, low, high)
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

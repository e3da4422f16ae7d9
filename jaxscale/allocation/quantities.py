"""What the best split of a budget is, as a function of the coefs: for samples of replicates, and for profiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from jaxscale.allocation.budgets import checked_budgets
from jaxscale.allocation.frontier import check_frontier, optima_of
from jaxscale.allocation.inputs import check_trade_off, fixed_values
from jaxscale.allocation.spent import at_budget
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS, Law
from jaxscale.registry import unknown
from jaxscale.results import QUANTITIES


def at_optimum(
    law: Law | str, quantity: str, *, flops: float, fixed: Mapping[str, float] | None = None
) -> Callable[[Mapping[str, np.ndarray]], np.ndarray]:
    """Return one quantity of the best split of a budget as a function of the coefs.

    Parameters
    ----------
    law
        A law that trades params for tokens, or its name.
    quantity
        `params`, `tokens`, `loss` or `tokens_per_param`.
    flops
        The budget, FLOP.
    fixed
        The law's inputs that a budget does not decide, name → number.

    Returns
    -------
    callable
        Of coefs name → (k,), it returns (k,), NaN without an optimum: what `js.results.sample_of` and
        `js.refitting.profile` take.

    Raises
    ------
    UsageError
        For a law without a trade-off, another quantity, a budget that is none, and inputs as in `js.frontier`.

    Examples
    --------
    >>> best = js.allocation.at_optimum("chinchilla", "tokens_per_param", flops=1e22)
    >>> coefs = js.LAWS.resolve("chinchilla").given("besiroglu2024")
    >>> best({name: np.array([coef]) for name, coef in coefs.items()}).round(1)
    array([20.4])
    """
    law = LAWS.resolve(law)
    if quantity not in QUANTITIES:
        raise UsageError(unknown("quantity", quantity, QUANTITIES))
    check_trade_off(law)
    check_frontier(law, dict(fixed or {}))
    budget, given = checked_budgets(flops)[:1], fixed_values(law, fixed)
    return at_budget(law, lambda coefs, budgets: optima_of(law, coefs, budgets, given), quantity, float(budget[0]))

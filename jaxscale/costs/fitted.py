"""A cost that a table has measured: hours, FLOP or money as a power of params and of tokens, fitted to its runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jaxscale.costs.spec import Amounts, Cost
from jaxscale.errors import UsageError
from jaxscale.registry import unknown

NO_COLUMN = "fitted_cost: the table has no column"
NO_RUNS = "fitted_cost: '{name}', params and tokens are positive numbers in {count} runs, and {least} are needed"
ONE_LINE = (
    "fitted_cost: params and tokens of the runs lie on one line, so that what each costs cannot be told apart; "
    "take '{name}' in proportion to their product, with proportional=True or --measured-cost {name}=proportional"
)
FITTED = "{name} = {k:.4g} N^{u:.4g} D^{v:.4g}, fitted to {count} runs, with a standard error of {spread:.2g} %"
NARROW = 1e-6
"""Smallest over largest singular value of the design in logarithms below which it is a line."""


@dataclass(frozen=True)
class PowerAmount:
    """k N^u D^v, elementwise; equal for equal numbers.   runs: to how many it was fitted.   spread: of ln amount."""

    k: float
    u: float
    v: float
    runs: int = 0
    spread: float = 0.0

    def __call__(self, params: Amounts, tokens: Amounts) -> Amounts:
        """Return the amount."""
        return self.k * params**self.u * tokens**self.v


def fitted_cost(columns: Mapping[str, np.ndarray], name: str, *, unit: str, proportional: bool = False) -> Cost:
    """Return the cost k N^u D^v of the least squares in logarithms, for limits and prices of plans.

    Parameters
    ----------
    columns
        Of a table, as `runs.columns`: params, tokens and what was measured, (n,) each. Runs without a positive number
        in one of them do not count.
    name
        The column that was measured, such as gpu_hours; the cost has its name.
    unit
        Of its numbers, in words.
    proportional
        Fit k alone: u = v = 1, as the FLOP of training are.

    Returns
    -------
    Cost
        Whose source states the numbers, and how far the runs lie off it.

    Raises
    ------
    UsageError
        For a column that is not there, too few runs, and sizes on one line.

    Examples
    --------
    >>> sizes = {"params": np.array([1e8, 1e9, 1e9]), "tokens": np.array([1e9, 1e9, 1e10])}
    >>> cost = js.costs.fitted_cost({**sizes, "hours": np.array([1.0, 8.0, 80.0])}, "hours", unit="hours")
    >>> float(round(cost.amount(2e9, 1e10), 1))
    149.3
    """
    for column in (name, "params", "tokens"):
        if column not in columns:
            raise UsageError(unknown(NO_COLUMN, column, tuple(columns)))
    with np.errstate(divide="ignore", invalid="ignore"):
        amount, params, tokens = (np.log(np.asarray(columns[one], np.float64)) for one in (name, "params", "tokens"))
    is_known = np.isfinite(amount) & np.isfinite(params) & np.isfinite(tokens)
    amount, params, tokens = amount[is_known], params[is_known], tokens[is_known]
    count, least = len(amount), 1 if proportional else 3
    if count < least:
        raise UsageError(NO_RUNS.format(name=name, count=count, least=least))
    u = v = 1.0
    if not proportional:
        design = np.column_stack([params - params.mean(), tokens - tokens.mean()])
        scales = np.linalg.svd(design, compute_uv=False)
        if not scales[-1] > NARROW * scales[0]:
            raise UsageError(ONE_LINE.format(name=name))
        u, v = (float(one) for one in np.linalg.lstsq(design, amount - amount.mean(), rcond=None)[0])
    level = float(np.mean(amount - u * params - v * tokens))
    left = amount - level - u * params - v * tokens
    spread = float(np.sqrt(np.sum(left**2) / max(count - least, 1)))
    k = float(np.exp(level))
    source = FITTED.format(name=name, k=k, u=u, v=v, count=count, spread=100.0 * spread)
    return Cost(name, PowerAmount(k, u, v, count, spread), unit, source)

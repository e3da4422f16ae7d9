"""A plan: how params and tokens are best chosen within limits, what binds, and what one more unit would be worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.costs.spec import Amounts
from jaxscale.intervals import Interval, band
from jaxscale.results.result import Result

if TYPE_CHECKING:
    import pandas as pd

    from jaxscale.laws import Law


TARGET = "loss at most"
"""Among the multipliers, where a loss is to be reached: what is saved per nat of a higher one."""
UNIQUE = "unique tokens"
"""What more of is worth something too, beside the limits, where tokens are repeated."""


class PlanStatus(Enum):
    """How a plan ended.

    Attributes
    ----------
    OPTIMAL
        The conditions of Karush, Kuhn and Tucker are met: no plan nearby is better, and none at all where the law is a
        sum of monomials.
    INFEASIBLE
        No plan keeps to all limits; `conflict` names those that stand against one another.
    UNLIMITED
        Nothing limits the params or the tokens.
    STALLED
        Neither: the search ended without an optimum.
    """

    OPTIMAL = "optimal"
    INFEASIBLE = "infeasible"
    UNLIMITED = "unlimited"
    STALLED = "stalled"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Plan(Result):
    """The best choice of params and tokens within limits.

    Attributes
    ----------
    law, coefs
        The law, and the coefs of the point fit, name → value.
    params, tokens
        Of the plan; NaN where there is none. Scalars, (R,) for an ensemble, (b,) and (R, b) for several budgets.
    inputs
        Name of each further input that was chosen → its value, of their shape.
    loss
        Of the plan, of their shape.
    cost
        Of what was minimised in place of the loss; NaN where the loss was.
    unit
        Of what was minimised.
    multipliers
        Name of a limit → what the loss falls by per unit of its cap, in nats, or what the cost falls by where that was
        minimised; below zero for a least amount, zero where it does not bind. Where tokens are repeated,
        `unique tokens` too.
    limits
        Name → cap.
    spent
        Name → the amount of each limited cost under the plan.
    floors
        Names of the limits that are least amounts.
    amounts
        Name → amount(params, tokens) of each limited cost, in its unit: where a plan meets its cap.
    status
        How it ended; an array of them where there are several plans.
    conflict
        Names of the limits of which no plan keeps all, of the point.
    residual
        What the conditions of the optimum leave, at most.
    assumed
        What was assumed that neither the law nor the limits say.
    at_point
        For an ensemble, the plan of the point fit; None for one set of coefs.

    Examples
    --------
    >>> best = js.plan(law="chinchilla", coefs="besiroglu2024", flops=1e24)
    >>> print(f"{best.params:.3g} params, {best.tokens:.3g} tokens")
    9.59e+10 params, 1.74e+12 tokens
    """

    law: Law
    coefs: Mapping[str, float]
    params: np.ndarray
    tokens: np.ndarray
    inputs: Mapping[str, np.ndarray]
    loss: np.ndarray
    cost: np.ndarray
    unit: str
    multipliers: Mapping[str, np.ndarray]
    limits: Mapping[str, float | np.ndarray]
    spent: Mapping[str, np.ndarray]
    floors: tuple[str, ...]
    amounts: Mapping[str, Callable[[Amounts, Amounts], Amounts]]
    status: np.ndarray | PlanStatus
    conflict: tuple[str, ...] = ()
    residual: np.ndarray = field(default_factory=lambda: np.array(np.nan))
    assumed: tuple[str, ...] = ()
    at_point: Plan | None = None

    @property
    def point(self) -> Plan:
        """The plan of the point fit."""
        return self if self.at_point is None else self.at_point

    @property
    def is_of_cost(self) -> bool:
        """Whether a cost was minimised, and not the loss."""
        return TARGET in self.point.multipliers

    @property
    def optimal(self) -> np.ndarray:
        """Whether there is a plan: of the shape of params."""
        return np.asarray(self.status) == PlanStatus.OPTIMAL

    @property
    def is_ensemble(self) -> bool:
        """Whether the arrays have a replicate axis."""
        return self.at_point is not None

    @property
    def binding(self) -> tuple[str, ...]:
        """Names of the limits that bind at the point."""
        return tuple(name for name, value in self.point.multipliers.items() if np.any(np.abs(value) > 0.0))

    def to_frame(self, *, level: float = 0.95, method: Interval | str = "percentile") -> pd.DataFrame:
        """Return one row per plan of the point fit: sizes, inputs, loss, cost, status, what each limit is worth.

        Parameters
        ----------
        level, method
            As in `js.band`.

        Returns
        -------
        DataFrame
            With replicates each number has the band of their own plans, as params_low and params_high.

        Raises
        ------
        UsageError
            As `js.band`.
        """
        import pandas as pd

        at, columns = self.point, {}
        own = {"params": self.params, "tokens": self.tokens, **self.inputs, "loss": self.loss, "cost": self.cost}
        best = {"params": at.params, "tokens": at.tokens, **at.inputs, "loss": at.loss, "cost": at.cost}
        for name, value in best.items():
            if name == "cost" and not self.is_of_cost:
                continue
            columns[name] = np.atleast_1d(value)
            if self.is_ensemble:
                limits = band(own[name], level=level, method=method)
                columns |= {f"{name}_low": np.atleast_1d(limits.lower), f"{name}_high": np.atleast_1d(limits.upper)}
        columns["status"] = np.array([str(one) for one in np.atleast_1d(np.asarray(at.status))], dtype=object)
        worth = {f"worth of {name}": np.broadcast_to(one, np.shape(at.params)) for name, one in at.multipliers.items()}
        return pd.DataFrame(columns | {name: np.atleast_1d(one) for name, one in worth.items()})

    def __repr__(self) -> str:
        at, ensemble = self.point, f", {len(self.params):,} replicates" if self.is_ensemble else ""
        if np.ndim(at.params):
            return f"<Plan {self.law.name}: {len(at.params)} budgets{ensemble}>"
        if at.status is not PlanStatus.OPTIMAL:
            return f"<Plan {self.law.name}: {at.status}{': ' if at.conflict else ''}{', '.join(at.conflict)}>"
        return f"<Plan {self.law.name}: {at.params:.4g} params, {at.tokens:.4g} tokens, loss {at.loss:.5g}{ensemble}>"

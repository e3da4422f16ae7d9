"""Which runs to make next: the chosen ones in the order of purchase, what they cost, and what they are worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from jaxscale.results.result import Result

if TYPE_CHECKING:
    import pandas as pd

    from jaxscale.laws import Law


@dataclass(frozen=True)
class Design(Result):
    """A set of runs within a budget, in the order of purchase.

    Attributes
    ----------
    law, criterion
        Of which law, and what was to be lowered.
    rows
        (k,) places of the chosen candidates, in the order of purchase.
    costs
        (k,) what each adds to the cost when it is bought; of a trunk that is paid, only the rest.
    path
        (k + 1,) the expected criterion before any purchase and after each.
    unit
        Of the criterion.
    values
        (n,) by how much each candidate alone would lower the criterion, per unit of cost.
    prices
        (n,) what each candidate costs alone.
    columns
        Name → (n,) of all candidates, as the law takes them.
    budget
        What may be spent, in the unit of the costs.
    noise
        Standard deviation of ln loss that was reckoned with.
    stopped
        Why no more is bought.
    worth
        Of one unit of the criterion, in the unit of the costs; NaN where there is no stopping rule.
    proposal
        The criterion whose set was taken, of those that simulated refits compared.
    judged
        Criterion → mean of what simulated refits left of the regret or the error, with its set.
    assumed
        What was assumed that no argument says.

    Examples
    --------
    >>> candidates = {"params": np.geomspace(1e8, 1e9, 6), "tokens": np.full(6, 1e10)}
    >>> asked = {"budget": 5e19, "target": 1e23, "criterion": "d-optimal", "coefs": "besiroglu2024"}
    >>> chosen = js.design(candidates=candidates, law="chinchilla", **asked)
    >>> chosen.cost <= chosen.budget and chosen.after < chosen.before
    True
    """

    law: Law
    criterion: str
    rows: np.ndarray
    costs: np.ndarray
    path: np.ndarray
    unit: str
    values: np.ndarray
    prices: np.ndarray
    columns: Mapping[str, np.ndarray]
    budget: float
    noise: float
    stopped: str
    worth: float = float("nan")
    proposal: str = ""
    judged: Mapping[str, float] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()

    @property
    def cost(self) -> float:
        """The cost of all chosen runs together."""
        return float(np.sum(self.costs))

    @property
    def before(self) -> float:
        """The expected criterion with no more runs."""
        return float(self.path[0])

    @property
    def after(self) -> float:
        """The expected criterion once the chosen runs are made."""
        return float(self.path[-1])

    def __repr__(self) -> str:
        fall = f"{self.before:.3g} to {self.after:.3g} {self.unit}"
        return f"<Design {self.law.name}: {len(self.rows)} of {len(self.values)} runs, cost {self.cost:.3g}, {fall}>"

    def to_frame(self) -> pd.DataFrame:
        """Return one row per chosen run, in the order of purchase.

        Returns
        -------
        DataFrame
            Its row among the candidates, its inputs, what it adds to the cost, and the criterion after it.

        Examples
        --------
        >>> candidates = {"params": np.geomspace(1e8, 1e9, 6), "tokens": np.full(6, 1e10)}
        >>> asked = {"budget": 5e19, "target": 1e23, "criterion": "d-optimal", "coefs": "besiroglu2024"}
        >>> js.design(candidates=candidates, law="chinchilla", **asked).to_frame().columns.tolist()
        ['row', 'params', 'tokens', 'cost', 'criterion']
        """
        import pandas as pd

        inputs = {name: column[self.rows] for name, column in self.columns.items() if column.ndim == 1}
        return pd.DataFrame({"row": self.rows, **inputs, "cost": self.costs, "criterion": self.path[1:]})
